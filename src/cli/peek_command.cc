#include "cli/peek_command.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>

#include "base/wait.h"
#include "cli/error_output.h"
#include "cli/parts.h"
#include "cli/peek.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/console/output.h"

namespace pgc {
namespace {

std::expected<std::optional<std::uint64_t>, ExitCode> parse_limit(Invocation& invocation) {
    const std::string text = invocation.line.value("limit");
    if (text.empty()) return std::nullopt;
    std::uint64_t limit = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
    if (error != std::errc{} || end != text.data() + text.size() || limit == 0) {
        return std::unexpected(report_usage_error(
            invocation.deps, "flag --limit: " + text + " is not a number of messages"));
    }
    return limit;
}

// The configured pipeline, but that it only looks and shows what it sees: as JSON, for whose
// schemas no registry is asked, where they would be registered.
PipelineSpec spec_of_peek(const Settings& settings, Files& files) {
    PipelineSpec spec = pipeline_spec(settings, files);
    spec.postgres = looking_only(std::move(spec.postgres));
    spec.sink = SinkKind::console;
    spec.kafka.reset();
    spec.encoding = FormatEncoding::json;
    spec.registry.reset();
    spec.debezium.nested_arrays = !spec.debezium.schemas;
    return spec;
}

}  // namespace

ExitCode run_peek(Invocation& invocation) {
    const auto limit = parse_limit(invocation);
    if (!limit) return limit.error();
    auto program = load_program(invocation, Needs::source);
    if (!program) return program.error();
    DescriptorLines lines(STDERR_FILENO);
    program->logs.levels.level = std::max(program->logs.levels.level, LogLevel::warning);
    Log log(program->logs, lines, invocation.deps.clock);
    Metrics metrics(PGC_VERSION);
    StopRequest stop;
    const Signals signals(stop);
    const auto spec = std::make_shared<const PipelineSpec>(
        spec_of_peek(program->settings, invocation.deps.files));
    ProgramParts parts(spec, invocation.deps.clock, metrics, log.logger("postgres"));
    PollWaiter waiter(invocation.deps.clock);
    auto seen = Peek({.parts = parts,
                      .flow = spec->options.flow,
                      .clock = invocation.deps.clock,
                      .waiter = waiter,
                      .metrics = metrics,
                      .stop = stop},
                     *limit)
                    .run();
    // As `| head` does: who has seen enough needs no error.
    if (!seen && is_reader_gone(seen.error())) return ExitCode::done;
    return seen ? *seen : report_error(invocation, seen.error());
}

}  // namespace pgc
