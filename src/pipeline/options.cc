#include "pipeline/options.h"

#include <algorithm>

#include "config/errors.h"

namespace pgc {
namespace {

constexpr Option kNameOption[] = {
    {.path = "name",
     .kind = OptionKind::text,
     .fallback_note = "the slot's name",
     .help = "name of the pipeline, in logs and in the name of its position file",
     .doc = "Letters, digits, `_`, `-` and `.`. A pipeline that is renamed no longer finds its "
            "stored position."},
};

constexpr Option kStateOption[] = {
    {.path = "state.dir",
     .kind = OptionKind::text,
     .fallback = "/var/lib/pg-capture",
     .help = "directory of the position files, and of transactions that are not committed yet",
     .doc = "Created with mode 700 if it is missing. Each pipeline keeps its position in "
            "`{state.dir}/{name}.position`. Without that file the next start continues from the "
            "slot's position and, unless `source.snapshot.mode` is `never`, reads all tables "
            "again."},
    {.path = "state.spill_limit",
     .kind = OptionKind::integer,
     .fallback = "10737418240",
     .help = "bytes of transactions kept on disk until they are committed; 0: the server does",
     .doc = "A transaction that takes more than `logical_decoding_work_mem` on the server is sent "
            "before it is committed, from PostgreSQL 14 on, and kept in `{state.dir}/{name}.spill` "
            "until then. Beyond that many bytes, when the disk is full, or where that directory "
            "can't be written, the server keeps it on its own disk, as it always does with 0: "
            "nothing is lost and nothing stops. The files are not synced, and are removed at the "
            "next start.",
     .min = 0,
     .max = 1'125'899'906'842'624},
};

constexpr Option kMemoryOption[] = {
    {.path = "memory.budget_bytes",
     .kind = OptionKind::integer,
     .fallback = "33554432",
     .help = "bytes that changes on their way may take, whatever the sink",
     .doc =
         "The budget of the whole pipeline: what was read and is not with the destination yet, "
         "with "
         "all that belongs to it. When it is used up, reading waits. `kafka.buffer_memory` sets it "
         "too; given both, this one counts.",
     .min = 1'048'576,
     .max = 1'099'511'627'776},
};

constexpr Option kReplicationOption[] = {
    {.path = "replication.poll_interval_ms",
     .kind = OptionKind::milliseconds,
     .fallback = "100",
     .variable = "REPLICATION_POLL_INTERVAL_MS",
     .help = "longest sleep of the loop while streaming",
     .doc = "A ceiling, not a delay: the loop is woken by events.",
     .min = 1,
     .max = 10'000},
    {.path = "replication.keepalive_interval_secs",
     .kind = OptionKind::seconds,
     .fallback = "10",
     .variable = "REPLICATION_KEEPALIVE_INTERVAL_SECS",
     .help = "longest time between two feedback messages to the server",
     .doc = "Must be well below the server's `wal_sender_timeout` (60 s as a rule). A request "
            "of the server is answered at once.",
     .min = 1,
     .max = 3600},
    {.path = "replication.checkpoint_interval_secs",
     .kind = OptionKind::seconds,
     .fallback = "10",
     .variable = "REPLICATION_CHECKPOINT_INTERVAL_SECS",
     .help = "how often the position is confirmed to the server",
     .doc = "The server keeps its WAL from the confirmed position on. Our own position, from which "
            "the next start continues, is stored more often, whatever is set here: each second, "
            "before 20,000 records could come again after a kill, when the stream becomes quiet, "
            "and at the end.",
     .min = 1,
     .max = 3600},
    {.path = "replication.checkpoint_file",
     .kind = OptionKind::text,
     .fallback_note = "{state.dir}/{name}.position",
     .variable = "REPLICATION_CHECKPOINT_FILE",
     .help = "file of the stored position"},
    {.path = "replication.max_buffer_size",
     .kind = OptionKind::integer,
     .fallback = "1000",
     .variable = "REPLICATION_MAX_BUFFER_SIZE",
     .help = "changes in one internal batch",
     .doc = "Where batches start: while we are behind they grow until their records reach "
            "about 1 MiB. A value that is given is kept as the limit.",
     .min = 1,
     .max = 1'000'000},
};

void check_name(const Settings& settings, Errors& errors) {
    const std::string& name = settings.text("name");
    constexpr std::string_view allowed =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    if (settings.broken("name") || name.empty()) return;
    if (name.find_first_not_of(allowed) != std::string::npos || name.front() == '.') {
        errors.add({.where = settings.origin("name").text,
                    .key = "name",
                    .reason = "may hold letters, digits, _, - and ., and not begin with a .",
                    .nearest = {},
                    .hint = {}});
    }
}

}  // namespace

constinit const OptionTable kPipelineOptions{.options = kNameOption, .check = check_name};
constinit const OptionTable kStateOptions{.section = "state",
                                          .about = "What a pipeline keeps between two runs.",
                                          .options = kStateOption};
constinit const OptionTable kMemoryOptions{
    .section = "memory", .about = "How much memory a pipeline takes.", .options = kMemoryOption};
constinit const OptionTable kReplicationOptions{
    .section = "replication",
    .about = "How the stream is read and how progress is kept.",
    .options = kReplicationOption};

PipelineOptions pipeline_options(const Settings& settings, std::string_view slot) {
    const std::string& name = settings.text("name");
    return {.name = name.empty() ? std::string{slot} : name,
            .checkpoint_interval = settings.duration("replication.checkpoint_interval_secs"),
            .poll_interval = settings.duration("replication.poll_interval_ms"),
            .flow = {.batch_changes =
                         static_cast<std::size_t>(settings.integer("replication.max_buffer_size")),
                     .batch_changes_fixed = settings.given("replication.max_buffer_size")},
            .until = {}};
}

std::string position_path(const Settings& settings, std::string_view pipeline) {
    const std::string& file = settings.text("replication.checkpoint_file");
    if (!file.empty()) return file;
    std::string path = settings.text("state.dir");
    if (!path.ends_with('/')) path += '/';
    return path + std::string{pipeline} + ".position";
}

std::string spill_path(const Settings& settings, std::string_view pipeline) {
    std::string path = settings.text("state.dir");
    if (!path.ends_with('/')) path += '/';
    return path + std::string{pipeline} + ".spill";
}

std::uint64_t spill_limit(const Settings& settings) {
    return static_cast<std::uint64_t>(settings.integer("state.spill_limit"));
}

std::size_t memory_budget(const Settings& settings) {
    const bool given = settings.given("memory.budget_bytes");
    return static_cast<std::size_t>(
        settings.integer(given ? "memory.budget_bytes" : "kafka.buffer_memory"));
}

Duration keepalive_interval(const Settings& settings) {
    return settings.duration("replication.keepalive_interval_secs");
}

}  // namespace pgc
