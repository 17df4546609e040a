#include "server/token_guard.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;

class TokenGuardTest : public ::testing::Test {
protected:
    // The status it is answered with; 0: it may go on.
    int offered(std::string_view authorization) {
        HttpRequest request;
        request.headers.emplace_back("authorization", authorization);
        answer = guard.refuse(request);
        return answer ? answer->status : 0;
    }

    Result<Secret> token{Secret{"sesame-42"}};
    TokenGuard guard{[this] { return token; }, Logger{}};
    std::optional<HttpResponse> answer;
};

TEST_F(TokenGuardTest, LetsTheBearerThrough) {
    EXPECT_EQ(offered("Bearer sesame-42"), 0);
    EXPECT_EQ(offered("bearer   sesame-42"), 0);
}

TEST_F(TokenGuardTest, AnyOtherTokenIsRefused) {
    for (const std::string_view other : {"Bearer sesame-43", "Bearer sesame-4", "Bearer sesame-422",
                                         "Bearer Sesame-42", "Bearer s", "Bearer sesame-42 x"}) {
        EXPECT_EQ(offered(other), 401) << other;
        EXPECT_THAT(answer->headers,
                    ElementsAre(Pair("WWW-Authenticate", HasSubstr("invalid_token"))));
    }
}

TEST_F(TokenGuardTest, NoTokenOrAnotherSchemeIsRefused) {
    for (const std::string_view other : {"", "Bearer", "Bearer ", "Basic sesame-42", "sesame-42"}) {
        EXPECT_EQ(offered(other), 401) << other;
        EXPECT_THAT(answer->headers, ElementsAre(Pair("WWW-Authenticate", HasSubstr("Bearer"))));
        EXPECT_THAT(answer->body, HasSubstr("http.token"));
    }
    EXPECT_EQ(guard.refuse({})->status, 401);
}

TEST_F(TokenGuardTest, WithoutAConfiguredTokenNobodyMay) {
    token = Secret{};
    for (const std::string_view any : {"", "Bearer ", "Bearer x"}) {
        EXPECT_EQ(offered(any), 403) << any;
        EXPECT_THAT(answer->body, HasSubstr("PG_CAPTURE_HTTP_TOKEN"));
    }
}

TEST_F(TokenGuardTest, IsAskedAnewEveryTime) {
    token = Secret{"another"};
    EXPECT_EQ(offered("Bearer sesame-42"), 401);
    EXPECT_EQ(offered("Bearer another"), 0);
}

TEST_F(TokenGuardTest, OneThatCantBeReadIsNobodysAndItsFileIsNotTold) {
    token = std::unexpected(stop(Error::Category::storage, "cannot open /run/secrets/t"));
    EXPECT_EQ(offered("Bearer sesame-42"), 500);
    EXPECT_THAT(answer->body, Not(HasSubstr("secrets")));
}

}  // namespace
}  // namespace pgc
