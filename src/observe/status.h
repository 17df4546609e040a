// How a pipeline is doing, told by the pipeline, asked by the HTTP server and the status
// line.
//
// States:  starting ─▶ connecting ─▶ streaming ─▶ draining ─▶ stopped
//                          ▲             │ error that may pass
//                          └── waiting ◀─┘             any ─▶ failed
//
//   live   its loop still turns: it told so within kSilence_max, and did not fail.
//          Whoever asks may restart the process when it is not.
//   ready  it streams.
//
// Threads: any; every call takes one short lock, so call it per batch or per round of the
// loop, never per row.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"

namespace pgc {

enum class PipelineState : std::uint8_t {
    starting,
    connecting,
    streaming,
    waiting,   // for the next attempt after an error
    draining,  // asked to end: what was taken is made durable
    stopped,
    failed,  // gave up: somebody has to mend something
};
std::string_view name(PipelineState state) noexcept;

struct PipelineProgress {
    std::uint64_t changes = 0;  // taken from the server since the start
    Lsn received{};
    Lsn confirmed{};
    Lsn server_end{};  // of the server's log, as it last told
    Duration lag{0};   // as cdc_replication_lag_seconds
    std::uint64_t buffer_bytes = 0;

    std::uint64_t behind_bytes() const noexcept {
        return server_end > confirmed ? server_end.value - confirmed.value : 0;
    }
};

struct StatusSnapshot {
    std::string pipeline;
    PipelineState state{};
    Duration in_state{0};  // for how long
    PipelineProgress progress;
    std::string last_error;  // describe() of it; empty when there was none
    WallTime last_error_at;
    bool live = false;
    bool ready = false;
    std::string not_live_because;  // a sentence; empty when live
};

class Status {
public:
    // The pipeline's loop turns at least once in this time, whatever it waits for.
    static constexpr Duration kSilence_max = std::chrono::seconds{60};

    Status(std::string pipeline, const Clock& clock);
    Status(const Status&) = delete;
    Status& operator=(const Status&) = delete;

    // Each of these also says that the loop turns.
    void enter(PipelineState state);
    void failed_with(const Error& error);  // remembered until another one; no change of state
    void progressed(const PipelineProgress& progress);
    void turned();

    StatusSnapshot snapshot() const;

private:
    const std::string pipeline_;
    const Clock& clock_;

    mutable std::mutex mutex_;
    // Protected by mutex_.
    PipelineState state_ = PipelineState::starting;
    Instant entered_;
    Instant turned_;
    PipelineProgress progress_;
    std::string last_error_;
    WallTime last_error_at_;
};

}  // namespace pgc
