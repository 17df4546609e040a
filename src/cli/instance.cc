#include "cli/instance.h"

#include <fmt/format.h>

#include <utility>

#include "base/wait.h"
#include "server/health_json.h"
#include "server/http_client.h"

namespace pgc {
namespace {

Error mended(Error error) {
    if (error.category == Error::Category::connection) {
        error.mend =
            "start pg-capture with this configuration, or name the address of the instance that "
            "is meant (http.listen)";
    } else {
        error.mend =
            "give pg-capture an address of its own (http.listen), and the same one to this "
            "command";
    }
    return error;
}

}  // namespace

Result<StatusSnapshot> ask_instance(const Settings& settings, const Clock& clock) {
    const std::string& listen = settings.text("http.listen");
    if (listen.empty()) {
        return std::unexpected(
            stop(Error::Category::configuration, "http.listen is empty: nobody can be asked")
                .mended_by("set http.listen, as 127.0.0.1:9090, for the instance and for this "
                           "command"));
    }
    const auto address = parse_listen_address(listen);
    if (!address) return std::unexpected(address.error());
    PollWaiter waiter(clock);
    const auto answer = http_get(*address, "/healthz", clock, waiter, kInstanceAnswer_max);
    if (!answer) return std::unexpected(mended(answer.error()));
    // 503 tells the same, of one that is not live.
    const bool known = answer->status == 200 || answer->status == 503;
    auto health = known ? read_health(answer->body)
                        : std::unexpected(stop(Error::Category::protocol,
                                               fmt::format("status {}", answer->status)));
    if (health) return health;
    return std::unexpected(mended(
        stop(Error::Category::protocol, fmt::format("what answers on {} is not pg-capture: {}",
                                                    to_string(*address), health.error().what))));
}

}  // namespace pgc
