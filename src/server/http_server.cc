#include "server/http_server.h"

#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdint>
#include <system_error>
#include <utility>

namespace pgc {
namespace {

constexpr Duration kAcceptPause = std::chrono::milliseconds{100};
constexpr std::size_t kReadBytes = 16384;

bool would_block() noexcept {
    return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
}

// poll(2)'s time-out: rounded up, so that a deadline has passed when it returns.
int poll_time(Duration left) {
    const auto ms = std::chrono::ceil<std::chrono::milliseconds>(left).count();
    return static_cast<int>(std::clamp<std::int64_t>(ms, 0, 60'000));
}

}  // namespace

// A connection with its socket.
class HttpServer::Peer {
public:
    Peer(int accepted, const Router& router, const Clock& clock)
        : socket_(accepted), clock_(clock), connection_(router, clock), used_(clock.now()) {}
    Peer(const Peer&) = delete;
    Peer& operator=(const Peer&) = delete;
    ~Peer() { ::close(socket_); }

    pollfd interest() const noexcept {
        const int in = connection_.wants_input() ? POLLIN : 0;
        const int out = connection_.output().empty() ? 0 : POLLOUT;
        return {socket_, static_cast<short>(in | out), 0};
    }
    Instant deadline() const noexcept { return connection_.deadline(); }
    bool finished() const noexcept {
        return broken_ || connection_.state() == HttpConnection::State::done;
    }
    bool idle() const noexcept { return connection_.idle(); }
    Instant used() const noexcept { return used_; }

    void serve(short events) {
        const Instant now = clock_.now();
        if (events != 0) {
            used_ = now;
            read_some();
        } else if (now >= connection_.deadline()) {
            connection_.timed_out();
        }
        write_all();
        if (connection_.state() == HttpConnection::State::lingering && !shut_) {
            ::shutdown(socket_, SHUT_WR);
            shut_ = true;
        }
    }

private:
    // One piece at a time: the others want their turn.
    void read_some() {
        if (!connection_.wants_input()) {
            return;
        }
        std::array<char, kReadBytes> bytes;
        const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), 0);
        if (n > 0) {
            connection_.received({bytes.data(), static_cast<std::size_t>(n)});
        } else if (n == 0) {
            connection_.peer_ended();
        } else {
            broken_ = !would_block();
        }
    }

    void write_all() {
        while (!finished() && !connection_.output().empty()) {
            const auto bytes = connection_.output();
            const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n < 0) {
                broken_ = !would_block();
                return;
            }
            connection_.sent(static_cast<std::size_t>(n));
        }
    }

    const int socket_;
    const Clock& clock_;
    HttpConnection connection_;
    Instant used_;         // something happened on the socket
    bool shut_ = false;    // our sending side
    bool broken_ = false;  // the socket itself failed
};

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::string_view listen, Router router,
                                                      const Clock& clock, Logger logger) {
    const auto address = parse_listen_address(listen);
    if (!address) {
        return std::unexpected(address.error());
    }
    const auto listener = listen_on(*address);
    if (!listener) {
        return std::unexpected(listener.error());
    }
    std::unique_ptr<HttpServer> server{
        new HttpServer(*listener, std::move(router), clock, std::move(logger))};
    if (server->stop_.fd() < 0) {
        return std::unexpected(
            retry(Error::Category::internal, "no file descriptor left for the HTTP server"));
    }
    // The thread inherits a mask in which everything is blocked.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::error_code failure;
    try {
        server->thread_ = std::thread([raw = server.get()] { raw->run(); });
    } catch (const std::system_error& error) {
        failure = error.code();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failure) {
        return std::unexpected(retry(Error::Category::internal,
                                     "no thread for the HTTP server: " + failure.message()));
    }
    server->logger_.info("listening", {{"http", to_string(server->address_)}});
    return server;
}

HttpServer::HttpServer(int listener, Router router, const Clock& clock, Logger logger)
    : listener_(listener),
      address_(bound_address(listener)),
      router_(std::move(router)),
      clock_(clock),
      logger_(std::move(logger)) {}

HttpServer::~HttpServer() {
    if (thread_.joinable()) {
        stop_.notify();
        thread_.join();
    }
    ::close(listener_);
}

void HttpServer::run() {
    std::vector<pollfd> fds;
    for (;;) {
        const Instant now = clock_.now();
        const bool accepting = now >= accept_again_;
        Duration left = accepting ? kNever - now : accept_again_ - now;
        fds.assign(
            {{stop_.fd(), POLLIN, 0}, {listener_, static_cast<short>(accepting ? POLLIN : 0), 0}});
        for (const auto& peer : peers_) {
            fds.push_back(peer->interest());
            left = std::min(left, peer->deadline() - now);
        }
        (void)::poll(fds.data(), fds.size(), poll_time(left));
        if (fds[0].revents != 0) {
            return;
        }
        for (std::size_t i = 0; i < peers_.size(); ++i) {
            peers_[i]->serve(fds[i + 2].revents);
        }
        std::erase_if(peers_, [](const auto& peer) { return peer->finished(); });
        if (fds[1].revents != 0) {
            accept_peers();
        }
    }
}

void HttpServer::accept_peers() {
    // A bounded number at a time, so that who is already here gets his turn.
    for (std::size_t i = 0; i < kConnections_max; ++i) {
        const int socket = ::accept4(listener_, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            admit(socket);
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            accept_again_ = clock_.now() + kAcceptPause;
            logger_.warning("no file descriptor left for an HTTP connection");
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            return;
        }
    }
}

void HttpServer::admit(int socket) {
    if (peers_.size() >= kConnections_max) {
        const auto oldest = std::ranges::min_element(
            peers_, {}, [](const auto& peer) { return peer->idle() ? peer->used() : kNever; });
        if (!(*oldest)->idle()) {
            ::close(socket);
            logger_.warning("HTTP connection refused, too many are busy");
            return;
        }
        peers_.erase(oldest);
    }
    peers_.push_back(std::make_unique<Peer>(socket, router_, clock_));
}

}  // namespace pgc
