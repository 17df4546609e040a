#include "http/server.h"

#include <arpa/inet.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <latch>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/random.h"
#include "http/client.h"
#include "support/certificates.h"

namespace pgc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
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

// The server's: it stands still until it is moved, so no deadline passes by chance. From any
// thread.
class StillClock final : public Clock {
public:
    Instant now() const noexcept override { return {Duration{now_.load()}}; }
    WallTime wall() const noexcept override { return {1'795'229'825'123'456}; }
    void advance(Duration by) noexcept { now_ += by.count(); }

private:
    std::atomic<Duration::rep> now_{Duration{std::chrono::hours{1}}.count()};
};

class HttpServerTest : public ::testing::Test {
protected:
    HttpServerTest() { server_ = start(); }

    std::unique_ptr<HttpServer> start(std::unique_ptr<ServerTls> tls = nullptr) {
        Router router;
        router.add("GET", "/livez",
                   [](const HttpRequest&) { return HttpResponse{.body = "ok\n"}; });
        router.add("GET", "/big", [](const HttpRequest&) {
            return HttpResponse{.body = std::string(3'000'000, 'x')};
        });
        router.add("GET", "/held", [this](const HttpRequest&) {
            held_.count_down();
            released_.wait();
            return HttpResponse{.body = "ok\n"};
        });
        auto started =
            HttpServer::start("127.0.0.1:0", std::move(router), time_, Logger{}, std::move(tls));
        EXPECT_TRUE(started);
        return std::move(*started);
    }
    std::uint16_t port() const { return server_->address().port; }
    std::string ask(const std::string& request_line) const {
        return Client{port()}
            .send(request_line + " HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            .receive_all();
    }

    // One request answered, and the next begun.
    static void keep_busy(Client& client) {
        EXPECT_THAT(client.send(kRest).receive_until("ok\n"), EndsWith("ok\n"));
    }
    // As many as there may be; the server has read from each.
    std::vector<std::unique_ptr<Client>> all_busy() const {
        std::vector<std::unique_ptr<Client>> busy;
        for (std::size_t i = 0; i < HttpServer::kConnections_max; ++i) {
            busy.push_back(std::make_unique<Client>(port()));
            busy.back()->send("GET /l");
            keep_busy(*busy.back());
        }
        return busy;
    }
    // Who has connected by now has been looked at: the server has been round twice since.
    static void let_server_look(Client& busy) {
        for (int i = 0; i < 3; ++i) keep_busy(busy);
    }

    // The server's thread stands in a handler until it is let go.
    void hold_server() {
        holder_.emplace(port());
        holder_->send("GET /held HTTP/1.1\r\nHost: a\r\n\r\n");
        held_.wait();
    }
    void let_server_go() { released_.count_down(); }

    static constexpr std::string_view kRequest = "GET /livez HTTP/1.1\r\nHost: a\r\n\r\n";
    static constexpr std::string_view kRest = "ivez HTTP/1.1\r\nHost: a\r\n\r\nGET /l";
    static constexpr std::string_view kEnd = "ivez HTTP/1.1\r\nHost: a\r\n\r\n";

    SystemClock clock_;
    StillClock time_;
    std::latch held_{1};
    std::latch released_{1};
    std::optional<Client> holder_;
    std::unique_ptr<HttpServer> server_;
};

TEST_F(HttpServerTest, AnswersHeadAndRefusals) {
    EXPECT_THAT(ask("HEAD /livez"), EndsWith("\r\n\r\n"));
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

TEST_F(HttpServerTest, ANewcomerWaitsUntilOneOfTheBusyIsIdle) {
    const auto busy = all_busy();
    Client newcomer{port()};
    newcomer.send(kRequest);
    let_server_look(*busy[0]);
    EXPECT_THAT(busy[1]->send(kEnd).receive_until("ok\n"), EndsWith("ok\n"));
    EXPECT_THAT(newcomer.receive_until("ok\n"), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, ANewcomerWaitsUntilOneOfTheBusyLeaves) {
    auto busy = all_busy();
    Client newcomer{port()};
    newcomer.send(kRequest);
    let_server_look(*busy[0]);
    busy.pop_back();
    EXPECT_THAT(newcomer.receive_until("ok\n"), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, RefusesNewcomersWhileAllStayBusy) {
    const auto busy = all_busy();
    std::vector<std::unique_ptr<Client>> newcomers;
    for (std::size_t i = 0; i < HttpServer::kConnections_max + 10; ++i) {
        newcomers.push_back(std::make_unique<Client>(port()));
    }
    let_server_look(*busy[0]);
    time_.advance(HttpServer::kRoom_wait_max);
    for (const auto& newcomer : newcomers) EXPECT_THAT(newcomer->receive_all(), IsEmpty());
    EXPECT_THAT(busy[0]->send(kEnd).receive_until("ok\n"), EndsWith("ok\n"));
    EXPECT_THAT(ask("GET /livez"), EndsWith("ok\n"));
}

TEST_F(HttpServerTest, PeersThatHaveGoneDoNotKeepAProbeOut) {
    hold_server();
    for (std::size_t i = 0; i < 2 * HttpServer::kConnections_max; ++i) {
        Client{port()}.send("GET /l");
    }
    Client probe{port()};
    probe.send(kRequest);
    let_server_go();
    EXPECT_THAT(probe.receive_until("ok\n"), EndsWith("ok\n"));
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
                for (int i = 0; i < 25; ++i) right += ask("GET /livez").ends_with("ok\n");
            });
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

// -- TLS ---------------------------------------------------------------------------------

class HttpsServerTest : public HttpServerTest {
protected:
    HttpsServerTest() {
        store(make_certificate());
        auto tls = ServerTls::open(paths, files, clock_, Logger{});
        EXPECT_TRUE(tls);
        server_ = start(std::move(*tls));
    }

    void store(const TestCertificate& made) {
        directory.store("server.crt", made.certificate);
        directory.store("server.key", made.key);
        options.pinned_key = read_certificate(paths.certificate, files)->key_pin;
    }
    std::string url(std::string_view path) const {
        return "https://" + to_string(server_->address()) + std::string{path};
    }
    Result<HttpAnswer> get(std::string_view path) {
        const auto client = HttpClient::create(options);
        return (*client)->call({.url = url(path)}, waiter);
    }

    const CertificateFiles directory;
    const TlsFiles paths{directory.path("server.crt"), directory.path("server.key")};
    SystemFiles files;
    PollWaiter waiter{clock_};
    HttpClientOptions options{
        .proxy = "", .limit = std::chrono::minutes{1}, .connect_limit = std::chrono::minutes{1}};
};

TEST_F(HttpsServerTest, AnswersOverTls) {
    const auto answer = get("/livez");
    ASSERT_TRUE(answer) << describe(answer.error());
    EXPECT_EQ(answer->body, "ok\n");
    EXPECT_EQ(get("/nothing")->status, 404);
}

TEST_F(HttpsServerTest, KeepsAConnectionAndSendsLargeAnswers) {
    options.answer_bytes_max = 4'000'000;
    const auto client = HttpClient::create(options);
    for (int i = 0; i < 5; ++i) {
        const auto answer = (*client)->call({.url = url("/big")}, waiter);
        ASSERT_TRUE(answer) << describe(answer.error());
        EXPECT_EQ(answer->body.size(), 3'000'000U);
    }
}

TEST_F(HttpsServerTest, APlainRequestGetsNoAnswer) {
    EXPECT_THAT(ask("GET /livez"), Not(HasSubstr("HTTP/")));
}

TEST_F(HttpsServerTest, ConnectionsHeldOpenDoNotKeepAProbeOut) {
    std::vector<std::unique_ptr<Client>> held;
    for (std::size_t i = 0; i < HttpServer::kConnections_max + 40; ++i) {
        held.push_back(std::make_unique<Client>(port()));
    }
    EXPECT_TRUE(get("/livez"));
}

TEST_F(HttpsServerTest, ANewcomerWaitsUntilOneWhoseHandsAreShakenLeaves) {
    std::vector<std::unique_ptr<Client>> begun;
    for (std::size_t i = 0; i < HttpServer::kConnections_max; ++i) {
        begun.push_back(std::make_unique<Client>(port()));
        begun.back()->send("\x16\x03\x01\x02");
    }
    bool answered = false;
    {
        const std::jthread probe{[&] { answered = get("/livez").has_value(); }};
        begun.pop_back();
    }
    EXPECT_TRUE(answered);
}

TEST_F(HttpsServerTest, EndsAtOnceWhileHandsAreShaken) {
    Client begun{port()};
    begun.send("\x16\x03\x01\x02");
    Client silent{port()};
    EXPECT_TRUE(get("/livez"));
    server_.reset();
}

TEST_F(HttpsServerTest, SurvivesPeersThatSendNonsenseAndGoAway) {
    Random random{7};
    for (int i = 0; i < 200; ++i) {
        std::string noise(random.below(300), '\0');
        for (char& c : noise) c = static_cast<char>(random.below(256));
        if (i % 2 == 0) noise = "\x16\x03\x01" + noise;
        Client{port()}.send(noise);
    }
    EXPECT_TRUE(get("/livez"));
}

TEST_F(HttpsServerTest, AnotherCertificateIsShownToNewConnections) {
    ASSERT_TRUE(get("/livez"));
    store(make_certificate());
    const auto shown = [&] { return get("/livez").has_value(); };
    while (!shown()) std::this_thread::sleep_for(std::chrono::milliseconds{50});
}

}  // namespace
}  // namespace pgc
