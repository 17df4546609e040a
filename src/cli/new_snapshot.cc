#include "cli/new_snapshot.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "cli/error_output.h"
#include "cli/instance.h"
#include "cli/snapshot_watch.h"
#include "server/snapshot_request.h"

namespace pgc {
namespace {

Result<SnapshotRequest> given_request(const CommandLine& line, std::optional<ReloadOrder> reload) {
    SnapshotRequest request{.id = line.value("id"),
                            .tables = line.arguments,
                            .where = line.value("where"),
                            .reload = std::move(reload)};
    for (const std::string_view flag : {"id", "where"}) {
        if (line.has(flag) && line.value(flag).empty()) {
            return std::unexpected(
                stop(Error::Category::configuration, fmt::format("flag --{} is empty", flag))
                    .with_hint("leave it out, or give it a value"));
        }
    }
    if (auto good = check_snapshot_request(request); !good) {
        return std::unexpected(std::move(good.error()));
    }
    return request;
}

}  // namespace

std::expected<NewSnapshot, ExitCode> request_new_snapshot(Invocation& invocation,
                                                          std::optional<ReloadOrder> reload) {
    const auto request = given_request(invocation.line, std::move(reload));
    if (!request) return std::unexpected(report_error(invocation, request.error()));
    auto program = load_program(invocation, Needs::source);
    if (!program) return std::unexpected(program.error());
    Deps& deps = invocation.deps;
    auto id = request_snapshot(program->settings, deps.files, deps.clock, *request);
    if (!id) return std::unexpected(report_instance_error(invocation, id.error()));
    return NewSnapshot{std::move(*program), std::move(*id)};
}

}  // namespace pgc
