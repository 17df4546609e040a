#include "http/server.h"

// One thread runs the loop, so its handlers need no fences between them (ThreadSanitizer does not
// know fences).
#define BOOST_ASIO_DISABLE_FENCED_BLOCK

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/steady_timer.hpp>
#include <cerrno>
#include <csignal>
#include <new>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "http/connection.h"

namespace pgc {
namespace {

namespace asio = boost::asio;
using boost::system::error_code;
using Socket = asio::ip::tcp::socket;
using TlsStream = asio::ssl::stream<Socket&>;

constexpr Duration kAcceptPause = std::chrono::milliseconds{100};
constexpr std::size_t kPieceBytes = 16384;
constexpr std::size_t kRefused_max = 512;  // at once: what waits in the kernel's queue
constexpr std::string_view kFailed = "an HTTP connection has failed";

}  // namespace

// What runs on the server's thread.
class HttpServer::Loop {
public:
    // Throws where the system has no descriptors left for it.
    Loop(Router router, const Clock& clock, Logger logger, std::unique_ptr<ServerTls> tls);
    Loop(const Loop&) = delete;
    Loop& operator=(const Loop&) = delete;
    ~Loop();

    // Takes the listening socket; false: it couldn't, and the socket is closed.
    bool listen(int listener);
    // Until end() is called, from another thread.
    void run();
    void end();

    const Router& router() const noexcept { return router_; }
    const Clock& clock() const noexcept { return clock_; }
    void forget(const Peer& peer);
    // A peer has left or become idle.
    void room_made();

private:
    // What a newcomer does while all are busy.
    enum class IfFull : std::uint8_t { waits, is_refused };

    void await_peers();
    void accept_peers(IfFull newcomer);
    void admit(int socket);
    std::shared_ptr<Peer> longest_idle() const;
    void hold_newcomers();
    void await_room();

    asio::io_context io_{1};
    asio::posix::stream_descriptor listener_;
    asio::steady_timer accept_again_;
    asio::steady_timer room_timer_;
    bool newcomers_wait_ = false;
    Instant wait_until_{};  // while they do
    const Router router_;
    const Clock& clock_;
    const Logger logger_;
    const std::unique_ptr<ServerTls> tls_;
    std::vector<std::shared_ptr<Peer>> peers_;
};

// A connection with its socket: carries bytes between the two, one read and one write at a time,
// and wakes the connection at its deadline.
class HttpServer::Peer : public std::enable_shared_from_this<Peer> {
public:
    Peer(Socket socket, const TlsContext& context, Loop& loop)
        : socket_(std::move(socket)),
          loop_(loop),
          timer_(socket_.get_executor()),
          connection_(loop.router(), loop.clock()),
          used_(loop.clock().now()) {
        if (!context) return;
        ::SSL* const session = ::SSL_new(context.get());
        if (session == nullptr) throw std::bad_alloc();
        tls_.emplace(socket_, session);
    }

    void start() {
        if (!tls_) return go_on();
        // Idle until its first byte comes; then the handshake has its time.
        wait_until(connection_.deadline());
        socket_.async_wait(Socket::wait_read, [self = shared_from_this()](error_code error) {
            if (!error) self->shake_hands();
        });
    }

    bool idle() const noexcept {
        return waits_for_tls() || (secure_ != Secure::shaking_hands && connection_.idle());
    }
    // Something has come that is not read yet, so it is idle no more.
    bool has_sent() const noexcept {
        error_code error;
        return socket_.available(error) > 0 && !error;
    }
    Instant used() const noexcept { return used_; }

    void close() {
        if (closed_) return;
        closed_ = true;
        timer_.cancel();
        error_code ignored;
        socket_.close(ignored);
        loop_.forget(*this);  // the last reference may be the caller's
    }

private:
    enum class Secure : std::uint8_t { no, shaking_hands, yes, over };
    using State = HttpConnection::State;

    bool waits_for_tls() const noexcept { return tls_ && secure_ == Secure::no; }

    void shake_hands() {
        secure_ = Secure::shaking_hands;
        used_ = loop_.clock().now();
        wait_until(used_ + kHandshake_max);
        tls_->async_handshake(asio::ssl::stream_base::server,
                              [self = shared_from_this()](error_code error) {
                                  if (error) return self->close();
                                  self->secure_ = Secure::yes;
                                  self->go_on();
                              });
    }

    // Whatever has happened: does what is next.
    void go_on() {
        if (closed_) return;
        const bool over = connection_.state() == State::done;
        if (over && (secure_ != Secure::yes || writing_)) return close();
        write_some();
        if ((over || connection_.state() == State::lingering) && !ending_) end_sending();
        read_some();
        wait_until(ending_ ? ends_by_ : connection_.deadline());
        if (idle()) loop_.room_made();
    }

    void read_some() {
        // While TLS ends it is TLS that reads, for the peer's word that it has ended, too.
        if (reading_ || !connection_.wants_input() || (ending_ && secure_ == Secure::yes)) return;
        reading_ = true;
        auto handler = [self = shared_from_this()](error_code error, std::size_t bytes) {
            self->reading_ = false;
            self->has_read(error, bytes);
        };
        secure_ == Secure::yes ? tls_->async_read_some(asio::buffer(in_), std::move(handler))
                               : socket_.async_read_some(asio::buffer(in_), std::move(handler));
    }

    void has_read(error_code error, std::size_t bytes) {
        if (closed_) return;
        if (bytes > 0) {
            used_ = loop_.clock().now();
            connection_.received({in_.data(), bytes});
        }
        if (error == asio::error::eof || error == asio::ssl::error::stream_truncated) {
            connection_.peer_ended();
        } else if (error) {
            return close();
        }
        go_on();
    }

    // Sends a copy: the connection's own may move when more requests are answered meanwhile.
    void write_some() {
        const auto output = connection_.output();
        if (writing_ || output.empty()) return;
        writing_ = true;
        out_ = output.substr(0, kPieceBytes);
        auto handler = [self = shared_from_this()](error_code error, std::size_t bytes) {
            self->writing_ = false;
            self->has_written(error, bytes);
        };
        tls_ ? tls_->async_write_some(asio::buffer(out_), std::move(handler))
             : socket_.async_write_some(asio::buffer(out_), std::move(handler));
    }

    void has_written(error_code error, std::size_t bytes) {
        if (closed_) return;
        if (error) return close();
        used_ = loop_.clock().now();
        connection_.sent(bytes);
        go_on();
    }

    void end_sending() {
        ending_ = true;
        ends_by_ = loop_.clock().now() + HttpConnection::kLinger_max;
        if (secure_ != Secure::yes) return shut();
        tls_->async_shutdown([self = shared_from_this()](error_code) {
            // Whatever the peer made of it.
            if (self->closed_) return;
            self->secure_ = Secure::over;
            self->shut();
            self->go_on();
        });
    }

    void shut() {
        error_code ignored;
        socket_.shutdown(Socket::shutdown_send, ignored);
    }

    void wait_until(Instant deadline) {
        if (deadline == waits_until_) return;
        waits_until_ = deadline;
        timer_.expires_after(std::max(deadline - loop_.clock().now(), Duration{0}));
        timer_.async_wait([self = shared_from_this()](error_code error) {
            if (!error && !self->closed_) self->timed_out();
        });
    }

    void timed_out() {
        const Instant deadline = std::exchange(waits_until_, Instant{});
        if (loop_.clock().now() < deadline) return wait_until(deadline);  // it has moved
        if (ending_ || secure_ == Secure::shaking_hands || waits_for_tls()) return close();
        connection_.timed_out();
        go_on();
    }

    Socket socket_;
    Loop& loop_;
    asio::steady_timer timer_;
    std::optional<TlsStream> tls_;
    Secure secure_ = Secure::no;  // of a connection with TLS
    HttpConnection connection_;
    Instant used_;  // something happened on the socket
    Instant waits_until_{};
    Instant ends_by_{};  // once our sending side ends
    bool reading_ = false;
    bool writing_ = false;
    bool ending_ = false;  // our sending side
    bool closed_ = false;
    std::array<char, kPieceBytes> in_;
    std::string out_;
};

HttpServer::Loop::Loop(Router router, const Clock& clock, Logger logger,
                       std::unique_ptr<ServerTls> tls)
    : listener_(io_),
      accept_again_(io_),
      room_timer_(io_),
      router_(std::move(router)),
      clock_(clock),
      logger_(std::move(logger)),
      tls_(std::move(tls)) {}

bool HttpServer::Loop::listen(int listener) {
    error_code error;
    listener_.assign(listener, error);
    if (error) {
        ::close(listener);
        return false;
    }
    await_peers();
    return true;
}

HttpServer::Loop::~Loop() {
    while (!peers_.empty()) peers_.back()->close();
}

void HttpServer::Loop::run() {
    for (;;) {
        try {
            io_.run();
            return;
        } catch (const std::exception& error) {  // out of memory: what it met goes without
            logger_.warning(kFailed, {{"what", error.what()}});
        }
    }
}

void HttpServer::Loop::end() {
    asio::post(io_, [this] { io_.stop(); });
}

void HttpServer::Loop::forget(const Peer& peer) {
    std::erase_if(peers_, [&](const auto& one) { return one.get() == &peer; });
    room_made();
}

void HttpServer::Loop::room_made() {
    if (!std::exchange(newcomers_wait_, false)) return;
    room_timer_.cancel();
    await_peers();
}

void HttpServer::Loop::await_peers() {
    listener_.async_wait(asio::posix::stream_descriptor::wait_read, [this](error_code error) {
        if (!error) accept_peers(IfFull::waits);
    });
}

// Somebody waits in the kernel's queue.
void HttpServer::Loop::accept_peers(IfFull newcomer) {
    // A bounded number at a time, so that who is already here gets his turn.
    const std::size_t at_once = newcomer == IfFull::waits ? kConnections_max : kRefused_max;
    for (std::size_t i = 0; i < at_once; ++i) {
        if (newcomer == IfFull::waits && peers_.size() >= kConnections_max && !longest_idle()) {
            if (i == 0) return hold_newcomers();
            break;  // whether another waits is not known
        }
        const int socket =
            ::accept4(listener_.native_handle(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (socket >= 0) {
            try {
                admit(socket);
            } catch (const std::exception& error) {
                logger_.warning(kFailed, {{"what", error.what()}});
            }
        } else if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM) {
            logger_.warning("no file descriptor left for an HTTP connection");
            accept_again_.expires_after(kAcceptPause);
            accept_again_.async_wait([this](error_code error) {
                if (!error) await_peers();
            });
            return;
        } else if (errno != ECONNABORTED && errno != EINTR) {
            break;
        }
    }
    await_peers();
}

void HttpServer::Loop::hold_newcomers() {
    newcomers_wait_ = true;
    wait_until_ = clock_.now() + kRoom_wait_max;
    await_room();
}

void HttpServer::Loop::await_room() {
    room_timer_.expires_after(std::max(wait_until_ - clock_.now(), Duration{0}));
    room_timer_.async_wait([this](error_code error) {
        if (error || !newcomers_wait_) return;
        if (clock_.now() < wait_until_) return await_room();
        newcomers_wait_ = false;
        accept_peers(IfFull::is_refused);
    });
}

void HttpServer::Loop::admit(int socket) {
    if (peers_.size() >= kConnections_max) {
        const auto idle = longest_idle();
        if (!idle) {
            ::close(socket);
            logger_.warning("HTTP connection refused, too many are busy");
            return;
        }
        idle->close();
    }
    Socket owned(io_);
    error_code error;
    owned.assign(asio::ip::tcp::v4(), socket, error);  // which of the two IPs is of no interest
    if (error) {
        ::close(socket);
        return;
    }
    peers_.push_back(
        std::make_shared<Peer>(std::move(owned), tls_ ? tls_->context() : nullptr, *this));
    const auto peer = peers_.back();
    peer->start();
}

// Null: none is idle.
std::shared_ptr<HttpServer::Peer> HttpServer::Loop::longest_idle() const {
    std::shared_ptr<Peer> longest;
    for (const auto& peer : peers_) {
        if (!peer->idle() || peer->has_sent()) continue;
        if (!longest || peer->used() < longest->used()) longest = peer;
    }
    return longest;
}

Result<std::unique_ptr<HttpServer>> HttpServer::start(std::string_view listen, Router router,
                                                      const Clock& clock, Logger logger,
                                                      std::unique_ptr<ServerTls> tls) {
    const auto address = parse_listen_address(listen);
    if (!address) return std::unexpected(address.error());
    const bool secure = tls != nullptr;
    const auto no_descriptor = [] {
        return std::unexpected(
            retry(Error::Category::internal, "no file descriptor left for the HTTP server"));
    };
    std::unique_ptr<Loop> loop;
    try {
        loop = std::make_unique<Loop>(std::move(router), clock, logger, std::move(tls));
    } catch (const std::exception&) {  // Asio's: epoll, eventfd or timerfd
        return no_descriptor();
    }
    const auto listener = listen_on(*address);
    if (!listener) return std::unexpected(listener.error());
    const ListenAddress bound = bound_address(*listener);
    if (!loop->listen(*listener)) return no_descriptor();
    std::unique_ptr<HttpServer> server{new HttpServer(bound, std::move(loop))};
    // The thread inherits a mask in which everything is blocked.
    sigset_t all;
    sigset_t before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    std::error_code failure;
    try {
        server->thread_ = std::thread([loop = server->loop_.get()] { loop->run(); });
    } catch (const std::system_error& error) {
        failure = error.code();
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    if (failure) {
        return std::unexpected(retry(Error::Category::internal,
                                     "no thread for the HTTP server: " + failure.message()));
    }
    logger.info("listening", {{secure ? "https" : "http", to_string(server->address_)}});
    return server;
}

HttpServer::HttpServer(ListenAddress address, std::unique_ptr<Loop> loop)
    : address_(std::move(address)), loop_(std::move(loop)) {}

HttpServer::~HttpServer() {
    if (thread_.joinable()) {
        loop_->end();
        thread_.join();
    }
}

}  // namespace pgc
