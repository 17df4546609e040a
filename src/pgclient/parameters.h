// The parameters libpq is given: all that matter, each of them explicitly.
#pragma once

#include <span>
#include <string>
#include <utility>
#include <vector>

#include "base/secret.h"
#include "pgclient/address_lookup.h"
#include "pgclient/connection.h"
#include "pgclient/link.h"

namespace pgc {

struct Credentials {
    Secret password;
    Secret ssl_key_password;
};

// A file that is not there, whatever anybody does.
inline constexpr const char* kNoFile = "/dev/null/none";

// Secrets are passed by pointer beside these.
using Parameters = std::vector<std::pair<const char*, std::string>>;

Parameters connection_parameters(const ConnectionConfig& config, const AddressList& addresses,
                                 const std::string& application_name, LinkFactory::Use use);

// "-c datestyle=ISO -c …": session.h as start-up options. With `read_only` no transaction of
// the session may write.
std::string session_options(bool read_only = false);

// What has to be set once the server's version and encoding are known; empty if nothing.
std::string late_session_settings(int server_version, const std::string& server_encoding,
                                  LinkFactory::Use use);

// The variables that libpq reads, for main to take out of the process's environment. Ours, PG_*,
// are not among them.
std::span<const char* const> libpq_variables() noexcept;

}  // namespace pgc
