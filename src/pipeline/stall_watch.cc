#include "pipeline/stall_watch.h"

#include <fmt/format.h>

#include <string_view>
#include <utility>

#include "observe/status_line.h"

namespace pgc {
namespace {

// In the order in which they are named where several stand still: what waits for another one, too,
// comes after it.
constexpr std::array kOrder{WaitsOn::sink, WaitsOn::format, WaitsOn::store, WaitsOn::source};

std::int64_t milliseconds(Duration time) {
    return std::chrono::duration_cast<std::chrono::milliseconds>(time).count();
}

std::string_view hint_of(WaitsOn on) noexcept {
    switch (on) {
        case WaitsOn::nothing: break;
        case WaitsOn::sink:
            return "nothing is lost, and PostgreSQL keeps its log meanwhile (pg-capture lag): "
                   "pg-capture check says what is wrong with the sink";
        case WaitsOn::format:
            return "nothing is lost, and PostgreSQL keeps its log meanwhile (pg-capture lag): can "
                   "the schema registry be reached?";
        case WaitsOn::store:
            return "nothing is lost, but the slot is not confirmed until the position is stored: "
                   "is the disk full or stuck, can the topic be written?";
        case WaitsOn::source:
            return "nothing further is stored until that is known: the warnings about the standby "
                   "say what stands in the way";
    }
    return {};
}

constexpr std::string_view kHintOfSilence =
    "the server works through a large transaction, or waits for somebody: SELECT state, "
    "wait_event_type, wait_event FROM pg_stat_activity WHERE backend_type = 'walsender'";

std::string words_of(const SourceSilence& silence) {
    std::string text = fmt::format(
        "PostgreSQL: it answers, but has sent nothing for {} while its log went on by {}",
        readable_time(silence.lasted), readable_bytes(silence.log_bytes));
    if (!silence.busy_with.empty()) text += "; it waits for " + silence.busy_with;
    return text;
}

}  // namespace

void StallWatch::note_marks(const Obstacles& obstacles, Instant now) {
    for (std::size_t i = 0; i < Obstacles::kPlaces; ++i) {
        const auto& mark = obstacles.marks_[i];
        if (!mark || mark != before_.marks_[i]) stands_since_[i] = now;
    }
    before_ = obstacles;
}

std::optional<StallWatch::Stall> StallWatch::blocked_by(const Seen& seen, Instant now) const {
    for (const WaitsOn on : kOrder) {
        const Instant since = stands_since_[Obstacles::place(on)];
        if (seen.obstacles.mark(on) && now - since >= kBlocked_after) return Stall{on, since};
    }
    if (seen.silence && seen.silence->answers && seen.silence->lasted >= kSilence_max) {
        return Stall{WaitsOn::source, now + -seen.silence->lasted};
    }
    return std::nullopt;
}

void StallWatch::look(const Seen& seen, const Words& words, Instant now) {
    note_marks(seen.obstacles, now);
    if (!seen.idle) {
        idle_since_.reset();
    } else if (!idle_since_) {
        idle_since_ = now;
    }
    if (!seen.streams) {
        if (!stalled()) move_to(StreamState::none, now);
        return;
    }
    if (const auto stall = blocked_by(seen, now)) return block(*stall, seen, words, now);
    if (stalled() && !seen.moves) return;
    const bool idle = idle_since_ && now - *idle_since_ >= kIdle_after;
    move_to(idle ? StreamState::idle : StreamState::working, now);
}

void StallWatch::block(const Stall& stall, const Seen& seen, const Words& words, Instant now) {
    const bool of_server = stall.on == WaitsOn::source && !seen.obstacles.mark(WaitsOn::source);
    const bool known = condition_.state == StreamState::blocked && condition_.waits_on == stall.on;
    condition_ = {.state = StreamState::blocked,
                  .since = known ? condition_.since : stall.since,
                  .waits_on = stall.on,
                  .waits_for = of_server ? words_of(*seen.silence) : words(stall.on)};
    if (known) return;
    logger_.warning("the stream is blocked",
                    {{"by", name(stall.on)},
                     {"for_ms", milliseconds(now - stall.since)},
                     {"waits_for", condition_.waits_for},
                     {"hint", of_server ? kHintOfSilence : hint_of(stall.on)}});
}

void StallWatch::dead(const SourceSilence& silence, Instant now) {
    if (condition_.state == StreamState::dead) return;
    condition_ = {.state = StreamState::dead,
                  .since = now + -silence.lasted,
                  .waits_on = WaitsOn::source,
                  .waits_for = "PostgreSQL: its walsender does not answer"};
    logger_.warning("the stream is dead: the walsender does not answer",
                    {{"for_ms", milliseconds(silence.lasted)},
                     {"log_went_on_by_bytes", silence.log_bytes},
                     {"walsender_waits_for", silence.busy_with},
                     {"hint", "nothing is lost: the connection is made again"}});
}

void StallWatch::move_to(StreamState state, Instant now) {
    if (condition_.state == state) return;
    const StreamCondition before =
        std::exchange(condition_, {.state = state, .since = now, .waits_for = {}});
    if (before.state == StreamState::blocked || before.state == StreamState::dead) {
        logger_.info("the stream moves again", {{"was", name(before.state)},
                                                {"by", name(before.waits_on)},
                                                {"for_ms", milliseconds(now - before.since)}});
    } else {
        logger_.debug("the stream's state", {{"state", name(state)}});
    }
}

}  // namespace pgc
