// Distinguishes a stream that has nothing to do from one that can't go on, and says so once.
//
//   idle     everything that was read is durable, and there is nothing more. Changes that no
//            publication has don't come; they move the server's keepalives, and that is idle, too
//   working  something is under way, or was a moment ago
//   blocked  something is there to be done, and what has to do it has let nothing through for long:
//            the sink, the format, the store of the position; or the server, which answers and
//            sends nothing of a log that grows: it works through a large transaction, or waits for
//            others
//   dead     the server does not answer when it is asked; the source has given up the connection
//
// Each that may block has a mark, which changes whenever it lets something through, and a clock of
// its own: a slow one is no obstacle, and one that stands still is found though others move.
//
// Blocked and dead outlast the end of an attempt: they are over when a stream moves again. One line
// is logged when it stalls, and one when that is over; idle and working only where debugging.
//
// Pure, but for the log. Threads: one, the pipeline's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "base/clock.h"
#include "core/source.h"
#include "observe/log.h"
#include "observe/status.h"

namespace pgc {

class StallWatch {
public:
    static constexpr Duration kBlocked_after = std::chrono::seconds{10};
    // Of a server that answers, and is likely to work on.
    static constexpr Duration kSilence_max = std::chrono::seconds{60};
    static constexpr Duration kIdle_after = std::chrono::seconds{1};

    explicit StallWatch(Logger logger) : logger_(std::move(logger)) {}

    // What has something to do and may keep all waiting: for each of WaitsOn its mark.
    class Obstacles {
    public:
        void add(WaitsOn on, std::uint64_t mark) { marks_[place(on)] = mark; }
        std::optional<std::uint64_t> mark(WaitsOn on) const { return marks_[place(on)]; }

    private:
        friend class StallWatch;
        static constexpr std::size_t kPlaces = 5;
        static std::size_t place(WaitsOn on) noexcept { return static_cast<std::size_t>(on); }

        std::array<std::optional<std::uint64_t>, kPlaces> marks_;
    };
    struct Seen {
        bool streams = false;  // there is a stream
        bool moves = false;    // and it has shown that it lives
        bool idle = false;     // nothing is under way
        Obstacles obstacles{};
        std::optional<SourceSilence> silence{};
    };
    // What one that blocks waits for, in the words of `status`.
    using Words = std::function<std::string(WaitsOn)>;

    void look(const Seen& seen, const Words& words, Instant now);
    // The source has given up because the server did not answer.
    void dead(const SourceSilence& silence, Instant now);

    const StreamCondition& condition() const noexcept { return condition_; }

private:
    struct Stall {
        WaitsOn on = WaitsOn::nothing;
        Instant since;
    };
    void note_marks(const Obstacles& obstacles, Instant now);
    std::optional<Stall> blocked_by(const Seen& seen, Instant now) const;
    void block(const Stall& stall, const Seen& seen, const Words& words, Instant now);
    void move_to(StreamState state, Instant now);
    bool stalled() const noexcept {
        return condition_.state == StreamState::blocked || condition_.state == StreamState::dead;
    }

    const Logger logger_;
    StreamCondition condition_;
    Obstacles before_;
    std::array<Instant, Obstacles::kPlaces> stands_since_{};
    std::optional<Instant> idle_since_;
};

}  // namespace pgc
