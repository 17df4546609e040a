#include "http/host_guard.h"

#include <gtest/gtest.h>

#include "http/router.h"

namespace pgc {
namespace {

TEST(HostGuardTest, ProbesAndPeopleAskByAddressOrByANameNobodyElseHas) {
    const HostGuard guard("", {});
    for (const auto* host :
         {"", "127.0.0.1", "127.0.0.1:9090", "[::1]:9090", "localhost:9090", "LocalHost",
          "10.244.1.17:9090", "[fd00::17]:9090", "pg-capture:9090", "pg-capture"}) {
        EXPECT_TRUE(guard.allows(host)) << host;
    }
}

TEST(HostGuardTest, ANameThatSomebodyMayOwnIsRefused) {
    const HostGuard guard("", {});
    for (const auto* host : {"evil.com",
                             "evil.com:9090",
                             "127.0.0.1.evil.com",
                             "127.evil.com:9090",
                             "10.1.2.3.nip.io",
                             "localhost.evil.com",
                             "evil.com.",
                             ".",
                             ":9090",
                             "[::1",
                             "[]:80",
                             "a:b:c",
                             "a@b",
                             "[::1]x",
                             "[::1].evil.com",
                             "[::1]evil.com:80",
                             "[::1]@evil.com",
                             "[localhost]",
                             "localhost:evil.com",
                             "127.0.0.1:80.evil.com"}) {
        EXPECT_FALSE(guard.allows(host)) << host;
    }
}

TEST(HostGuardTest, NamesThatAreGivenAreAllowed) {
    const HostGuard guard("cdc.example.com", {"metrics.example.com", "Proxy.Example.com"});
    EXPECT_TRUE(guard.allows("cdc.example.com:9090"));
    EXPECT_TRUE(guard.allows("metrics.example.com"));
    EXPECT_TRUE(guard.allows("METRICS.example.com.:80"));
    EXPECT_TRUE(guard.allows("proxy.example.com"));
    EXPECT_FALSE(guard.allows("example.com"));
    EXPECT_FALSE(guard.allows("evil.metrics.example.com"));
    EXPECT_TRUE(HostGuard("", {"*"}).allows("anything.example.com"));
}

TEST(HostGuardTest, TheRouterAnswersOthersWithoutAHandler) {
    Router router;
    router.only_for(HostGuard("", {}));
    for (const auto* method : {"GET", "POST"}) {
        router.add(method, "/x", [](const HttpRequest&) { return plain_answer(200); });
    }
    for (const std::string_view method : {"GET", "HEAD", "POST"}) {
        HttpRequest request{.method = method, .path = "/x", .query = {}, .headers = {}, .body = {}};
        request.headers = {{"Host", "evil.com:9090"}};
        const auto refused = router.answer(request);
        EXPECT_EQ(refused.status, 421);
        EXPECT_TRUE(refused.body.contains("http.allowed_hosts")) << refused.body;
        request.headers = {{"host", "127.0.0.1:9090"}};
        EXPECT_EQ(router.answer(request).status, 200);
    }
}

}  // namespace
}  // namespace pgc
