#include "pgclient/connection_options.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/words.h"
#include "config/errors.h"

namespace pgc {

namespace {

// The words are libpq's.
enum class ChannelBinding : std::uint8_t { disable, prefer, require };
constexpr auto kChannelBindings = words_for<ChannelBinding>({{"disable", ChannelBinding::disable},
                                                             {"prefer", ChannelBinding::prefer},
                                                             {"require", ChannelBinding::require}});

constexpr Option kOptions[] = {
    {.path = "postgres.host",
     .fallback = "localhost",
     .variable = "PG_HOST",
     .customary = "PGHOST",
     .help = "server to follow: a name, an address or a socket directory; several with commas",
     .doc = "Several hosts are tried in turn until one accepts (see `target_session_attrs`). "
            "A host may carry its own port: `db1:5433,[::1]:5434`."},
    {.path = "postgres.port",
     .kind = OptionKind::integer,
     .fallback = "5432",
     .variable = "PG_PORT",
     .customary = "PGPORT",
     .help = "port of the hosts that name none",
     .min = 1,
     .max = 65535},
    {.path = "postgres.target_session_attrs",
     .kind = OptionKind::choice,
     .fallback = "any",
     .help = "which of several hosts is acceptable",
     .words = "any|read-write|read-only|primary|standby|prefer-standby"},
    {.path = "postgres.database",
     .required = true,
     .variable = "PG_DATABASE",
     .customary = "PGDATABASE",
     .help = "database whose changes are captured",
     .example = "shop"},
    {.path = "postgres.username",
     .required = true,
     .variable = "PG_USERNAME",
     .customary = "PGUSER",
     .help = "role to log in as; needs REPLICATION",
     .example = "cdc"},
    {.path = "postgres.password",
     .kind = OptionKind::secret,
     .required = true,
     .variable = "PG_PASSWORD",
     .customary = "PGPASSWORD",
     .help = "password of the role; may be empty where the server asks for none",
     .doc = "Read again at each connect, so a rotated password in a file is picked up."},
    {.path = "postgres.ssl_mode",
     .kind = OptionKind::choice,
     .fallback = "disable",
     .variable = "PG_SSL_MODE",
     .customary = "PGSSLMODE",
     .help = "TLS: whether it is used, and what is checked",
     .doc = "`require` encrypts but trusts any server; `verify-ca` wants a certificate signed by "
            "`ssl_root_cert`; `verify-full` wants the host's name in it too. Plain text to another "
            "machine is warned about.",
     .words = kSslModes.all()},
    {.path = "postgres.ssl_root_cert",
     .fallback_note = "system with verify-full",
     .customary = "PGSSLROOTCERT",
     .help = "file of trusted authorities, or system for the machine's own",
     .doc = "`system` is possible with `verify-full` only."},
    {.path = "postgres.ssl_cert", .help = "file of our client certificate"},
    {.path = "postgres.ssl_key", .help = "file of its private key, mode 600"},
    {.path = "postgres.ssl_key_password",
     .kind = OptionKind::secret,
     .help = "passphrase of the private key"},
    {.path = "postgres.ssl_crl", .help = "file of revoked certificates"},
    {.path = "postgres.channel_binding",
     .kind = OptionKind::choice,
     .fallback = "prefer",
     .help = "SCRAM channel binding to the TLS connection (server 11 and later)",
     .words = kChannelBindings.all()},
    {.path = "postgres.require_auth",
     .fallback_note = "any method",
     .help = "authentication methods the server may ask for, with commas: scram-sha-256",
     .doc = "Of password, md5, gss, sspi, scram-sha-256 and none; with ! before each: all but "
            "these."},
    {.path = "postgres.connect_timeout_secs",
     .kind = OptionKind::seconds,
     .fallback = "30",
     .variable = "PG_CONNECT_TIMEOUT_SECS",
     .help = "how long one attempt to connect may take, all hosts together",
     .min = 1,
     .max = 3600},
};

// "name", "name:port", "[::1]:port", "/directory"
std::optional<PostgresHost> parse_host(std::string_view text, std::uint16_t port) {
    PostgresHost host{std::string{text}, port};
    if (text.empty() || text.find_first_of(" \t,'\\") != std::string_view::npos)
        return std::nullopt;
    if (host.is_socket()) return host;
    std::string_view rest;
    if (text.starts_with('[')) {
        const auto end = text.find(']');
        if (end == std::string_view::npos) return std::nullopt;
        host.name = text.substr(1, end - 1);
        rest = text.substr(end + 1);
    } else if (std::ranges::count(text, ':') == 1) {
        host.name = text.substr(0, text.find(':'));
        rest = text.substr(text.find(':'));
    }
    if (host.name.empty()) return std::nullopt;
    if (rest.empty()) return host;
    const auto digits = rest.substr(1);
    const auto [end, error] =
        std::from_chars(digits.data(), digits.data() + digits.size(), host.port);
    if (rest[0] != ':' || error != std::errc{} || end != digits.data() + digits.size() ||
        host.port == 0) {
        return std::nullopt;
    }
    return host;
}

std::vector<std::string_view> split(std::string_view text, char by) {
    std::vector<std::string_view> parts;
    while (true) {
        const auto end = text.find(by);
        auto part = text.substr(0, end);
        while (part.starts_with(' ')) part.remove_prefix(1);
        while (part.ends_with(' ')) part.remove_suffix(1);
        parts.push_back(part);
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

void check_tls(const Settings& settings, Errors& errors) {
    const auto mode = settings.choice("postgres.ssl_mode", kSslModes);
    const std::string& root = settings.text("postgres.ssl_root_cert");
    if (root == "system" && mode != SslMode::verify_full) {
        errors.contradiction(settings, {"postgres.ssl_root_cert", "postgres.ssl_mode"},
                             "the machine's authorities sign certificates for anybody",
                             "set postgres.ssl_mode to verify-full, or name your own authority");
    }
    if (mode == SslMode::verify_ca && root.empty()) {
        errors.contradiction(settings, {"postgres.ssl_mode", "postgres.ssl_root_cert"},
                             "verify-ca needs the authority to verify with",
                             "name its file in postgres.ssl_root_cert");
    }
    if (settings.text("postgres.ssl_cert").empty() != settings.text("postgres.ssl_key").empty()) {
        errors.contradiction(settings, {"postgres.ssl_cert", "postgres.ssl_key"},
                             "a certificate and its key go together", "give both or neither");
    }
    const auto binding = settings.choice("postgres.channel_binding", kChannelBindings);
    if (binding == ChannelBinding::require && mode == SslMode::disable) {
        errors.contradiction(settings, {"postgres.channel_binding", "postgres.ssl_mode"},
                             "channel binding needs TLS", "set postgres.ssl_mode to verify-full");
    }
}

void check_connection(const Settings& settings, Errors& errors) {
    if (!settings.broken("postgres.host")) {
        for (const auto text : split(settings.text("postgres.host"), ',')) {
            if (parse_host(text, 1)) continue;
            errors.add({settings.origin("postgres.host").text,
                        "postgres.host",
                        "each must be a name, an address or a directory, with :port if you like",
                        {},
                        {}});
            break;
        }
    }
    check_tls(settings, errors);
}

}  // namespace

const OptionTable kPostgresConnectionOptions{.section = "postgres",
                                             .about = "The server to follow, and how to log in.",
                                             .options = kOptions,
                                             .check = check_connection};

ConnectionConfig connection_config(const Settings& settings, Files& files) {
    ConnectionConfig c;
    const auto port = static_cast<std::uint16_t>(settings.integer("postgres.port"));
    for (const auto text : split(settings.text("postgres.host"), ',')) {
        if (auto host = parse_host(text, port)) c.hosts.push_back(std::move(*host));
    }
    c.target_session_attrs = settings.word("postgres.target_session_attrs");
    c.database = settings.text("postgres.database");
    c.username = settings.text("postgres.username");
    c.password = settings.secret_source("postgres.password", files);
    c.ssl_mode = settings.word("postgres.ssl_mode");
    c.ssl_root_cert = settings.text("postgres.ssl_root_cert");
    if (settings.choice("postgres.ssl_mode", kSslModes) == SslMode::verify_full &&
        c.ssl_root_cert.empty())
        c.ssl_root_cert = "system";
    c.ssl_cert = settings.text("postgres.ssl_cert");
    c.ssl_key = settings.text("postgres.ssl_key");
    if (settings.given("postgres.ssl_key_password")) {
        c.ssl_key_password = settings.secret_source("postgres.ssl_key_password", files);
    }
    c.ssl_crl = settings.text("postgres.ssl_crl");
    c.channel_binding = settings.word("postgres.channel_binding");
    c.require_auth = settings.text("postgres.require_auth");
    c.connect_timeout = settings.duration("postgres.connect_timeout_secs");
    return c;
}

}  // namespace pgc
