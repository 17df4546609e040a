#include "base/local_address.h"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <ranges>

#include "base/ascii.h"

namespace pgc {
namespace {

// Either's bytes, an IPv4 one as ::ffff:a.b.c.d.
struct Address {
    std::array<unsigned char, 16> bytes{};
};
constexpr std::array<unsigned char, 12> kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF};

std::optional<Address> parse(std::string_view host) noexcept {
    if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
    std::array<char, INET6_ADDRSTRLEN> text{};
    if (host.size() >= text.size() || host.contains('\0')) return std::nullopt;
    std::ranges::copy(host, text.begin());
    Address address;
    if (::inet_pton(AF_INET6, text.data(), address.bytes.data()) == 1) return address;
    std::ranges::copy(kMapped, address.bytes.begin());
    if (::inet_pton(AF_INET, text.data(), address.bytes.data() + kMapped.size()) == 1) {
        return address;
    }
    return std::nullopt;
}

// ":9090", or nothing at all.
bool is_port(std::string_view text) noexcept {
    if (text.empty()) return true;
    return text.starts_with(':') && std::ranges::all_of(text.substr(1), is_digit);
}

bool is_localhost(std::string_view name) noexcept {
    constexpr std::string_view kName = "localhost";
    if (name.ends_with('.')) name.remove_suffix(1);
    return std::ranges::equal(name, kName, [](char a, char b) {
        return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
    });
}

}  // namespace

bool is_this_machine(std::string_view host) noexcept {
    if (is_localhost(host)) return true;
    const auto address = parse(host);
    if (!address) return false;
    const auto& bytes = address->bytes;
    const bool v4 = std::ranges::equal(kMapped, bytes | std::views::take(kMapped.size()));
    if (v4) return bytes[kMapped.size()] == 127;
    return std::ranges::all_of(bytes | std::views::take(15), [](auto b) { return b == 0; }) &&
           bytes[15] == 1;
}

bool is_address(std::string_view host) noexcept {
    return parse(host).has_value();
}

std::string_view host_of_authority(std::string_view authority) noexcept {
    if (authority.starts_with('[')) {
        const auto end = authority.find(']');
        if (end == std::string_view::npos) return {};
        const auto rest = authority.substr(end + 1);
        const auto host = authority.substr(1, end - 1);
        return host.contains(':') && is_port(rest) ? host : std::string_view{};
    }
    const auto colon = authority.find(':');
    // More than one: an IPv6 address without brackets, and so without a port.
    if (colon != authority.rfind(':')) return authority;
    if (colon == std::string_view::npos) return authority;
    return is_port(authority.substr(colon)) ? authority.substr(0, colon) : std::string_view{};
}

std::optional<std::string_view> host_of_url(std::string_view url) noexcept {
    const auto scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::nullopt;
    auto authority = url.substr(scheme + 3);
    authority = authority.substr(0, authority.find_first_of("/?#"));
    if (const auto user = authority.rfind('@'); user != std::string_view::npos) {
        authority = authority.substr(user + 1);
    }
    const auto host = host_of_authority(authority);
    if (host.empty()) return std::nullopt;
    return host;
}

}  // namespace pgc
