// The options of the engine, and what they result in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "config/option.h"
#include "config/settings.h"
#include "core/snapshot.h"
#include "pipeline/checkpoint.h"
#include "pipeline/flow.h"

namespace pgc {

extern const OptionTable kPipelineOptions;     // name
extern const OptionTable kStateOptions;        // state.*
extern const OptionTable kReplicationOptions;  // replication.*
extern const OptionTable kMemoryOptions;       // memory.*

struct PipelineOptions {
    std::string name;
    Duration checkpoint_interval = std::chrono::seconds{10};  // between confirmations
    // How soon what is durable is stored (pipeline/checkpoint.h).
    Duration store_every = Checkpoint::kStore_every;
    std::uint64_t store_records = Checkpoint::kRecords;
    // The loop turns at least this often while it streams; all else is driven by events.
    Duration poll_interval = std::chrono::milliseconds{100};
    FlowOptions flow;
    SnapshotMode snapshot = SnapshotMode::never;
    // Ends by itself once everything that committed before is durable; none: never.
    Lsn until{};
};

// A pipeline without a name of its own is called like its slot.
PipelineOptions pipeline_options(const Settings& settings, std::string_view slot);

// replication.checkpoint_file, or {state.dir}/{name}.position.
std::string position_path(const Settings& settings, std::string_view pipeline);

// {state.dir}/{name}.spill, the folder of transactions that are not committed yet.
std::string spill_path(const Settings& settings, std::string_view pipeline);
// state.spill_limit: bytes in there. 0: none.
std::uint64_t spill_limit(const Settings& settings);

// What changes on their way may take, whatever the sink: memory.budget_bytes, or where that is not
// given kafka.buffer_memory, as it was called at first. Requires both to be declared.
std::size_t memory_budget(const Settings& settings);

// replication.keepalive_interval_secs, for the source.
Duration keepalive_interval(const Settings& settings);

}  // namespace pgc
