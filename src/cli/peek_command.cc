#include "cli/peek_command.h"

#include <fmt/format.h>
#include <unistd.h>

#include <charconv>
#include <memory>
#include <optional>

#include "base/wait.h"
#include "cli/error_output.h"
#include "cli/parts.h"
#include "cli/program.h"
#include "cli/signals.h"
#include "format/options.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/quote.h"
#include "pipeline/encoder.h"
#include "sink/console/options.h"
#include "sink/console/output.h"

namespace pgc {
namespace {

constexpr std::size_t kBatch_bytes = std::size_t{1} << 20;

// Reads, encodes and writes until the limit, the end of what waits, or a signal.
class Peek {
public:
    Peek(std::unique_ptr<Source> source, PipelineParts& parts, bool tombstones,
         std::optional<std::uint64_t> limit, const Clock& clock, const StopRequest& stop)
        : source_(std::move(source)),
          parts_(parts),
          tombstones_(tombstones),
          limit_(limit),
          clock_(clock),
          stop_(stop),
          waiter_(clock) {}

    // interrupted: a signal came while a reader who stands still had not taken everything.
    Result<ExitCode> run() {
        if (auto opened = open(); !opened) return std::unexpected(std::move(opened.error()));
        while (!stop_.drain() && !enough()) {
            auto went_on = round();
            if (!went_on) return std::unexpected(std::move(went_on.error()));
            if (!*went_on) break;
        }
        if (auto written = drain(); !written) return std::unexpected(std::move(written.error()));
        return ended_early_ ? ExitCode::interrupted : ExitCode::done;
    }

private:
    bool enough() const noexcept { return limit_ && written_ >= *limit_; }

    Result<void> open() {
        for (;;) {
            auto open = source_->open();
            if (!open) return std::unexpected(std::move(open.error()));
            if (*open) break;
            if (stop_.drain()) return {};
            wait(true);
        }
        if (source_->identity().slot_is_gone) return std::unexpected(nothing_waits());
        auto format = parts_.make_format(source_->identity());
        if (!format) return std::unexpected(std::move(format.error()));
        encoder_.emplace(Encoder::Parts{std::move(*format), nullptr},
                         EncoderOptions{.tombstones = tombstones_}, pool_, probe_);
        auto sink = parts_.make_sink();
        if (!sink) return std::unexpected(std::move(sink.error()));
        sink_ = std::move(*sink);
        until_ = source_->identity().server_end;
        return source_->start(source_->identity().slot_confirmed, {});
    }

    Error nothing_waits() const {
        return stop(Error::Category::server,
                    fmt::format("there is no slot {} yet, so there are no changes to show",
                                quote_name(source_->identity().slot)))
            .with_hint(
                "pg-capture run makes the slot and what it needs at its first start; where a "
                "DBA is to make them: pg-capture init --sql");
    }

    // False when everything that was waiting at the start has been seen.
    Result<bool> round() {
        if (auto serviced = source_->service(); !serviced) {
            return std::unexpected(std::move(serviced.error()));
        }
        const std::size_t changes =
            limit_ ? std::min<std::uint64_t>(*limit_ - written_, 1000) : 1000;
        auto read = source_->read(batch_, changes, kBatch_bytes);
        if (!read) return std::unexpected(std::move(read.error()));
        if (auto put = write(); !put) return std::unexpected(std::move(put.error()));
        if (limit_ && *read == Source::Read::caught_up) wait(true);
        if (limit_) return true;
        const auto idle = source_->idle_at();
        const bool seen = reached_ >= until_ || (idle && *idle >= until_);
        if (!seen && *read == Source::Read::caught_up) wait(true);
        return !seen;
    }

    Result<void> write() {
        if (batch_.empty()) return {};
        batch_.handled_at = clock_.wall();
        encoder_->begin(batch_);
        auto encoded = encoder_->step(source_.get());
        if (!encoded) return std::unexpected(std::move(encoded.error()));
        RecordBatchPtr records = std::move(*encoded);
        written_ += records->records.size();
        if (batch_.resume_at) reached_ = batch_.resume_at;
        while (true) {
            auto offered = sink_->offer(records);
            if (!offered) return std::unexpected(std::move(offered.error()));
            if (*offered == Sink::Offer::accepted) break;
            if (auto serviced = source_->service(); !serviced) return serviced;
            if (auto room = make_room(); !room) return room;
            if (stop_.drain()) {
                ended_early_ = true;
                return {};
            }
        }
        sink_->caught_up();
        batch_.clear();
        return {};
    }

    // Nothing is confirmed, so nothing is lost: a signal ends the waiting for the reader.
    // Nothing more is read: the slot is free meanwhile, and no timer of the source wakes us.
    Result<void> drain() {
        source_.reset();
        while (sink_ && sink_->pending_bytes() > 0) {
            if (auto room = make_room(); !room) return room;
            if (stop_.drain()) break;
        }
        ended_early_ = ended_early_ || (sink_ && sink_->pending_bytes() > 0);
        return {};
    }

    // The sink writes what goes; then the reader's turn is waited for.
    Result<void> make_room() {
        const std::size_t before = sink_->pending_bytes();
        if (auto durable = sink_->durable(kStreamLane); !durable) {
            return std::unexpected(std::move(durable.error()));
        }
        if (sink_->pending_bytes() == before && !stop_.drain()) wait(false);
        return {};
    }

    void wait(bool reading) {
        wants_.clear();
        if (source_) source_->wants(wants_, reading);
        if (sink_) sink_->wants(wants_);
        wants_.readable(stop_.wake_fd());
        wants_.until(clock_.now() + std::chrono::milliseconds{200});
        waiter_.wait(wants_);
    }

    std::unique_ptr<Source> source_;
    PipelineParts& parts_;
    const bool tombstones_;
    const std::optional<std::uint64_t> limit_;
    const Clock& clock_;
    const StopRequest& stop_;
    PollWaiter waiter_;
    RecordPool pool_;  // outlives the sink, which holds batches of it
    Metrics metrics_{PGC_VERSION};
    PipelineMetrics probe_{metrics_, clock_};
    std::optional<Encoder> encoder_;
    std::unique_ptr<Sink> sink_;
    Batch batch_;
    Wants wants_;
    Lsn until_;
    Lsn reached_;
    std::uint64_t written_ = 0;
    bool ended_early_ = false;
};

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
    const PostgresConfig postgres =
        looking_only(postgres_config(program->settings, invocation.deps.files));
    ProgramParts parts(program->settings, postgres, nullptr, invocation.deps.clock, metrics,
                       log.logger("postgres"), SinkKind::console);
    auto source = parts.make_source({.may_create_slot = false, .look_only = true});
    if (!source) return report_error(invocation, source.error());
    auto seen = Peek(std::move(*source), parts, wants_tombstones(program->settings), *limit,
                     invocation.deps.clock, stop)
                    .run();
    // As `| head` does: who has seen enough needs no error.
    if (!seen && is_reader_gone(seen.error())) return ExitCode::done;
    return seen ? *seen : report_error(invocation, seen.error());
}

}  // namespace pgc
