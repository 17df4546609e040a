// Which hosts are this very machine: what goes there crosses no network.
#pragma once

#include <optional>
#include <string_view>

namespace pgc {

// "localhost", an address of 127.0.0.0/8, ::1, and 127.0.0.0/8 as ::ffff:…; an IPv6 address may
// stand in brackets. A name that only looks like an address ("127.evil.com", "127.1") is another
// host: whose it is, a resolver somewhere decides.
bool is_this_machine(std::string_view host) noexcept;

// An IPv4 or IPv6 address, this in brackets or not; no name.
bool is_address(std::string_view host) noexcept;

// The host of "scheme://host:port/path", without brackets; nothing if there is none.
std::optional<std::string_view> host_of_url(std::string_view url) noexcept;

// "host:port", "host", "[::1]:port", "::1": the host without brackets. Empty for what is none of
// these: in brackets stands an IPv6 address, after them or the host nothing or a port.
std::string_view host_of_authority(std::string_view authority) noexcept;

}  // namespace pgc
