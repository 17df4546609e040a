// Shows what waits in the slot: a pipeline's flow into any sink, with a source that never confirms.
//
// Filters, formats, errors and a reader who is slow are the flow's business, as in `run`. What is
// its own: it ends, and it begins again only where a source or format asks for that (values as
// text), after what was shown already.
//
// Threads: one.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "cli/exit_code.h"
#include "cli/unconfirmed_source.h"
#include "core/record.h"
#include "observe/metrics.h"
#include "pipeline/flow.h"
#include "pipeline/parts.h"
#include "pipeline/pipeline_metrics.h"
#include "pipeline/stop_request.h"

namespace pgc {

class Peek {
public:
    // All outlive it.
    struct Deps {
        PipelineParts& parts;
        FlowOptions flow;
        const Clock& clock;
        Waiter& waiter;
        Metrics& metrics;
        const StopRequest& stop;
    };
    // How often the source or format may ask to begin again.
    static constexpr int kAttempts_max = 5;

    // Ends after `limit` messages, and waits for them; without a limit after all that the server
    // had written when we came.
    Peek(Deps deps, std::optional<std::uint64_t> limit);

    // Until the end, or a signal. `interrupted`: the signal came before the reader had taken
    // everything. After an error, too, what was read before is shown. Once.
    [[nodiscard]] Result<ExitCode> run();

private:
    Result<ExitCode> attempt();
    Result<bool> open();
    template <typename Part>
    Result<bool> wait_until_open(Part& part);
    Result<void> read_what_waits();
    Result<ExitCode> write_what_was_read();
    void wait(std::optional<Duration> at_most);
    std::uint64_t written() const { return written_before_ + flow_->sent_records(); }

    const Deps deps_;
    const std::optional<std::uint64_t> limit_;
    PipelineMetrics metrics_;
    RecordPool pool_;  // outlives the flow, whose sink holds batches of it
    std::unique_ptr<Flow> flow_;
    UnconfirmedSource* source_ = nullptr;  // the flow's, until it stops reading
    std::optional<Lsn> until_;             // the end, without a limit
    Lsn from_;
    std::uint64_t written_before_ = 0;  // in earlier attempts
    Wants wants_;
};

}  // namespace pgc
