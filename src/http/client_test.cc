// Against real sockets: our own server, and peers that answer as they like.
#include "http/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <memory>
#include <string>
#include <vector>

#include "http/server.h"
#include "support/http_peer.h"

namespace pgc {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using Category = Error::Category;
using Then = HttpPeer::Then;

// For what comes, on however slow a machine.
constexpr Duration kPatience = 60s;
// For what must not wait that long.
constexpr Duration kSoon = 30s;

bool has_ipv6() {
    const auto listener = listen_on(*parse_listen_address("[::1]:0"));
    if (!listener) return false;
    ::close(*listener);
    return true;
}

std::string url(const ListenAddress& at, std::string_view path = "/", bool tls = false) {
    return (tls ? "https://" : "http://") + to_string(at) + std::string{path};
}

class HttpClientTest : public ::testing::Test {
protected:
    HttpClientTest() {
        options.proxy = "";
        options.limit = kPatience;
        options.connect_limit = kPatience;
    }

    Result<HttpAnswer> call(HttpCall one) {
        const auto client = HttpClient::create(options);
        const Instant began = clock.now();
        auto answer = (*client)->call(std::move(one), waiter);
        took = clock.now() - began;
        return answer;
    }
    Result<HttpAnswer> get(std::string where) { return call({.url = std::move(where)}); }
    // What is said of a peer that answers so.
    Error error(HttpPeerPlan plan) {
        const bool tls = plan.tls != nullptr;
        const HttpPeer peer(std::move(plan));
        const auto got = get(url(peer.address(), "/", tls));
        EXPECT_FALSE(got);
        return got ? Error{} : got.error();
    }
    std::unique_ptr<HttpServer> serve(Router router, std::string_view listen = "127.0.0.1:0") {
        auto started = HttpServer::start(listen, std::move(router), clock, Logger{});
        EXPECT_TRUE(started);
        return std::move(*started);
    }

    SystemClock clock;
    PollWaiter waiter{clock};
    HttpClientOptions options;
    Duration took{0};
};

TEST_F(HttpClientTest, AsksOurServer) {
    Router router;
    router.add("GET", "/hello", [](const HttpRequest&) { return HttpResponse{.body = "hi\n"}; });
    const auto server = serve(std::move(router), ":0");
    for (const std::string& host : std::vector<std::string>{"127.0.0.1", "::1", "localhost"}) {
        if (host.contains(':') && !has_ipv6()) continue;
        const auto answer = get(url({host, server->address().port}, "/hello"));
        ASSERT_TRUE(answer) << host << ": " << answer.error().what;
        EXPECT_EQ(answer->status, 200);
        EXPECT_EQ(answer->body, "hi\n");
        EXPECT_EQ(answer->header("content-type"), "text/plain; charset=utf-8");
        EXPECT_EQ(answer->header("x-missing"), "");
    }
}

TEST_F(HttpClientTest, SendsABodyWithItsHeadersAndNoneOfItsOwn) {
    Router router;
    for (const auto* method : {"POST", "PUT", "DELETE"}) {
        router.add(method, "/echo/{}", [](const HttpRequest& request) {
            return HttpResponse{
                .status = 202,
                .body = fmt::format("{} {}|{}|{}|{}|{}", request.method, request.parameter,
                                    request.header("authorization"), request.header("content-type"),
                                    request.header("expect"), request.body)};
        });
    }
    const auto server = serve(std::move(router));
    for (const auto* method : {"POST", "PUT", "DELETE"}) {
        for (const std::string& body :
             {std::string{}, std::string{"{}"}, std::string(60'000, 'x')}) {
            const auto answer = call({.method = method,
                                      .url = url(server->address(), "/echo/a-1"),
                                      .headers = {{"Authorization", "Bearer x"}},
                                      .body = body});
            ASSERT_TRUE(answer) << answer.error().what;
            EXPECT_EQ(answer->status, 202);
            EXPECT_EQ(answer->body, std::string{method} + " a-1|Bearer x|||" + body);
        }
    }
}

TEST_F(HttpClientTest, ManyAreInFlightBesideALoop) {
    Router router;
    router.add("GET", "/n/{}", [](const HttpRequest& request) {
        return HttpResponse{.body = std::string{request.parameter}};
    });
    const auto server = serve(std::move(router));
    const auto client = HttpClient::create(options);
    std::vector<HttpClient::Id> ids;
    while (!(*client)->full()) {
        const auto id =
            (*client)->begin({.url = url(server->address(), "/n/" + std::to_string(ids.size()))});
        ASSERT_TRUE(id);
        ids.push_back(*id);
    }
    EXPECT_EQ(ids.size(), HttpClient::kInFlight_max);
    (*client)->give_up(ids[3]);
    std::vector<std::string> answers(ids.size());
    for (std::size_t left = ids.size() - 1; left > 0;) {
        Wants wants;
        wants.readable((*client)->wake_fd());
        waiter.wait(wants);
        for (auto& one : (*client)->poll()) {
            ASSERT_TRUE(one.answer) << one.answer.error().what;
            answers[one.id - ids[0]] = one.answer->body;
            --left;
        }
    }
    for (std::size_t i = 0; i < ids.size(); ++i) {
        EXPECT_EQ(answers[i], i == 3 ? "" : std::to_string(i));
    }
    EXPECT_FALSE((*client)->full());
}

TEST_F(HttpClientTest, WhatIsInFlightEndsWithTheClient) {
    const HttpPeer peer({.then = Then::hold});
    const auto client = HttpClient::create(options);
    ASSERT_TRUE((*client)->begin({.url = url(peer.address())}));
    (*client)->poll();
}

TEST_F(HttpClientTest, ABodyThatIsTooLargeForTheServerIsAnswered) {
    const auto server = serve({});
    const auto answer =
        call({.method = "POST", .url = url(server->address()), .body = std::string(100'000, 'x')});
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpClientTest, NobodyThereIsSaidAtOnce) {
    // Bound and not listening: nobody else gets the port meanwhile.
    const int held = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    sockaddr_in any{};
    any.sin_family = AF_INET;
    any.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    ASSERT_EQ(::bind(held, reinterpret_cast<const sockaddr*>(&any), sizeof any), 0);
    const auto answer = get(url({"127.0.0.1", bound_address(held).port}));
    ::close(held);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().category, Category::connection);
    EXPECT_EQ(answer.error().what, "Connection refused");
    EXPECT_THAT(answer.error().where, StartsWith("GET http://127.0.0.1:"));
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, AHostWithoutAddressIsNobody) {
    const auto answer = get("http://no-such-host.invalid:1/");
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().category, Category::connection);
    EXPECT_EQ(answer.error().what, "its name has no address");
}

TEST_F(HttpClientTest, APeerThatSaysNothingIsGivenUp) {
    options.limit = 100ms;
    const auto reported = error({.then = Then::hold});
    EXPECT_EQ(reported.category, Category::connection);
    EXPECT_EQ(reported.what, "no answer in time");
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, DrippingDoesNotMoveTheLimit) {
    options.limit = 150ms;
    const auto reported = error({.answer = "HTTP/1.1 200 OK\r\nA: " + std::string(10'000, 'x'),
                                 .then = Then::hold,
                                 .between = 5ms});
    EXPECT_EQ(reported.what, "no answer in time");
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, AnAnswerThatDripsInTimeIsTaken) {
    const HttpPeer peer({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok",
                         .then = Then::hold,
                         .between = 1ms});
    const auto answer = get(url(peer.address()));
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "ok");
}

TEST_F(HttpClientTest, AClosedConnectionIsNobody) {
    const auto reported = error({});
    EXPECT_EQ(reported.category, Category::connection);
    EXPECT_EQ(reported.what, "the connection was closed");
}

TEST_F(HttpClientTest, AnAnswerThatIsCutShortIsNone) {
    const auto reported = error({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut"});
    EXPECT_EQ(reported.category, Category::connection);
    EXPECT_EQ(reported.what, "the answer was cut short");
}

TEST_F(HttpClientTest, WhoDoesNotSpeakHttpIsToldApart) {
    for (const std::string& answer :
         {std::string("SSH-2.0-OpenSSH\r\n"), std::string("\x15\x03\x01\x00\x02", 5)}) {
        const auto reported = error({.answer = answer});
        EXPECT_EQ(reported.category, Category::protocol) << answer;
        EXPECT_EQ(reported.what, "it does not answer in HTTP") << answer;
    }
}

TEST_F(HttpClientTest, AFloodIsBounded) {
    for (const std::string& answer :
         {"HTTP/1.1 200 OK\r\n\r\n" + std::string(8'000'000, 'x'),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"),
          "HTTP/1.1 200 OK\r\nX: " + std::string(80'000, 'x') + "\r\n\r\n"}) {
        const auto reported = error({.answer = answer, .then = Then::hold});
        EXPECT_EQ(reported.category, Category::protocol);
        EXPECT_EQ(reported.what, "the answer is too large");
    }
}

TEST_F(HttpClientTest, ARedirectIsAnAnswerLikeAnyOther) {
    const HttpPeer peer({.answer = "HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:1/x\r\n"
                                   "Content-Length: 0\r\n\r\n"});
    const auto answer = get(url(peer.address()));
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->status, 302);
    EXPECT_EQ(answer->header("location"), "http://127.0.0.1:1/x");
}

TEST_F(HttpClientTest, WhatCantBeSentIsRefusedBefore) {
    for (const HttpCall& wrong : {
             HttpCall{.url = "ftp://host/"},
             HttpCall{.url = "http://user:secret@host/"},
             HttpCall{.url = "http://host/a b"},
             HttpCall{.url = "http://host/\r\nX: y"},
             HttpCall{.url = "http://host/", .headers = {{"A", "b\r\nC: secret"}}},
             HttpCall{.url = "http://host/", .headers = {{"A:", "secret"}}},
         }) {
        const auto answer = call(wrong);
        ASSERT_FALSE(answer) << wrong.url;
        EXPECT_EQ(answer.error().category, Category::configuration) << wrong.url;
        EXPECT_THAT(describe(answer.error()), Not(HasSubstr("secret"))) << wrong.url;
    }
}

TEST_F(HttpClientTest, ErrorsShowNoSecrets) {
    const auto answer = call({.method = "POST",
                              .url = "http://127.0.0.1:1/hook?key=secret#secret",
                              .headers = {{"Authorization", "Bearer secret"}},
                              .body = "secret"});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().where, "POST http://127.0.0.1:1/hook");
    EXPECT_THAT(describe(answer.error()), Not(HasSubstr("secret")));
}

TEST_F(HttpClientTest, AProxyIsAskedInstead) {
    const HttpPeer proxy({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nproxy"});
    options.proxy = url(proxy.address(), "");
    const auto answer = get("http://no-such-host.invalid/");
    ASSERT_TRUE(answer) << answer.error().what;
    EXPECT_EQ(answer->body, "proxy");
}

// -- TLS ---------------------------------------------------------------------------------

constexpr std::string_view kOk = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

class HttpsClientTest : public HttpClientTest {
protected:
    HttpsClientTest() { options.ca_file = files.store("ca.crt", authority.certificate); }

    const CertificateFiles files;
    const TestCertificate authority = make_certificate(nullptr, "authority");
    const TestCertificate server = make_certificate(&authority);
};

TEST_F(HttpsClientTest, BelievesWhoeverTheAuthoritySigned) {
    for (const auto* host : {"127.0.0.1", "localhost"}) {
        const HttpPeer peer({.answer = std::string{kOk}, .tls = &server});
        const auto answer = get(url({host, peer.address().port}, "/", true));
        ASSERT_TRUE(answer) << describe(answer.error());
        EXPECT_EQ(answer->body, "ok");
    }
}

TEST_F(HttpsClientTest, BelievesNobodyElse) {
    const auto other = make_certificate();
    const auto elsewhere = make_certificate(&authority, "other.example.com");
    const auto expired = make_certificate(&authority, "localhost", -60);
    for (const TestCertificate* one : {&other, &elsewhere, &expired}) {
        const auto reported = error({.answer = std::string{kOk}, .tls = one});
        EXPECT_EQ(reported.category, Category::authentication);
        EXPECT_EQ(reported.next, Error::Next::stop);
        EXPECT_THAT(reported.what, StartsWith("its certificate is not trusted: "));
    }
    // The system's authorities don't know ours.
    options.ca_file.clear();
    EXPECT_EQ(error({.answer = std::string{kOk}, .tls = &server}).category,
              Category::authentication);
}

TEST_F(HttpsClientTest, APinnedKeyIsBelievedWhateverItsNameAndNoOther) {
    SimulatedFiles disk;
    const auto unknown = make_certificate(nullptr, "cdc.example.com");
    ASSERT_TRUE(disk.replace("crt", unknown.certificate));
    options.pinned_key = read_certificate("crt", disk)->key_pin;
    const HttpPeer peer({.answer = std::string{kOk}, .tls = &unknown});
    const auto answer = get(url(peer.address(), "/", true));
    ASSERT_TRUE(answer) << describe(answer.error());
    const auto reported = error({.answer = std::string{kOk}, .tls = &server});
    EXPECT_EQ(reported.category, Category::authentication);
    EXPECT_EQ(reported.what, "its key is not the one expected");
}

TEST_F(HttpsClientTest, ProvesItselfByACertificate) {
    const auto own = make_certificate(&authority, "client");
    const HttpPeerPlan asking{.answer = std::string{kOk}, .tls = &server, .asks_for = &authority};
    {
        const HttpPeer peer(asking);
        EXPECT_FALSE(get(url(peer.address(), "/", true)));
    }
    options.certificate_file = files.store("client.crt", own.certificate);
    options.key_file = files.store("client.key", own.key);
    const HttpPeer peer(asking);
    const auto answer = get(url(peer.address(), "/", true));
    ASSERT_TRUE(answer) << describe(answer.error());
    EXPECT_EQ(answer->body, "ok");
}

TEST_F(HttpsClientTest, FilesOfOursThatCantBeUsedAreOurMistake) {
    const HttpPeer peer({.answer = std::string{kOk}, .tls = &server});
    options.ca_file = "/no/such/file";
    EXPECT_EQ(get(url(peer.address(), "/", true)).error().category, Category::configuration);
}

TEST_F(HttpsClientTest, TimesAndSizesAreBoundedAsWithoutTls) {
    options.limit = 300ms;
    EXPECT_EQ(error({.then = Then::hold, .tls = &server}).what, "no answer in time");
    // Takes the connection and says nothing, not even in TLS.
    const HttpPeer silent({.then = Then::hold});
    EXPECT_EQ(get(url(silent.address(), "/", true)).error().what, "no connection in time");
    options.limit = kPatience;
    EXPECT_EQ(
        error({.answer = "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut", .tls = &server}).what,
        "the answer was cut short");
    EXPECT_EQ(
        error({.answer = "HTTP/1.1 200 OK\r\n\r\n" + std::string(4'000'000, 'x'), .tls = &server})
            .what,
        "the answer is too large");
    EXPECT_EQ(error({.tls = &server}).what, "the connection was closed");
}

TEST_F(HttpsClientTest, APlainServerIsToldApart) {
    const HttpPeer plain({.answer = std::string{kOk}});
    const auto reported = get(url(plain.address(), "/", true)).error();
    EXPECT_EQ(reported.category, Category::protocol);
    EXPECT_THAT(reported.what, StartsWith("no TLS connection: "));
}

}  // namespace
}  // namespace pgc
