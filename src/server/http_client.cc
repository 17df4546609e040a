#include "server/http_client.h"

#include <fmt/format.h>
#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <iterator>
#include <memory>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

namespace pgc {
namespace {

constexpr std::size_t kReadBytes = 16384;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Error nobody(const ListenAddress& at, std::string_view why) {
    return stop(Error::Category::connection,
                fmt::format("nobody answers on {}: {}", to_string(at), why));
}

// One connection to one address: connects, sends, receives.
class Request {
public:
    Request(const addrinfo& to, const Clock& clock, Waiter& waiter, Instant deadline)
        : to_(to),
          clock_(clock),
          waiter_(waiter),
          deadline_(deadline),
          socket_(::socket(to.ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)) {}
    Request(const Request&) = delete;
    Request& operator=(const Request&) = delete;
    ~Request() {
        if (socket_ >= 0) ::close(socket_);
    }

    // Why it failed, in the system's words; empty: connected.
    std::string connect() {
        if (socket_ < 0) return std::generic_category().message(errno);
        for (;;) {
            if (::connect(socket_, to_.ai_addr, to_.ai_addrlen) == 0 || errno == EISCONN) return {};
            const int error = errno;
            if (error != EINPROGRESS && error != EALREADY && error != EINTR) {
                return std::generic_category().message(error);
            }
            if (!wait(true)) return "no connection in time";
        }
    }

    std::string send(std::string_view bytes) {
        while (!bytes.empty()) {
            const ssize_t n = ::send(socket_, bytes.data(), bytes.size(), MSG_NOSIGNAL);
            if (n >= 0) {
                bytes.remove_prefix(static_cast<std::size_t>(n));
            } else if (!would_block()) {
                return std::generic_category().message(errno);
            } else if (!wait(true)) {
                return "the request was not taken in time";
            }
        }
        return {};
    }

    // The answer, or why there is none; `foreign` if that is for what was sent.
    std::expected<HttpAnswer, std::string> receive(bool& foreign) {
        std::string buffer;
        std::array<char, kReadBytes> bytes;
        for (;;) {
            const ssize_t n = ::recv(socket_, bytes.data(), bytes.size(), 0);
            if (n < 0 && !would_block()) {
                return std::unexpected(std::generic_category().message(errno));
            }
            if (n > 0) buffer.append(bytes.data(), static_cast<std::size_t>(n));
            auto parsed = parse_http_answer(buffer, n == 0);
            if (auto* answer = std::get_if<HttpAnswer>(&parsed)) return std::move(*answer);
            if (const auto* none = std::get_if<HttpNoAnswer>(&parsed)) {
                foreign = !buffer.empty();
                return std::unexpected(buffer.empty() ? "the connection was closed"
                                                      : std::string{none->why});
            }
            // Also between two pieces, so that dripping doesn't move the limit.
            if (!wait(false)) return std::unexpected("no answer in time");
        }
    }

private:
    static bool would_block() noexcept {
        return errno == EAGAIN || errno == EWOULDBLOCK || errno == EINTR;
    }

    bool wait(bool writable) {
        if (clock_.now() >= deadline_) return false;
        Wants wants;
        wants.until(deadline_);
        writable ? wants.writable(socket_) : wants.readable(socket_);
        waiter_.wait(wants);
        return true;
    }

    const addrinfo& to_;
    const Clock& clock_;
    Waiter& waiter_;
    const Instant deadline_;
    const int socket_;
};

std::expected<AddressList, std::string> resolve(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &found);
    if (error != 0) return std::unexpected(std::string{::gai_strerror(error)});
    return AddressList{found, &::freeaddrinfo};
}

// Sends one request, once, to the first address that takes a connection.
Result<HttpAnswer> exchange(const ListenAddress& at, std::string_view bytes, const Clock& clock,
                            Waiter& waiter, Duration limit) {
    const bool everywhere = at.host.empty() || at.host == "0.0.0.0" || at.host == "::";
    const auto hosts = everywhere ? std::vector<std::string>{"127.0.0.1", "::1"}
                                  : std::vector<std::string>{at.host};
    const Instant deadline = clock.now() + limit;
    std::string why = "it has no address";
    for (const std::string& host : hosts) {
        const auto list = resolve(host, at.port);
        if (!list) {
            why = list.error();
            continue;
        }
        for (const addrinfo* one = list->get(); one != nullptr; one = one->ai_next) {
            Request request(*one, clock, waiter, deadline);
            if (auto failed = request.connect(); !failed.empty()) {
                why = std::move(failed);
                continue;
            }
            why = request.send(bytes);
            if (!why.empty()) return std::unexpected(nobody(at, why));
            bool foreign = false;
            auto answer = request.receive(foreign);
            if (answer) return std::move(*answer);
            if (!foreign) return std::unexpected(nobody(at, answer.error()));
            return std::unexpected(stop(Error::Category::protocol,
                                        fmt::format("what answers on {} is not pg-capture: {}",
                                                    to_string(at), answer.error())));
        }
    }
    return std::unexpected(nobody(at, why));
}

std::string head_line(std::string_view method, std::string_view path, const ListenAddress& at) {
    return fmt::format("{} {} HTTP/1.1\r\nHost: {}\r\nConnection: close\r\n", method, path,
                       to_string(at));
}

}  // namespace

Result<HttpAnswer> http_get(const ListenAddress& at, std::string_view path, const Clock& clock,
                            Waiter& waiter, Duration limit) {
    return exchange(at, head_line("GET", path, at) + "\r\n", clock, waiter, limit);
}

Result<HttpAnswer> http_post(const ListenAddress& at, const HttpPost& post, const Clock& clock,
                             Waiter& waiter, Duration limit) {
    std::string bytes = head_line("POST", post.path, at);
    for (const auto& [name, value] : post.headers) {
        fmt::format_to(std::back_inserter(bytes), "{}: {}\r\n", name, value);
    }
    fmt::format_to(std::back_inserter(bytes), "Content-Length: {}\r\n\r\n{}", post.body.size(),
                   post.body);
    return exchange(at, bytes, clock, waiter, limit);
}

}  // namespace pgc
