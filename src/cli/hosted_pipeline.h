// One of the pipelines of this process: all that is its own. What they share, the process gives:
// the clock, the files, the log.
//
// Threads: run() has one of its own, for which the parts are made; the rest is for any.
#pragma once

#include <memory>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/file.h"
#include "cli/pipeline_spec.h"
#include "core/store.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "observe/status.h"
#include "pipeline/snapshot_requests.h"
#include "pipeline/stop_request.h"
#include "server/served_pipeline.h"

namespace pgc {

class HostedPipeline {
public:
    // All but the specification outlive it.
    HostedPipeline(std::shared_ptr<const PipelineSpec> spec, Files& files, const Clock& clock,
                   Log& log);
    HostedPipeline(const HostedPipeline&) = delete;
    HostedPipeline& operator=(const HostedPipeline&) = delete;

    // What is about to be done, as it was understood, and what is risky about it; what the server
    // has to it comes with "connected". `unread_uri` is a variable (cli/program.h), or empty.
    void introduce(std::string_view unread_uri) const;

    // Returns when it was asked to end, or with the error that stopped it. Once.
    [[nodiscard]] Result<void> run();

    StopRequest& stop() noexcept { return stop_; }
    ServedPipeline served() { return {spec_->name(), status_, metrics_, snapshot_requests_}; }
    const Logger& logger() const noexcept { return logger_; }

private:
    void log_what_stays(const PositionStore& positions) const;

    const std::shared_ptr<const PipelineSpec> spec_;
    Files& files_;
    const Clock& clock_;
    const Logger logger_;
    const Logger source_logger_;
    Metrics metrics_;
    Status status_;
    SnapshotRequests snapshot_requests_;
    StopRequest stop_;
};

}  // namespace pgc
