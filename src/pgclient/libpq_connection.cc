#include "pgclient/libpq_connection.h"

#include <utility>
#include <vector>

namespace pgc {

Result<Credentials> read_credentials(const ConnectionConfig& config) {
    Credentials credentials;
    const auto read = [](const SecretSource& source, Secret& secret) -> Result<void> {
        if (!source) return {};
        auto now = source();
        if (!now) return std::unexpected(std::move(now.error()));
        secret = std::move(*now);
        return {};
    };
    if (auto got = read(config.password, credentials.password); !got) {
        return std::unexpected(std::move(got.error()));
    }
    if (auto got = read(config.ssl_key_password, credentials.ssl_key_password); !got) {
        return std::unexpected(std::move(got.error()));
    }
    return credentials;
}

LibpqConnection begin_libpq_connection(const Parameters& parameters, const Credentials& credentials,
                                       bool has_ssl_key) {
    std::vector<const char*> names;
    std::vector<const char*> values;
    const auto add = [&](const char* name, const char* value) {
        names.push_back(name);
        values.push_back(value);
    };
    for (const auto& [name, value] : parameters) add(name, value.c_str());
    if (!credentials.password.empty()) add("password", credentials.password.reveal().c_str());
    if (has_ssl_key) {
        // Given in any case: without one OpenSSL would ask the terminal.
        const bool none = credentials.ssl_key_password.empty();
        add("sslpassword", none ? "none" : credentials.ssl_key_password.reveal().c_str());
    }
    add(nullptr, nullptr);
    return LibpqConnection{PQconnectStartParams(names.data(), values.data(), 0)};
}

}  // namespace pgc
