// How a pipeline is doing, reported by the pipeline, asked by the HTTP server and the status
// line.
//
// States:  starting ─▶ connecting ─▶ streaming ─▶ draining ─▶ stopped
//                          ▲             │ error that may pass
//                          └── waiting ◀─┘             any ─▶ failed
//
//   live   its loop still runs: it reported within kSilence_max, and did not fail.
//          Whoever asks may restart the process when it is not.
//   ready  it streams.
//
// Lag is unknown, not zero, while nothing is read from the server.
//
// Rate and latency are those of the last kLately: Status keeps what was reported once a
// second for so long.
//
// Threads: any; every call takes one short lock, so call it per batch or per round of the
// loop, never per row.
#pragma once

#include <cstdint>
#include <deque>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "observe/instruments.h"

namespace pgc {

enum class PipelineState : std::uint8_t {
    starting,
    connecting,
    streaming,
    waiting,   // for the next attempt after an error
    draining,  // asked to end: what was taken is made durable
    stopped,
    failed,  // gave up: somebody has to fix something
};
std::string_view name(PipelineState state) noexcept;

enum class SinkState : std::uint8_t {
    closed,   // no stream, so no sink
    ready,    // takes what comes
    full,     // reading waits until it has made some of it durable
    waiting,  // it can't go on: StatusSnapshot::waits_for says for what
};
std::string_view name(SinkState state) noexcept;

// What keeps a pipeline from going on.
enum class WaitsOn : std::uint8_t {
    nothing,
    source,  // PostgreSQL
    sink,
    format,  // a schema registry
    store,   // of the position
};
std::string_view name(WaitsOn what) noexcept;

// Whether a stream moves. What decides it: pipeline/stall_watch.h.
enum class StreamState : std::uint8_t {
    none,     // there is no stream
    idle,     // there is nothing to send
    working,  // or it is not known yet that it is not
    blocked,  // nothing has moved for long, though there is something to send
    dead,     // the server does not answer: the connection is given up
};
std::string_view name(StreamState state) noexcept;

struct StreamCondition {
    StreamState state = StreamState::none;
    Instant since{};
    WaitsOn waits_on = WaitsOn::nothing;  // of one that is blocked or dead
    std::string waits_for{};
};

// The snapshots under way, all together. An estimate stands in for what is not known yet.
struct SnapshotBrief {
    std::uint64_t tables = 0;  // 0: not known yet
    std::uint64_t tables_done = 0;
    std::uint64_t rows = 0;
    std::uint64_t rows_expected = 0;    // an estimate
    std::uint64_t rows_per_second = 0;  // lately
};

struct PipelineProgress {
    std::uint64_t changes = 0;  // taken from the server since the start
    Lsn received{};
    Lsn confirmed{};
    Lsn server_end{};  // of the server's WAL, as it last reported
    // As cdc_replication_lag_seconds; none: unknown, because nothing is read from the server.
    std::optional<Duration> lag{};
    std::uint64_t buffer_bytes = 0;
    SinkState sink = SinkState::closed;
    std::string sink_waits_for{};                               // Sink::waits_for()
    std::string format_waits_for{};                             // Format::waits_for()
    std::vector<std::pair<std::string, std::string>> tables{};  // Sink::table_modes()
    std::optional<SnapshotBrief> snapshot{};                    // none: none is under way

    // None: unknown, as the lag.
    std::optional<std::uint64_t> behind_bytes() const noexcept {
        if (!lag) return std::nullopt;
        return server_end > confirmed ? server_end.value - confirmed.value : 0;
    }
};

// What does not change while the process lives.
struct StatusAbout {
    std::string pipeline;
    std::string version{};
    std::string sink{};  // its kind: "kafka"
    std::uint64_t buffer_limit_bytes = 0;
};

struct StatusSnapshot {
    StatusAbout about;
    Duration uptime{0};
    PipelineState state{};
    WallTime since;        // in this state
    Duration in_state{0};  // for how long
    WaitsOn waits_on = WaitsOn::nothing;
    std::string waits_for;
    StreamState stream = StreamState::none;
    Duration stream_for{0};      // in that state
    std::uint64_t attempts = 0;  // in a row that failed
    PipelineProgress progress;
    double changes_per_second = 0;
    struct Latency {  // from the commit to the sink's confirmation
        Duration p50{0};
        Duration p99{0};
    };
    std::optional<Latency> latency;  // none when nothing was confirmed lately
    std::optional<Error> last_error;
    WallTime last_error_at;
    bool live = false;
    bool ready = false;
    std::string not_live_because;  // a sentence; empty when live
};

class Status {
public:
    // The pipeline's loop turns at least once in this time, whatever it waits for.
    static constexpr Duration kSilence_max = std::chrono::seconds{60};
    static constexpr Duration kLately = std::chrono::seconds{10};

    // The clock and the histogram, of which there may be none, outlive this.
    Status(StatusAbout about, const Clock& clock, const Histogram* latency = nullptr);
    Status(std::string pipeline, const Clock& clock)
        : Status(StatusAbout{.pipeline = std::move(pipeline)}, clock) {}
    Status(const Status&) = delete;
    Status& operator=(const Status&) = delete;

    // Each of these also says that the loop turns.
    void enter(PipelineState state);
    void waits_for(WaitsOn on, std::string_view what);  // until another state is entered
    void attempts(std::uint64_t failed_in_a_row);
    void failed_with(const Error& error);  // remembered until another one; no change of state
    void progressed(const PipelineProgress& progress);
    void stream_is(const StreamCondition& condition);
    void turned();

    StatusSnapshot snapshot() const;

private:
    struct Sample {
        Instant at;
        std::uint64_t changes = 0;
        HistogramCounts latency{};
    };

    void take_sample(Instant now);
    void add_recent(StatusSnapshot& shot, Instant now) const;

    const StatusAbout about_;
    const Clock& clock_;
    const Histogram* const latency_;
    const Instant born_;

    mutable std::mutex mutex_;
    // Protected by mutex_.
    PipelineState state_ = PipelineState::starting;
    Instant entered_;
    Instant turned_;
    WaitsOn waits_on_ = WaitsOn::nothing;
    std::string waits_for_;
    std::uint64_t attempts_ = 0;
    PipelineProgress progress_;
    StreamCondition stream_;
    std::deque<Sample> samples_;  // a second apart or more; the last kLately of them
    std::optional<Error> last_error_;
    WallTime last_error_at_;
};

}  // namespace pgc
