#include "server/options.h"

#include <algorithm>

#include "config/errors.h"
#include "config/settings.h"
#include "server/listen_address.h"

namespace pgc {
namespace {

constexpr Option kOptions[] = {
    {.path = "http.listen",
     .fallback = "127.0.0.1:9090",
     .help = "address of /metrics, /livez, /readyz, /healthz and /snapshots; empty for none",
     .doc = "`HOST:PORT`, with brackets around an IPv6 address; `:9090` listens on every address "
            "of the machine. Reading needs no password: whoever reaches the address can read table "
            "names and positions, but no rows. What changes something needs `http.token`."},
    {.path = "http.token",
     .kind = OptionKind::secret,
     .help = "what a request must bear that changes something; none: such are refused",
     .doc = "Sent as `Authorization: Bearer …` by whoever orders a snapshot, `pg-capture snapshot` "
            "with the same configuration for one. It travels as it is, so give it where the "
            "address is reached over loopback or a network you trust. Read anew for each request, "
            "so the file that holds it may be replaced while pg-capture runs."},
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
                .mend = "use ASCII letters, digits and signs, without spaces"});
}

void check_server(const Settings& settings, Errors& errors) {
    check_token(settings, errors);
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
                    .mend = address.error().mend});
    }
}

constexpr OptionTable kServerOptions{.section = "http",
                                     .about = "Health, metrics and orders over HTTP.",
                                     .options = kOptions,
                                     .check = check_server};

}  // namespace

const OptionTable& server_options() noexcept {
    return kServerOptions;
}

}  // namespace pgc
