// Against real sockets: our own server, and peers that answer as they like.
#include "server/http_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "server/health_routes.h"
#include "server/http_server.h"

namespace pgc {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;
using namespace std::chrono_literals;

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

// Takes one connection, sends what it is given, piece by piece, and closes.
class Peer {
public:
    enum class Then : std::uint8_t { close, hold };

    explicit Peer(std::string answer, Then then = Then::close, Duration between = {})
        : listener_(*listen_on(*parse_listen_address("127.0.0.1:0"))) {
        thread_ = std::jthread([this, then, between,
                                answer = std::move(answer)](const std::stop_token& stop) {
            const int socket = accept_one(stop);
            if (socket < 0) return;
            std::array<char, 4096> request;
            (void)::recv(socket, request.data(), request.size(), 0);
            const std::size_t piece = between > Duration{0} ? 1 : answer.size();
            for (std::size_t at = 0; at < answer.size() && !stop.stop_requested(); at += piece) {
                const std::size_t n = std::min(piece, answer.size() - at);
                if (::send(socket, &answer[at], n, MSG_NOSIGNAL) < 0) break;
                if (between > Duration{0}) std::this_thread::sleep_for(between);
            }
            while (then == Then::hold && !stop.stop_requested()) std::this_thread::sleep_for(1ms);
            ::close(socket);
        });
    }
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }

    ListenAddress address() const { return bound_address(listener_); }

private:
    int accept_one(const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            const int socket = ::accept(listener_, nullptr, nullptr);
            if (socket >= 0) return socket;
            std::this_thread::sleep_for(1ms);
        }
        return -1;
    }

    const int listener_;
    std::jthread thread_;
};

class HttpClientTest : public ::testing::Test {
protected:
    Result<HttpAnswer> get(const ListenAddress& at, Duration limit = kPatience) {
        const Instant began = clock.now();
        auto answer = http_get(at, "/healthz", clock, waiter, limit);
        took = clock.now() - began;
        return answer;
    }
    Error error(std::string answer, Peer::Then then = Peer::Then::close, Duration limit = kPatience,
                Duration between = {}) {
        const Peer peer(std::move(answer), then, between);
        auto got = get(peer.address(), limit);
        EXPECT_FALSE(got);
        return got ? Error{} : got.error();
    }

    SystemClock clock;
    PollWaiter waiter{clock};
    Duration took{0};
};

TEST_F(HttpClientTest, AsksOurServer) {
    Status status{"shop", clock};
    Metrics metrics{"1"};
    Router router;
    add_health_routes(router, status, metrics);
    const auto server = HttpServer::start(":0", std::move(router), clock, Logger{});
    ASSERT_TRUE(server);
    for (const std::string& host :
         std::vector<std::string>{"127.0.0.1", "::1", "localhost", "", "0.0.0.0", "::"}) {
        if (host.contains(':') && !has_ipv6()) continue;
        const auto answer = get({host, (*server)->address().port});
        ASSERT_TRUE(answer) << host << ": " << answer.error().what;
        EXPECT_EQ(answer->status, 200);
        EXPECT_THAT(answer->body, StartsWith(R"({"pipeline":"shop")"));
    }
}

TEST_F(HttpClientTest, PostsABodyWithItsHeaders) {
    Router router;
    router.add("POST", "/echo/{}", [](const HttpRequest& request) {
        return HttpResponse{.status = 202,
                            .body = std::string{request.header("authorization")} + '|' +
                                    std::string{request.parameter} + '|' +
                                    std::string{request.body}};
    });
    const auto server = HttpServer::start("127.0.0.1:0", std::move(router), clock, Logger{});
    ASSERT_TRUE(server);
    for (const std::string& body : {std::string{}, std::string{"{}"}, std::string(60'000, 'x')}) {
        const auto answer = http_post(
            (*server)->address(),
            {.path = "/echo/a-1", .body = body, .headers = {{"Authorization", "Bearer x"}}}, clock,
            waiter, kPatience);
        ASSERT_TRUE(answer) << answer.error().what;
        EXPECT_EQ(answer->status, 202);
        EXPECT_EQ(answer->body, "Bearer x|a-1|" + body);
    }
}

TEST_F(HttpClientTest, ABodyThatIsTooLargeIsAnswered) {
    const auto server = HttpServer::start("127.0.0.1:0", Router{}, clock, Logger{});
    ASSERT_TRUE(server);
    const auto answer = http_post((*server)->address(),
                                  {.path = "/", .body = std::string(100'000, 'x'), .headers = {}},
                                  clock, waiter, kPatience);
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
    const auto answer = get({"127.0.0.1", bound_address(held).port});
    ::close(held);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().category, Error::Category::connection);
    EXPECT_THAT(answer.error().what, StartsWith("nobody answers on 127.0.0.1:"));
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, AHostWithoutAddressIsNobody) {
    const auto answer = get({"no-such-host.invalid", 1});
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().category, Error::Category::connection);
}

TEST_F(HttpClientTest, APeerThatSaysNothingIsGivenUp) {
    const auto reported = error("", Peer::Then::hold, 100ms);
    EXPECT_EQ(reported.category, Error::Category::connection);
    EXPECT_THAT(reported.what, HasSubstr("no answer in time"));
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, DrippingDoesNotMoveTheLimit) {
    const auto reported =
        error("HTTP/1.1 200 OK\r\nA: " + std::string(10'000, 'x'), Peer::Then::hold, 150ms, 5ms);
    EXPECT_THAT(reported.what, HasSubstr("no answer in time"));
    EXPECT_LT(took, kSoon);
}

TEST_F(HttpClientTest, AnAnswerThatDripsInTimeIsTaken) {
    const Peer peer("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", Peer::Then::hold, 1ms);
    const auto answer = get(peer.address());
    ASSERT_TRUE(answer);
    EXPECT_EQ(answer->body, "ok");
}

TEST_F(HttpClientTest, AClosedConnectionIsNobody) {
    const auto reported = error("");
    EXPECT_EQ(reported.category, Error::Category::connection);
    EXPECT_THAT(reported.what, HasSubstr("the connection was closed"));
}

TEST_F(HttpClientTest, ForeignersAreToldApart) {
    for (const std::string& answer :
         {std::string("SSH-2.0-OpenSSH\r\n"), std::string("\x15\x03\x01\x00\x02", 5),
          std::string("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 9999999999\r\n\r\n"),
          std::string("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\ncut")}) {
        const auto reported = error(answer);
        EXPECT_EQ(reported.category, Error::Category::protocol) << answer;
        EXPECT_THAT(reported.what, HasSubstr("is not pg-capture")) << answer;
    }
}

TEST_F(HttpClientTest, AFloodIsBounded) {
    const auto reported = error("HTTP/1.1 200 OK\r\n\r\n" + std::string(8'000'000, 'x'));
    EXPECT_THAT(reported.what, HasSubstr("it is too large"));
}

}  // namespace
}  // namespace pgc
