// How a server is reached and convinced, as it was configured (connection_options.h).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/words.h"
#include "config/settings.h"

namespace pgc {

// The words of postgres.ssl_mode, which are libpq's.
enum class SslMode : std::uint8_t { disable, allow, prefer, require, verify_ca, verify_full };
inline constexpr auto kSslModes = words_for<SslMode>({{"disable", SslMode::disable},
                                                      {"allow", SslMode::allow},
                                                      {"prefer", SslMode::prefer},
                                                      {"require", SslMode::require},
                                                      {"verify-ca", SslMode::verify_ca},
                                                      {"verify-full", SslMode::verify_full}});

struct PostgresHost {
    std::string name;  // a host name, an address, or the directory of a Unix socket
    std::uint16_t port = 5432;

    bool is_socket() const noexcept { return name.starts_with('/') || name.starts_with('@'); }
};

// "db:5432", "[::1]:5432"; of a socket its path.
std::string to_string(const PostgresHost& host);

// How a server is reached and convinced. No option of libpq that is not named here can
// be set: not by the user, not by its own variables and files (libpq_link.h).
struct ConnectionConfig {
    std::vector<PostgresHost> hosts;
    std::string target_session_attrs = "any";
    std::string database;
    std::string username;
    SecretSource password;  // asked again at each connect
    std::string ssl_mode = "disable";
    std::string ssl_root_cert;  // a file or "system"
    std::string ssl_cert;
    std::string ssl_key;
    SecretSource ssl_key_password;  // may be unset
    std::string ssl_crl;
    std::string channel_binding = "prefer";
    std::string require_auth;  // empty: any method
    Duration connect_timeout{0};
    bool read_only = false;  // the server refuses these sessions every write

    // Some host may be another machine and the traffic to it is not surely encrypted.
    bool plain_text_to_others() const noexcept;
};

}  // namespace pgc
