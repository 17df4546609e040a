#include "server/http_server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "server/health_routes.h"

namespace pgc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;

// A client that gives up after a minute rather than hang the test.
class Client {
public:
    explicit Client(std::uint16_t port) : socket_(::socket(AF_INET, SOCK_STREAM, 0)) {
        const timeval limit{.tv_sec = 60, .tv_usec = 0};
        ::setsockopt(socket_, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
        ::setsockopt(socket_, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
        sockaddr_in address{};
        address.sin_family = AF_INET;
        address.sin_port = htons(port);
        address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
        EXPECT_EQ(::connect(socket_, reinterpret_cast<sockaddr*>(&address), sizeof address), 0);
    }
    Client(const Client&) = delete;
    Client& operator=(const Client&) = delete;
    ~Client() { ::close(socket_); }

    Client& send(std::string_view bytes) {
        (void)::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
        return *this;
    }
    Client& end() {
        ::shutdown(socket_, SHUT_WR);
        return *this;
    }
    // Until the server ends the connection.
    std::string receive_all() {
        std::string all;
        while (receive_some(all)) {
        }
        return all;
    }
    std::string receive_until(std::string_view text) {
        std::string all;
        while (all.find(text) == std::string::npos && receive_some(all)) {
        }
        return all;
    }

private:
    bool receive_some(std::string& all) const {
        std::array<char, 4096> bytes;
        const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (n > 0) {
            all.append(bytes.data(), static_cast<std::size_t>(n));
        }
        return n > 0;
    }

    int socket_;
};

class HttpServerTest : public ::testing::Test {
protected:
    HttpServerTest() {
        Router router;
        add_health_routes(router, status_, metrics_);
        router.add("GET", "/big", [](const HttpRequest&) {
            return HttpResponse{.body = std::string(3'000'000, 'x')};
        });
        auto started = HttpServer::start("127.0.0.1:0", std::move(router), clock_, Logger{});
        EXPECT_TRUE(started);
        server_ = std::move(*started);
    }

    std::uint16_t port() const { return server_->address().port; }
    std::string ask(const std::string& request_line) const {
        return Client{port()}
            .send(request_line + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .receive_all();
    }

    SystemClock clock_;
    Status status_{"shop", clock_};
    Metrics metrics_{"1.2.3"};
    std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, ServesMetrics) {
    metrics_.counter(Metric::changes_total, {"public.a", "insert"}).add(3);
    const auto answer = ask("GET /metrics");
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(answer, HasSubstr("Content-Type: text/plain; version=0.0.4; charset=utf-8\r\n"));
    EXPECT_THAT(answer, HasSubstr("cdc_changes_total{table=\"public.a\",op=\"insert\"} 3\n"));
}

TEST_F(HttpServerTest, TellsReadyOnlyWhileStreaming) {
    EXPECT_THAT(ask("GET /readyz"),
                ::testing::AllOf(StartsWith("HTTP/1.1 503 "), EndsWith("not ready: starting\n")));
    EXPECT_THAT(ask("GET /livez"), ::testing::AllOf(StartsWith("HTTP/1.1 200 "), EndsWith("ok\n")));
    status_.enter(PipelineState::streaming);
    EXPECT_THAT(ask("GET /readyz"), StartsWith("HTTP/1.1 200 "));
    status_.failed_with(retry(Error::Category::connection, "gone"));
    status_.enter(PipelineState::waiting);
    EXPECT_THAT(ask("GET /readyz"), EndsWith("not ready: waiting; last error: gone\n"));
    status_.enter(PipelineState::failed);
    EXPECT_THAT(ask("GET /livez"),
                ::testing::AllOf(StartsWith("HTTP/1.1 503 "),
                                 EndsWith("not live: the pipeline has failed\n")));
    EXPECT_THAT(ask("GET /healthz"), StartsWith("HTTP/1.1 503 "));
}

TEST_F(HttpServerTest, AnswersHeadAndRefusals) {
    EXPECT_THAT(ask("HEAD /metrics"), EndsWith("\r\n\r\n"));
    EXPECT_THAT(ask("GET /"), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(ask("POST /livez"), StartsWith("HTTP/1.1 405 "));
    EXPECT_THAT(ask("GET /" + std::string(5000, 'a')), StartsWith("HTTP/1.1 414 "));
    EXPECT_THAT(ask("GET / HTTP/1.1\r\nX: " + std::string(17'000, 'a')),
                StartsWith("HTTP/1.1 431 "));
    EXPECT_THAT(ask("POST / HTTP/1.1\r\nContent-Length: 70000\r\nX: "),
                StartsWith("HTTP/1.1 413 "));
}

TEST_F(HttpServerTest, KeepsAConnectionForManyRequests) {
    Client client{port()};
    for (int i = 0; i < 20; ++i) {
        EXPECT_THAT(client.send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\n").receive_until("ok\n"),
                    EndsWith("ok\n"));
    }
}

TEST_F(HttpServerTest, SendsAnswersThatAreLargerThanASocketsBuffer) {
    Client client{port()};
    std::string burst;
    for (int i = 0; i < 5; ++i) {
        burst += "GET /big HTTP/1.1\r\nHost: a\r\n\r\n";
    }
    EXPECT_GT(client.send(burst).end().receive_all().size(), 15'000'000U);
}

TEST_F(HttpServerTest, ConnectionsHeldOpenDoNotKeepAProbeOut) {
    std::vector<std::unique_ptr<Client>> held;
    for (std::size_t i = 0; i < HttpServer::kConnections_max + 40; ++i) {
        held.push_back(std::make_unique<Client>(port()));
    }
    EXPECT_THAT(ask("GET /livez"), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, RefusesNewcomersWhileAllAreBusy) {
    std::vector<std::unique_ptr<Client>> busy;
    for (std::size_t i = 0; i < HttpServer::kConnections_max; ++i) {
        busy.push_back(std::make_unique<Client>(port()));
        busy.back()->send("GET /livez HTTP/1.1\r\nHost: a\r\n\r\nGET /liv").receive_until("ok\n");
    }
    EXPECT_THAT(Client{port()}.receive_all(), IsEmpty());
    EXPECT_THAT(busy[0]->send("ez HTTP/1.1\r\nHost: a\r\n\r\n").receive_until("ok\n"),
                EndsWith("ok\n"));
}

TEST_F(HttpServerTest, SurvivesPeersThatSendNonsenseAndGoAway) {
    Random random{7};
    for (int i = 0; i < 200; ++i) {
        std::string noise(random.below(300), '\0');
        for (char& c : noise) {
            c = static_cast<char>(random.below(256));
        }
        Client{port()}.send(noise);
    }
    for (int i = 0; i < 20; ++i) {
        Client{port()}.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    }
    EXPECT_THAT(ask("GET /livez"), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, AnswersManyThreadsAtOnce) {
    std::atomic<int> right{0};
    {
        std::vector<std::jthread> threads;
        for (int t = 0; t < 8; ++t) {
            threads.emplace_back([&] {
                for (int i = 0; i < 25; ++i) {
                    right += ask("GET /healthz").find("\"pipeline\":\"shop\"") != std::string::npos;
                }
            });
        }
        for (int i = 0; i < 200; ++i) {
            status_.enter(i % 2 == 0 ? PipelineState::streaming : PipelineState::waiting);
        }
    }
    EXPECT_EQ(right, 200);
}

TEST_F(HttpServerTest, EndsAtOnceWithConnectionsOpen) {
    const Client idle{port()};
    Client waiting{port()};
    waiting.send("GET /big HTTP/1.1\r\nHost: a\r\n\r\n");
    server_.reset();
}

TEST_F(HttpServerTest, APortInUseIsAClearError) {
    const auto second = HttpServer::start(to_string(server_->address()), {}, clock_, Logger{});
    ASSERT_FALSE(second);
    EXPECT_EQ(second.error().category, Error::Category::configuration);
    EXPECT_EQ(second.error().what,
              "can't listen on " + to_string(server_->address()) + ": Address already in use");
    EXPECT_THAT(second.error().hint, HasSubstr("http.listen"));
}

TEST_F(HttpServerTest, AnAddressOfAnotherMachineIsAClearError) {
    const auto elsewhere = HttpServer::start("192.0.2.1:0", {}, clock_, Logger{});
    ASSERT_FALSE(elsewhere);
    EXPECT_THAT(elsewhere.error().what, StartsWith("can't listen on 192.0.2.1:0: "));
}

TEST_F(HttpServerTest, ListensOnEveryAddress) {
    const auto every = HttpServer::start(":0", {}, clock_, Logger{});
    ASSERT_TRUE(every);
    EXPECT_THAT(Client{(*every)->address().port}.send("GET / HTTP/1.0\r\n\r\n").receive_all(),
                StartsWith("HTTP/1.1 404 "));
}

}  // namespace
}  // namespace pgc
