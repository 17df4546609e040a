#include "cli/peek.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pgclient/quote.h"

namespace pgc {
namespace {

constexpr Duration kLook_again = std::chrono::milliseconds{200};

Error nothing_waits(const SourceIdentity& identity) {
    return stop(Error::Category::server,
                fmt::format("there is no slot {} yet, so there are no changes to show",
                            quote_name(identity.slot)))
        .with_hint(
            "pg-capture run makes the slot and what it needs at its first start; where a "
            "DBA is to make them: pg-capture init --sql");
}

void add_wants(const Source& source, Wants& wants) {
    source.wants(wants, true);
}
void add_wants(const Sink& sink, Wants& wants) {
    sink.wants(wants);
}

}  // namespace

Peek::Peek(Deps deps, std::optional<std::uint64_t> limit)
    : deps_(std::move(deps)), limit_(limit), metrics_(deps_.metrics, deps_.clock) {}

Result<ExitCode> Peek::run() {
    for (int attempts = 1;; ++attempts) {
        auto shown = attempt();
        const bool again = !shown && shown.error().next == Error::Next::restart;
        if (!again || attempts == kAttempts_max) return shown;
    }
}

Result<ExitCode> Peek::attempt() {
    const auto opened = open();
    if (!opened) return std::unexpected(opened.error());
    if (!*opened) return ExitCode::done;
    auto read = read_what_waits();
    auto written = write_what_was_read();
    from_ = flow_->confirmable();
    written_before_ += flow_->sent_records();
    flow_.reset();
    if (!read) return std::unexpected(std::move(read.error()));
    return written;
}

// False when a signal came first.
Result<bool> Peek::open() {
    const auto slots = std::make_shared<RelationSlots>();
    auto made =
        deps_.parts.make_source({.may_create_slot = false, .slots = slots, .look_only = true});
    if (!made) return std::unexpected(std::move(made.error()));
    auto source = std::make_unique<UnconfirmedSource>(std::move(*made));
    if (auto opened = wait_until_open(*source); !opened || !*opened) return opened;
    const SourceIdentity& identity = source->identity();
    if (identity.slot_is_gone) return std::unexpected(nothing_waits(identity));
    if (!until_) until_ = identity.server_end;
    from_ = std::max(from_, identity.slot_confirmed);
    auto transforms = deps_.parts.make_transforms(slots);
    if (!transforms) return std::unexpected(std::move(transforms.error()));
    auto format = deps_.parts.make_format(identity);
    if (!format) return std::unexpected(std::move(format.error()));
    auto sink = deps_.parts.make_sink();
    if (!sink) return std::unexpected(std::move(sink.error()));
    if (auto opened = wait_until_open(**sink); !opened || !*opened) return opened;
    source->recall({});
    if (auto started = source->start(from_, {}); !started) {
        return std::unexpected(std::move(started.error()));
    }
    source_ = source.get();
    flow_ = std::make_unique<Flow>(Flow::Parts{.source = std::move(source),
                                               .transforms = std::move(*transforms),
                                               .encoder = {std::move(*format), nullptr},
                                               .sink = std::move(*sink)},
                                   ResumePoint{from_}, deps_.flow, deps_.clock, pool_, metrics_);
    return true;
}

template <typename Part>
Result<bool> Peek::wait_until_open(Part& part) {
    for (;;) {
        auto opened = part.open();
        if (!opened || *opened || deps_.stop.drain()) return opened;
        wants_.clear();
        add_wants(part, wants_);
        wait(kLook_again);
    }
}

Result<void> Peek::read_what_waits() {
    while (!deps_.stop.drain() && (!limit_ || written() < *limit_)) {
        if (limit_) source_->allow(*limit_ - written());
        const auto more = flow_->round();
        if (!more) return std::unexpected(more.error());
        if (!limit_ && source_->has_read(*until_)) break;
        if (*more) continue;
        wants_.clear();
        flow_->wants(wants_);
        wait(kLook_again);
    }
    return {};
}

// Nothing more is read: the slot is free meanwhile, and no timer of the source wakes us.
// Nothing is confirmed, so nothing is lost: a signal ends the waiting for the reader.
Result<ExitCode> Peek::write_what_was_read() {
    source_ = nullptr;
    flow_->stop_reading();
    while (flow_->can_settle()) {
        if (auto done = flow_->settle(); !done) return std::unexpected(std::move(done.error()));
        if (flow_->settled()) break;
        if (deps_.stop.drain()) return ExitCode::interrupted;
        wants_.clear();
        flow_->wants(wants_);
        wait(std::nullopt);
    }
    return ExitCode::done;
}

void Peek::wait(std::optional<Duration> at_most) {
    wants_.readable(deps_.stop.wake_fd());
    if (at_most) wants_.until(deps_.clock.now() + *at_most);
    deps_.waiter.wait(wants_);
}

}  // namespace pgc
