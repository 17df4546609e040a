#include "pgclient/connection.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/local_address.h"

namespace pgc {

namespace {

bool may_be_plain(SslMode mode) noexcept {
    switch (mode) {
        case SslMode::disable:
        case SslMode::allow:
        case SslMode::prefer: return true;
        case SslMode::require:
        case SslMode::verify_ca:
        case SslMode::verify_full: return false;
    }
    return true;
}

}  // namespace

std::string to_string(const PostgresHost& host) {
    if (host.is_socket()) return host.name;
    const bool v6 = host.name.find(':') != std::string::npos;
    return v6 ? fmt::format("[{}]:{}", host.name, host.port)
              : fmt::format("{}:{}", host.name, host.port);
}

bool ConnectionConfig::plain_text_to_others() const noexcept {
    if (!may_be_plain(kSslModes.find(ssl_mode).value_or(SslMode::disable))) return false;
    return std::ranges::any_of(hosts, [](const PostgresHost& host) {
        return !host.is_socket() && !is_this_machine(host.name);
    });
}

}  // namespace pgc
