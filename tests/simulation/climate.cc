#include "simulation/climate.h"

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "simulation/catalog.h"

namespace pgc::sim {

using namespace std::chrono_literals;

namespace {

// Rows are there already, and are read.
void add_snapshots(Climate& climate, Random& random) {
    constexpr std::array modes{
        SnapshotMode::initial, SnapshotMode::initial,     SnapshotMode::initial,
        SnapshotMode::initial, SnapshotMode::when_needed, SnapshotMode::when_needed,
        SnapshotMode::always,  SnapshotMode::never,       SnapshotMode::only};
    climate.pipeline.snapshot = modes[random.below(modes.size())];
    climate.workload.rows_before = random.chance(90) ? 1 + random.below(120) : 0;
    climate.workload.hang = random.chance(70) ? 5 + static_cast<unsigned>(random.below(40)) : 0;
    climate.workload.hang_max = 1ms * (1 + random.below(random.chance(20) ? 30'000 : 1000));
    climate.workload.rewrites = random.chance(40) ? 5 : 0;
    climate.snapshot.readers = 1 + random.below(3);
    climate.snapshot.chunk_rows = 2 + random.below(random.chance(20) ? 100 : 9);
    climate.snapshot.share = 20 + random.below(81);
    climate.snapshot.hold_max = 1ms * (1 + random.below(random.chance(50) ? 50 : 60'000));
    climate.snapshot.rows_per_second = random.chance(20) ? 20 + random.below(500) : 0;
    const bool requests = climate.pipeline.snapshot == SnapshotMode::never || random.chance(40);
    climate.requests = requests ? 1 + static_cast<unsigned>(random.below(4)) : 0;
    climate.lost_snapshots = random.chance(30) ? 1 + static_cast<unsigned>(random.below(3)) : 0;
    ReadHabits& reading = climate.reading;
    reading.refused = random.chance(20) ? 20 : 0;
    reading.cut = random.chance(40) ? 1 + static_cast<unsigned>(random.below(20)) : 0;
    reading.altered = random.chance(30) ? 10 : 0;
    reading.timeouts = random.chance(30) ? 10 : 0;
    reading.timeouts_are_late = random.chance(50);
    reading.row_max = 1ms * random.below(random.chance(20) ? 500 : 20);
    reading.bytes = random.below(random.chance(30) ? 60'000'000 : 20'000);
    reading.pages = static_cast<std::uint32_t>(random.below(12));
}

// Of us, at one slot, with one store. What only one of them would meet is left out: a loss told
// to one is none of the other's, and who has read everything ends by himself.
void add_second_instance(Climate& climate, Random& random) {
    climate.two = true;
    climate.takeovers = static_cast<unsigned>(random.below(6));
    if (random.chance(70)) {  // changes come while the successor streams
        climate.workload.pause_max = 1ms * (200 + random.below(2000));
    }
    climate.troubled =
        climate.workload.pause_max / 2 * static_cast<int>(climate.workload.transactions) +
        1s * random.below(40);
    climate.stops = 1 + static_cast<unsigned>(random.below(4));
    climate.life_steps = random.chance(50) ? 200 + random.below(6000) : 0;
    climate.loss = false;
    climate.shutdowns = 0;  // wait for who stands still
    climate.in_topic = false;
    if (climate.pipeline.snapshot == SnapshotMode::only) {
        climate.pipeline.snapshot = SnapshotMode::initial;
    }
    if (climate.pipeline.snapshot == SnapshotMode::never) return;
    climate.requests = 1 + static_cast<unsigned>(random.below(5));
}

// Tables lose their replica identity and get it back, and move between the two publications.
void add_identities(Climate& climate, Random& random) {
    climate.workload.identities = true;
    climate.tables_refresh = 1ms * (20 + random.below(random.chance(50) ? 200 : 5000));
    climate.filtered = kTables;
    climate.loss = climate.slot_from_others = climate.standby = climate.has_publication = false;
}

// Of sinks and formats that nobody has built yet.
void add_moods(Climate& climate, bool real, Random random) {
    if (!climate.to_kafka && random.chance(40)) {
        climate.sealed = true;
        climate.in_topic = false;
        climate.full_disks = climate.disk_fills_at = 0;
    }
    if (climate.to_kafka && random.chance(50)) {
        climate.kafka.transactions = climate.in_topic = true;
        climate.kafka.gapless = false;
        climate.full_disks = climate.disk_fills_at = 0;
        climate.pipeline.flow.whole_transactions = random.chance(40);
    }
    if (climate.to_kafka) climate.pipeline.flow.encoder.transaction_marks = random.chance(40);
    if (random.chance(30)) {
        climate.format_waits = 5 + static_cast<unsigned>(random.below(60));
        climate.format_waits_max = 1ms * (1 + random.below(random.chance(20) ? 5000 : 100));
    }
    if (real || climate.filtered == kTables) return;
    if (random.chance(50)) {
        climate.refuses = true;
        climate.pipeline.flow.encoder.on_error = OnError::skip;
    } else {
        climate.drops = random.chance(60);
    }
}

// Transactions come before they are committed, and there may be no room for them.
void add_streams(Climate& climate, Random random) {
    climate.streams = climate.version >= 140000 && random.chance(60);
    climate.spill_limit = random.chance(40) ? 1 + random.below(20'000) : std::uint64_t{1} << 40;
    if (random.chance(20)) climate.spill_room = random.below(20'000);
}

// Transactions are prepared, and decided much later or not at all, and are taken at once or not. A
// server that shuts down ends all other sessions, which this one does not.
void add_prepared(Climate& climate, Random random) {
    if (climate.workload.identities || !random.chance(40)) return;
    climate.workload.prepares = 5 + static_cast<unsigned>(random.below(40));
    climate.two_phase = climate.version >= 150000 && random.chance(80);
    if (!climate.two_phase) return;
    climate.shutdowns = 0;
    climate.spill_limit = std::uint64_t{1} << 40;
    climate.spill_room = ~std::size_t{0};
}

// Messages have schemas, and somebody has to know them.
void add_registry(Climate& climate, Random random) {
    if (!random.chance(40)) return;
    RegistryHabits& registry = climate.registry;
    registry.there = true;
    climate.format_waits = 0;  // whoever waits for something else doesn't ask the twin meanwhile
    constexpr std::array types{SchemaType::avro, SchemaType::json, SchemaType::protobuf};
    registry.type = types.at(random.below(types.size()));
    registry.past = registry.type == SchemaType::protobuf && random.chance(50);
    registry.marks = climate.pipeline.flow.encoder.transaction_marks;
    registry.delay_max = 1ms * (1 + random.below(random.chance(20) ? 3000 : 50));
    registry.outages = random.chance(60) ? 1 + static_cast<unsigned>(random.below(6)) : 0;
    registry.errors_percent = random.chance(60) ? static_cast<unsigned>(random.below(60)) : 0;
    registry.refusals = random.chance(30) ? 1 + static_cast<unsigned>(random.below(4)) : 0;
    registry.pauses = random.chance(50);
}

// Of the sinks that seal, the one that writes files.
void add_files(Climate& climate, Random random) {
    if (!climate.sealed || !random.chance(40)) return;
    FileHabits& files = climate.files;
    files.there = true;
    files.interval = 1s * (1 + random.below(random.chance(50) ? 5 : 60));
    files.checkpoint = 100ms * (1 + random.below(50));
    files.bytes_max = random.chance(30) ? 500 + random.below(5000) : 0;
    files.work_max = 1ms * random.below(random.chance(20) ? 500 : 10);
    files.answer_max = 1ms * random.below(random.chance(20) ? 2000 : 30);
    files.lost_percent = random.chance(50) ? static_cast<unsigned>(random.below(20)) : 0;
    files.faults_percent = random.chance(30) ? 1 + static_cast<unsigned>(random.below(3)) : 0;
    files.power_cuts_percent = random.chance(50) ? 50 : 0;
    files.outages = random.chance(40) ? 1 + static_cast<unsigned>(random.below(4)) : 0;
    files.missing = !climate.slot_from_others && random.chance(50);
    files.ddl = random.chance(50);
    climate.pipeline.flow.encoder.own_messages = true;
    // Reloads among them, called off or not.
    if (climate.requests > 0) climate.requests += 5 + static_cast<unsigned>(random.below(8));
}

}  // namespace

Climate climate_of(Random& random, bool real) {
    Climate climate;
    const auto some = [&](unsigned percent, std::uint64_t most) {
        return random.chance(percent) ? static_cast<unsigned>(1 + random.below(most)) : 0U;
    };
    climate.pipeline.name = "shop";
    climate.pipeline.poll_interval = 100ms * (1 + random.below(20));
    climate.pipeline.checkpoint_interval = 500ms * (1 + random.below(20));
    climate.pipeline.flow.batch_changes = 1 + random.below(30);
    climate.pipeline.flow.batch_changes_fixed = random.chance(50);
    climate.pipeline.flow.budget_bytes = (std::size_t{64} << 10) << random.below(7);
    climate.sink.batches_max = 1 + random.below(16);
    climate.sink.delay_max = 1ms * random.below(random.chance(20) ? 500 : 20);
    climate.sink.failures_per_10000 = some(40, 100);
    climate.sink.stalls_per_10000 = some(15, 100);
    climate.sink.stall = 1s * (1 + random.below(60));
    climate.sink.linger = random.chance(30);
    climate.workload.transactions = 10 + random.below(60);
    climate.workload.pause_max = 1ms * (1 + random.below(200));
    climate.workload.rows_max = 1 + random.below(12);
    climate.workload.padding_max = random.below(random.chance(20) ? 5000 : 100);
    climate.workload.giant = random.chance(10);
    climate.troubled =
        climate.workload.pause_max / 2 * static_cast<int>(climate.workload.transactions) +
        1s * random.below(20);
    climate.cuts = some(50, 6);
    climate.server_crashes = some(30, 3);
    climate.checkpoints = some(70, 5);
    climate.promotions = some(10, 2);
    climate.stops = some(30, 4);
    climate.wall_jumps = some(20, 3);
    climate.full_disks = some(10, 2);
    climate.life_steps = random.chance(70) ? 20 + random.below(3000) : 0;
    climate.loss = random.chance(15);
    climate.slot_from_others = random.chance(10);
    climate.creates_lost_slot = random.chance(50);
    constexpr std::array versions{100023, 110022, 120022, 130023, 140024,
                                  150019, 160015, 170011, 180006};
    climate.holes = some(10, 2);
    climate.version = versions[random.below(versions.size())];
    climate.local = random.chance(30);
    climate.has_publication = random.chance(80);
    climate.binary = random.chance(70);
    climate.reselects = random.chance(10);
    if (random.chance(20)) climate.filtered = static_cast<std::uint32_t>(random.below(kTables));
    climate.shutdowns = some(15, 2);
    climate.workload.alters = random.chance(30);
    climate.in_topic = random.chance(40);
    climate.log.delay_max = 1ms * random.below(random.chance(20) ? 3000 : 50);
    climate.log.failures_per_10000 = some(40, 3000);
    climate.log_outages = some(30, 3);
    climate.to_kafka = random.chance(40);
    climate.kafka.delay_max = 1ms * random.below(random.chance(20) ? 300 : 20);
    climate.kafka.request_records = 1 + random.below(50);
    climate.kafka.failures_per_10000 = some(40, 500);
    climate.kafka.fatal_per_10000 = some(20, 50);
    climate.kafka.queue_max = random.chance(30) ? 1 + random.below(20) : 1'000'000;
    climate.kafka.message_bytes_max = random.chance(30) ? 400'000 : 1'048'588;
    climate.kafka.partitions = static_cast<std::int32_t>(1 + random.below(4));
    climate.kafka.gapless = random.chance(70);
    climate.kafka.others_make_topics = random.chance(30);
    climate.kafka_outages = some(20, 3);
    climate.topic_deletions = some(10, 2);
    climate.disk_fills_at = some(10, 4);
    climate.pipeline.store_records =
        random.chance(50) ? 1 + random.below(100) : Checkpoint::kRecords;
    if (real && random.chance(40)) add_snapshots(climate, random);
    climate.standby = climate.version >= 160000 && climate.has_publication && random.chance(50);
    if (climate.standby) climate.promotions = std::max(climate.promotions, 1U);
    if (random.chance(20)) add_second_instance(climate, random);
    // By chance of its own: the other seeds stay what they were.
    Random apart = random;
    if (real && climate.pipeline.snapshot == SnapshotMode::never && climate.requests == 0 &&
        apart.chance(30)) {
        add_identities(climate, apart);
    }
    add_moods(climate, real, apart);
    if (real) add_streams(climate, apart);
    if (real) add_registry(climate, Random{apart.next()});
    if (apart.chance(30)) {
        climate.pipeline.flow.heartbeat_interval = 1ms * (1 + apart.below(5000));
    }
    if (real) add_prepared(climate, apart);
    if (real) add_files(climate, Random{apart.next()});
    return climate;
}

PostgresConfig postgres_config(const Climate& climate) {
    PostgresConfig config;
    config.connection.database = "shop";
    config.connection.username = "cdc";
    config.connection.connect_timeout = 5s;
    config.publication = kPublication;
    config.slot = kSlot;
    std::vector<NamePattern> excluded;
    if (climate.filtered < kTables) {
        excluded.push_back(*NamePattern::parse("public." + name_of(climate.filtered), 2));
    }
    config.tables = TableFilter{{*NamePattern::parse("*.*", 2)}, std::move(excluded)};
    config.binary = climate.binary;
    if (climate.reselects) config.toast = ToastMode::reselect;
    config.two_phase = climate.two_phase;
    config.snapshot = climate.snapshot;
    config.manage_publication = !climate.standby;
    config.tables_refresh = climate.tables_refresh;
    return config;
}

}  // namespace pgc::sim
