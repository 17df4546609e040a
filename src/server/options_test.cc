#include "server/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "config/loader.h"
#include "http/listen_address.h"

namespace pgc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class ServerOptionsTest : public ::testing::Test {
protected:
    std::expected<Settings, Errors> given(Environment environment) {
        return load(declarations,
                    {.file = {},
                     .environment = std::move(environment),
                     .command_line = parse_command_line({}, {}, declarations)},
                    files);
    }
    std::string wrong(Environment environment) {
        const auto settings = given(std::move(environment));
        return settings ? "taken" : describe(settings.error());
    }

    const Declarations declarations{server_options()};
    SimulatedFiles files;
};

TEST_F(ServerOptionsTest, TheTableIsSound) {
    EXPECT_EQ(declarations.faults(), std::vector<std::string>{});
}

TEST_F(ServerOptionsTest, AllowedHostsAreNames) {
    EXPECT_EQ(wrong({{"PG_CAPTURE_HTTP_ALLOWED_HOSTS", "metrics.example.com,cdc"}}), "taken");
    EXPECT_EQ(wrong({{"PG_CAPTURE_HTTP_ALLOWED_HOSTS", "*"}}), "taken");
    for (const auto* bad : {"http://metrics.example.com", "metrics.example.com:9090", "a b"}) {
        EXPECT_THAT(wrong({{"PG_CAPTURE_HTTP_ALLOWED_HOSTS", bad}}), HasSubstr("without scheme"));
    }
}

TEST_F(ServerOptionsTest, ListensOnLoopbackAndChangesNothingByDefault) {
    const auto settings = given({});
    ASSERT_TRUE(settings);
    EXPECT_EQ(settings->text("http.listen"), "127.0.0.1:9090");
    EXPECT_TRUE(parse_listen_address(settings->text("http.listen")));
    EXPECT_TRUE(settings->secret("http.token").empty());
    EXPECT_TRUE(settings->secret_source("http.token", files)()->empty());
}

TEST_F(ServerOptionsTest, TheTokenComesFromItsVariableOrAFileThatIsReadAnew) {
    ASSERT_TRUE(files.replace("/run/token", "sesame\n"));
    EXPECT_EQ(given({{"PG_CAPTURE_HTTP_TOKEN", "x-1"}})->secret("http.token").reveal(), "x-1");
    const auto settings = given({{"PG_CAPTURE_HTTP_TOKEN_FILE", "/run/token"}});
    ASSERT_TRUE(settings);
    const auto source = settings->secret_source("http.token", files);
    EXPECT_EQ(source()->reveal(), "sesame");
    ASSERT_TRUE(files.replace("/run/token", "another\n"));
    EXPECT_EQ(source()->reveal(), "another");
}

TEST_F(ServerOptionsTest, ATokenThatCantStandInAHeaderIsRefusedAndNotShown) {
    for (const auto* token : {"two words", "line\r\nX: y", "sesam\xc3\xa9"}) {
        EXPECT_THAT(wrong({{"PG_CAPTURE_HTTP_TOKEN", token}}),
                    AllOf(HasSubstr("http.token"), HasSubstr("HTTP header"), Not(HasSubstr("line")),
                          Not(HasSubstr("words")), Not(HasSubstr("sesam"))));
    }
}

TEST_F(ServerOptionsTest, ACertificateAndItsKeyGoTogether) {
    EXPECT_EQ(wrong({{"PG_CAPTURE_HTTP_TLS_CERT", "a"}, {"PG_CAPTURE_HTTP_TLS_KEY", "b"}}),
              "taken");
    EXPECT_THAT(wrong({{"PG_CAPTURE_HTTP_TLS_CERT", "a"}}), HasSubstr("go together"));
    EXPECT_THAT(wrong({{"PG_CAPTURE_HTTP_TLS_KEY", "b"}}), HasSubstr("go together"));
}

TEST_F(ServerOptionsTest, AnAddressThatIsNoneIsRefused) {
    EXPECT_THAT(wrong({{"PG_CAPTURE_HTTP_LISTEN", "9090"}}), HasSubstr("there is no port"));
    EXPECT_EQ(wrong({{"PG_CAPTURE_HTTP_LISTEN", ""}}), "taken");
}

}  // namespace
}  // namespace pgc
