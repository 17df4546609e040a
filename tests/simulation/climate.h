// What one seed's world is like: how the engine is configured, what happens, how often things go
// wrong.
#pragma once

#include <cstdint>

#include "base/random.h"
#include "pipeline/options.h"
#include "postgres/options.h"
#include "simulation/destination.h"
#include "simulation/fake_log.h"
#include "simulation/files.h"
#include "simulation/kafka.h"
#include "simulation/registry_twin.h"
#include "simulation/server.h"
#include "simulation/session.h"

namespace pgc::sim {

struct Climate {
    PipelineOptions pipeline;
    SinkHabits sink;
    KafkaHabits kafka;
    Workload workload;
    Duration troubled{0};  // faults happen until then
    unsigned cuts = 0, server_crashes = 0, checkpoints = 0, promotions = 0, stops = 0,
             wall_jumps = 0, full_disks = 0;
    std::uint64_t life_steps = 0;  // how long we live at most, in steps; 0: we don't crash
    bool loss = false;
    bool slot_from_others = false;
    unsigned holes = 0;
    int version = 150018;
    bool local = false;
    bool has_publication = true;
    bool standby = false;  // is followed, and its promotion ends no connection
    bool binary = true;
    bool reselects = false;
    std::uint32_t filtered = kTables;
    unsigned shutdowns = 0;
    bool creates_lost_slot = false;
    bool in_topic = false;  // the position, else in a file
    LogHabits log;
    unsigned log_outages = 0;
    bool to_kafka = false;  // by the real sink, else to a sink made for this
    ReadHabits reading;
    SnapshotConfig snapshot;
    unsigned requests = 0, lost_snapshots = 0;
    unsigned kafka_outages = 0, topic_deletions = 0;
    Duration tables_refresh{0};
    bool streams = false;  // transactions may be streamed before their commit
    std::uint64_t spill_limit = 0;
    std::size_t spill_room = ~std::size_t{0};
    bool two_phase = false;  // prepared ones are taken when they are prepared
    bool two = false;        // instances of us, at one slot
    unsigned takeovers = 0;
    unsigned disk_fills_at = 0;  // the write; 0: none
    bool sealed = false;         // the sink keeps the position and commits it with the records
    // By the real sink, which does so in the topic of positions.
    bool exactly_once() const noexcept { return kafka.transactions; }
    bool refuses = false;       // the format refuses rows of `filtered`, which are skipped for that
    bool drops = false;         // a transform leaves them out
    unsigned format_waits = 0;  // in percent, of each batch
    Duration format_waits_max{0};
    RegistryHabits registry;
    FileHabits files;  // where they are there, that sink which seals is the one that writes files
};

// `real`: with the postgres room, which alone can read what was there before.
Climate climate_of(Random& random, bool real);

PostgresConfig postgres_config(const Climate& climate);

}  // namespace pgc::sim
