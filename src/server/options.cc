#include "server/options.h"

#include <algorithm>

#include "config/errors.h"
#include "config/settings.h"
#include "http/listen_address.h"

namespace pgc {
namespace {

constexpr Option kOptions[] = {
    {.path = "http.listen",
     .fallback = "127.0.0.1:9090",
     .help = "address of /metrics, /livez, /readyz, /healthz and /snapshots; empty for none",
     .doc = "`HOST:PORT`, with brackets around an IPv6 address; `:9090` listens on every address "
            "of the machine. Reading needs no password: whoever reaches the address can read table "
            "names and positions, but no rows. What changes something needs `http.token`."},
    {.path = "http.allowed_hosts",
     .kind = OptionKind::list,
     .help = "names with a dot by which the HTTP server may be asked",
     .doc = "A web page can make its reader's browser ask a server on the reader's machine or "
            "network, by a name whose address it changes (DNS rebinding). So a request is answered "
            "only when its `Host` header is an address, `localhost`, a name without a dot, the "
            "host of `http.listen`, or one of these; others get 421. Give what scrapers and "
            "proxies call it, as `metrics.example.com`; `*` allows every name."},
    {.path = "http.token",
     .kind = OptionKind::secret,
     .help = "token of requests that change something; without one they are refused",
     .doc = "Sent as `Authorization: Bearer …` by whoever requests a snapshot, `pg-capture "
            "snapshot` with the same configuration for one. Without TLS it travels as it is, so "
            "give it where the address is reached over loopback or a network you trust. Read again "
            "for each request, so the file that holds it may be replaced while pg-capture runs."},
    {.path = "http.tls_cert",
     .help = "file of the HTTP server's certificate; with it the server speaks https",
     .doc = "PEM: the server's own certificate first, then those that signed it. TLS 1.2 and 1.3. "
            "Certificate and key may be replaced while pg-capture runs: new connections get the "
            "new ones. The commands that ask a running instance read the same file, and talk only "
            "to whoever has the key of the certificate in it, whatever name it is for."},
    {.path = "http.tls_key",
     .help = "file of its private key, readable by pg-capture's user alone",
     .doc = "PEM, without a passphrase."},
};

void check_token(const Settings& settings, Errors& errors) {
    constexpr std::string_view path = "http.token";
    if (settings.broken(path)) return;
    const std::string& token = settings.secret(path).reveal();
    if (std::ranges::all_of(token, [](char c) { return c > ' ' && c < 0x7F; })) return;
    errors.add({.where = settings.origin(path).text,
                .key = std::string{path},
                .reason = "holds what can't stand in an HTTP header",
                .nearest = {},
                .hint = "use ASCII letters, digits and signs, without spaces"});
}

void check_allowed_hosts(const Settings& settings, Errors& errors) {
    constexpr std::string_view path = "http.allowed_hosts";
    if (settings.broken(path)) return;
    for (const std::string& name : settings.list(path)) {
        if (!name.empty() && name.find_first_of(" \t/:@") == std::string::npos) continue;
        errors.add({.where = settings.origin(path).text,
                    .key = std::string{path},
                    .reason = "each must be a host name, without scheme and port",
                    .nearest = {},
                    .hint = "write it as metrics.example.com"});
        return;
    }
}

void check_tls(const Settings& settings, Errors& errors) {
    if (settings.text("http.tls_cert").empty() == settings.text("http.tls_key").empty()) return;
    errors.contradiction(settings, {"http.tls_cert", "http.tls_key"},
                         "a certificate and its key go together", "give both or neither");
}

void check_server(const Settings& settings, Errors& errors) {
    check_token(settings, errors);
    check_allowed_hosts(settings, errors);
    check_tls(settings, errors);
    constexpr std::string_view path = "http.listen";
    const std::string& listen = settings.text(path);
    if (settings.broken(path) || listen.empty()) {
        return;
    }
    if (const auto address = parse_listen_address(listen); !address) {
        errors.add({.where = settings.origin(path).text,
                    .key = std::string{path},
                    .reason = address.error().what,
                    .nearest = {},
                    .hint = address.error().hint});
    }
}

constexpr OptionTable kServerOptions{.section = "http",
                                     .about = "Health, metrics and snapshot requests over HTTP.",
                                     .options = kOptions,
                                     .check = check_server};

}  // namespace

const OptionTable& server_options() noexcept {
    return kServerOptions;
}

}  // namespace pgc
