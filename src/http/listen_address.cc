#include "http/listen_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netdb.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <memory>
#include <span>
#include <system_error>
#include <utility>

namespace pgc {
namespace {

constexpr std::string_view kHint = "write HOST:PORT, as in 127.0.0.1:9090, [::1]:9090 or :9090";
constexpr int kBacklog = 512;

using AddressList = std::unique_ptr<addrinfo, decltype(&::freeaddrinfo)>;

Result<AddressList> resolve(const std::string& host, std::uint16_t port) {
    addrinfo hints{};
    hints.ai_family = AF_UNSPEC;
    hints.ai_socktype = SOCK_STREAM;
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    addrinfo* found = nullptr;
    const int error = ::getaddrinfo(host.c_str(), fmt::format("{}", port).c_str(), &hints, &found);
    if (error != 0) {
        return std::unexpected(
            stop(Error::Category::configuration,
                 fmt::format("no address for \"{}\": {}", host, ::gai_strerror(error))));
    }
    return AddressList{found, &::freeaddrinfo};
}

// The socket, or -1 and errno.
int listen_on(const addrinfo& one) {
    const int fd = ::socket(one.ai_family, one.ai_socktype | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return -1;
    }
    const int on = 1;
    const int off = 0;
    (void)::setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
    if (one.ai_family == AF_INET6) {
        (void)::setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &off, sizeof off);
    }
    if (::bind(fd, one.ai_addr, one.ai_addrlen) != 0 || ::listen(fd, kBacklog) != 0) {
        const int error = errno;
        ::close(fd);
        errno = error;
        return -1;
    }
    return fd;
}

Error refused(const ListenAddress& address, int error) {
    auto failure = stop(Error::Category::configuration,
                        fmt::format("can't listen on {}: {}", to_string(address),
                                    std::generic_category().message(error)));
    if (error == EADDRINUSE) {
        return std::move(failure).with_hint(
            "end the program that has the port, or give another one (http.listen)");
    }
    if (error == EACCES) {
        return std::move(failure).with_hint("take a port above 1023 (http.listen)");
    }
    return std::move(failure).with_hint("give an address of this machine (http.listen)");
}

}  // namespace

Result<ListenAddress> parse_listen_address(std::string_view text) {
    const auto wrong = [](std::string what) {
        return std::unexpected(
            stop(Error::Category::configuration, std::move(what)).with_hint(std::string{kHint}));
    };
    const auto colon = text.rfind(':');
    if (colon == std::string_view::npos) {
        return wrong("there is no port");
    }
    auto host = text.substr(0, colon);
    const auto digits = text.substr(colon + 1);
    if (host.starts_with('[') && host.ends_with(']')) {
        host = host.substr(1, host.size() - 2);
    } else if (host.find_first_of("[]:") != std::string_view::npos) {
        return wrong("an IPv6 address stands in brackets");
    }
    if (host.find_first_of(" \t/@") != std::string_view::npos ||
        host.find('\0') != std::string_view::npos) {
        return wrong("this is not a host name");
    }
    ListenAddress address{std::string{host}, 0};
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    if (error != std::errc{} || end != digits.data() + digits.size()) {
        return wrong("the port is not a number from 0 to 65535");
    }
    return address;
}

std::string to_string(const ListenAddress& address) {
    const bool brackets = address.host.find(':') != std::string::npos;
    return fmt::format("{}{}{}:{}", brackets ? "[" : "", address.host, brackets ? "]" : "",
                       address.port);
}

Result<int> listen_on(const ListenAddress& address) {
    // Every address: both families in one socket, or IPv4 where there is no IPv6.
    const std::array every{std::string{"::"}, std::string{"0.0.0.0"}};
    const std::array named{address.host};
    const auto hosts = address.host.empty() ? std::span<const std::string>{every}
                                            : std::span<const std::string>{named};
    int error = 0;
    for (const std::string& host : hosts) {
        const auto list = resolve(host, address.port);
        if (!list) {
            return std::unexpected(list.error());
        }
        for (const addrinfo* one = list->get(); one != nullptr; one = one->ai_next) {
            if (const int fd = listen_on(*one); fd >= 0) {
                return fd;
            }
            error = errno;
        }
        if (error == EADDRINUSE) {
            break;
        }
    }
    return std::unexpected(refused(address, error));
}

ListenAddress bound_address(int socket) {
    sockaddr_storage storage{};
    socklen_t length = sizeof storage;
    auto* any = reinterpret_cast<sockaddr*>(&storage);
    std::array<char, NI_MAXHOST> host{};
    std::array<char, NI_MAXSERV> port{};
    if (::getsockname(socket, any, &length) != 0 ||
        ::getnameinfo(any, length, host.data(), host.size(), port.data(), port.size(),
                      NI_NUMERICHOST | NI_NUMERICSERV) != 0) {
        return {};
    }
    ListenAddress address{host.data(), 0};
    const std::string_view digits{port.data()};
    std::from_chars(digits.data(), digits.data() + digits.size(), address.port);
    return address;
}

}  // namespace pgc
