#include "server/options.h"

#include "config/errors.h"
#include "config/settings.h"
#include "server/listen_address.h"

namespace pgc {
namespace {

constexpr Option kOptions[] = {
    {.path = "http.listen",
     .fallback = "127.0.0.1:9090",
     .help = "address of /metrics, /livez, /readyz and /healthz; empty for none",
     .doc = "`HOST:PORT`, with brackets around an IPv6 address; `:9090` listens on every address "
            "of the machine. There is no password: whoever reaches the address can read table "
            "names and positions, but no rows, and can change nothing."},
};

void check_server(const Settings& settings, Errors& errors) {
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
                                     .about = "Health and metrics over HTTP.",
                                     .options = kOptions,
                                     .check = check_server};

}  // namespace

const OptionTable& server_options() noexcept {
    return kServerOptions;
}

}  // namespace pgc
