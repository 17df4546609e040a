// From the options to the wire, over real sockets: our own server as a registry, and peers that
// answer as they like.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <memory>
#include <string>

#include "base/wait.h"
#include "format/registry/make_registry.h"
#include "format/registry/options.h"
#include "http/server.h"
#include "support/http_peer.h"
#include "support/options_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using SchemaIs = SchemaAnswer::Is;

constexpr Duration kPatience = 60s;

class RegistryOverHttpTest : public test::OptionsFixture {
protected:
    RegistryOverHttpTest() : OptionsFixture({kRegistryOptions}, {}) {
        give("format.registry.timeout_ms", "60000");
        give("format.registry.retry_backoff_ms", "20");
        give("format.registry.retry_backoff_max_ms", "20");
    }

    static std::string url(const ListenAddress& at, bool tls = false) {
        return (tls ? "https://" : "http://") + to_string(at);
    }
    void asks(std::string url) { give("format.registry.url", std::move(url)); }
    SchemaRegistry& registry() {
        if (!registry_) {
            registry_ = make_schema_registry(
                made([&](const Settings& settings) { return registry_config(settings, files); }),
                clock, metrics, Logger{}, 1);
        }
        return *registry_;
    }
    Result<SchemaAnswer> turn() {
        auto answer = registry().look_up({"a/b"}, {SchemaType::avro, "\"string\""});
        if (answer && answer->is == SchemaIs::pending) {
            Wants wants;
            registry().wants(wants);
            wants.until(clock.now() + 100ms);
            waiter.wait(wants);
        }
        return answer;
    }
    Result<SchemaAnswer> answer() {
        const Instant end = clock.now() + kPatience;
        auto answer = turn();
        while (answer && answer->is == SchemaIs::pending && clock.now() < end) answer = turn();
        return answer;
    }
    std::uint64_t failures() {
        return metrics.counter(Metric::registry_requests_total, {"failed"}).value();
    }

    SystemClock clock;
    PollWaiter waiter{clock};
    Metrics metrics{"test"};

private:
    std::unique_ptr<SchemaRegistry> registry_;
};

TEST_F(RegistryOverHttpTest, RegistersASchema) {
    std::atomic<int> asked = 0;
    Router router;
    router.add("POST", "/subjects/{}/versions", [&](const HttpRequest& request) {
        const bool good = request.parameter == "a%2Fb" &&
                          request.body == R"({"schema":"\"string\""})" &&
                          request.header("content-type").contains("schemaregistry");
        // The first time it has trouble of its own.
        if (asked++ == 0) return HttpResponse{.status = 500, .body = "oops"};
        return good ? HttpResponse{.body = R"({"id":42})"} : HttpResponse{.status = 400};
    });
    const auto server = HttpServer::start("127.0.0.1:0", std::move(router), clock, Logger{});
    ASSERT_TRUE(server);
    asks(url((*server)->address()));
    const auto got = answer();
    ASSERT_TRUE(got) << describe(got.error());
    EXPECT_EQ(got->id, SchemaId{42}) << describe(got->reason);
    EXPECT_EQ(failures(), 1U);
}

TEST_F(RegistryOverHttpTest, NobodyThereAndPeersThatTalkNonsenseAreTriedAgain) {
    const HttpPeer nonsense({.answer = "SSH-2.0-OpenSSH\r\n"});
    const HttpPeer hangs_up({});
    const HttpPeer good({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":5}"});
    asks("http://127.0.0.1:1," + url(nonsense.address()) + "," + url(hangs_up.address()) + "," +
         url(good.address()));
    const auto got = answer();
    ASSERT_TRUE(got) << describe(got.error());
    EXPECT_EQ(got->id, SchemaId{5});
    EXPECT_EQ(failures(), 3U);
}

TEST_F(RegistryOverHttpTest, OneThatIsSlowIsGivenUpAndTheLoopNeverWaitsForIt) {
    give("format.registry.timeout_ms", "150");
    const HttpPeer slow({.then = HttpPeer::Then::hold});
    asks(url(slow.address()));
    const Instant began = clock.now();
    while (failures() == 0 && clock.now() - began < kPatience) ASSERT_TRUE(turn());
    EXPECT_GE(failures(), 1U);
}

TEST_F(RegistryOverHttpTest, CertificatesGoBothWays) {
    const CertificateFiles certificates;
    const TestCertificate authority = make_certificate(nullptr, "authority");
    const TestCertificate server = make_certificate(&authority);
    const TestCertificate own = make_certificate(&authority, "client");
    const HttpPeer peer({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 8\r\n\r\n{\"id\":5}",
                         .tls = &server,
                         .asks_for = &authority});
    asks(url(peer.address(), true));
    give("format.registry.ssl_root_cert", certificates.store("ca.crt", authority.certificate));
    give("format.registry.ssl_cert", certificates.store("client.crt", own.certificate));
    give("format.registry.ssl_key", certificates.store("client.key", own.key));
    const auto got = answer();
    ASSERT_TRUE(got) << describe(got.error());
    EXPECT_EQ(got->id, SchemaId{5});
}

TEST_F(RegistryOverHttpTest, WhoIsNotTrustedStops) {
    const TestCertificate unknown = make_certificate();
    const HttpPeer peer({.answer = "", .tls = &unknown});
    asks(url(peer.address(), true));
    const auto got = answer();
    ASSERT_FALSE(got);
    EXPECT_EQ(got.error().category, Error::Category::authentication);
    EXPECT_THAT(got.error().what, HasSubstr("its certificate is not trusted"));
}

}  // namespace
}  // namespace pgc
