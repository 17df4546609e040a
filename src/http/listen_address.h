// "127.0.0.1:9090", "[::1]:9090", "localhost:9090"; ":9090" is every address of the machine.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pgc {

struct ListenAddress {
    std::string host;  // without brackets; empty for every address
    std::uint16_t port = 0;
    bool operator==(const ListenAddress&) const = default;
};

// Requires a port; 0 is any that is free.
Result<ListenAddress> parse_listen_address(std::string_view text);
std::string to_string(const ListenAddress& address);

// A listening, non-blocking socket, which the caller closes. May ask the resolver.
Result<int> listen_on(const ListenAddress& address);

// Where a socket is bound.
ListenAddress bound_address(int socket);

}  // namespace pgc
