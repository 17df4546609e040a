#include "cli/options.h"

#include "config/option_checker.h"
#include "format/options.h"
#include "format/schema_change.h"
#include "observe/log_options.h"
#include "sink/kafka/config.h"

namespace pgc {
namespace {

constexpr Option kProgram[] = {
    {.path = "sink",
     .kind = OptionKind::choice,
     .fallback = "kafka",
     .help = "where the changes go",
     .doc = "`kafka` sends them to Kafka, `file` writes them to files, a folder for each table and "
            "batch, `console` writes one message a line to standard output, "
            "`discard` counts and forgets them (for measuring).",
     .words = kSinks.all()},
    {.path = "delivery",
     .kind = OptionKind::choice,
     .fallback = "at_least_once",
     .help = "whether a change may come again after a crash",
     .doc =
         "`exactly_once` writes records and position in transactions of Kafka: consumers that "
         "set `isolation.level` to `read_committed` see each change once, whatever is killed; in "
         "a snapshot tables without a key start over. "
         "Needs `kafka.acks: all` and the position in `state.topic`. Files are always written like "
         "that: a row is in them once, whatever is said here.",
     .words = kDeliveries.all()},
    {.path = "consistency",
     .kind = OptionKind::choice,
     .fallback = "record",
     .help = "whether a transaction of PostgreSQL may be cut",
     .doc = "With `delivery: exactly_once`. `record`: a large transaction is committed to Kafka in "
            "parts, each change once and in order. `transaction`: as a whole, with others or "
            "alone, so that consumers of committed records see all of it or nothing. One that "
            "takes more than 15 minutes to write, twice, stops the pipeline, and brokers must "
            "allow as long (`transaction.max.timeout.ms`). Killed inside of one and not started "
            "again, pg-capture keeps readers of committed records waiting for as long.",
     .words = kConsistencies.all()},
    {.path = "schema_change",
     .kind = OptionKind::choice,
     .fallback = "evolve",
     .help = "what to do when the schema registry refuses a table's new schema",
     .doc = "A changed table has another schema, which becomes the next version of its subject "
            "if the registry calls it compatible with those before. If not: `evolve` sets the "
            "subject's compatibility level to NONE, registers the schema, sets the level to what "
            "it was, and logs that as a warning; what else the registry refuses (a schema it "
            "calls invalid) stops as with `fail`, and so does, without "
            "`format.registry.auto_register`, what nobody has registered. `pause` waits, says why "
            "in `pg-capture status` and `/healthz`, and goes on once the registry accepts the "
            "schema, which it is asked about every `format.registry.retry_backoff_max_ms`: after "
            "somebody has lowered the level, deleted what it is compared with, or registered it. "
            "PostgreSQL keeps its log meanwhile. `fail` stops with the registry's own reason, "
            "before the first change that has the schema; whoever starts it again goes on from "
            "there. In JSON tables change without asking anybody.",
     .words = kSchemaChanges.all()},
};

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        const bool once = settings().choice("delivery", kDeliveries) == Delivery::exactly_once;
        if (once) exactly_once();
        files();
        only_with("consistency", "delivery", once || !whole_transactions(),
                  "only with exactly_once are records committed together",
                  "set delivery to exactly_once, or consistency to record");
        if (settings().boolean("source.two_phase") &&
            settings().integer("state.spill_limit") == 0) {
            contradiction({"source.two_phase", "state.spill_limit"},
                          "prepared transactions are kept in files until they are decided",
                          "set state.spill_limit to what may be there, or source.two_phase to "
                          "false");
        }
    }

private:
    bool whole_transactions() const {
        return settings().choice("consistency", kConsistencies) == Consistency::transaction;
    }

    void files() {
        if (settings().choice("sink", kSinks) != SinkKind::file) return;
        if (format_encoding(settings()) != FormatEncoding::json) {
            contradiction({"sink", "format.encoding"}, "files have lines of text",
                          "leave format.encoding out");
        }
        if (!settings().text("replication.checkpoint_file").empty()) {
            contradiction({"sink", "replication.checkpoint_file"},
                          "the position is kept in the registry, with the files",
                          "leave replication.checkpoint_file out");
        }
    }

    void exactly_once() {
        const SinkKind sink = settings().choice("sink", kSinks);
        if (sink == SinkKind::file) return;
        if (sink != SinkKind::kafka) {
            return contradiction({"delivery", "sink"}, "only Kafka and files have transactions",
                                 "set sink to kafka, or delivery to at_least_once");
        }
        if (settings().choice("kafka.acks", kKafkaAcks) != KafkaAcks::all) {
            contradiction({"delivery", "kafka.acks"},
                          "exactly once needs the acknowledgement of all replicas",
                          "set kafka.acks to all");
        }
        if (!settings().text("replication.checkpoint_file").empty()) {
            contradiction({"delivery", "replication.checkpoint_file"},
                          "exactly once keeps the position in Kafka, with the records",
                          "leave replication.checkpoint_file out; to continue from where it "
                          "stands, stop the pipeline first and then run: pg-capture adopt "
                          "--no-snapshot");
        }
    }
};

void check_program(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

constexpr Option kLogging[] = {
    {.path = "logging.level",
     .kind = OptionKind::choice,
     .fallback = "info",
     .help = "lowest level of the lines that are written",
     .doc = "The variable `PG_CAPTURE_LOG=info,postgres=debug` sets this and `logging.modules` "
            "in one word and wins over both.",
     .words = kLogLevels.all()},
    {.path = "logging.format",
     .kind = OptionKind::choice,
     .fallback = "plain",
     .help = "lines for people or JSON objects for programs",
     .words = kLogFormats.all()},
    {.path = "logging.modules",
     .kind = OptionKind::map,
     .help = "levels of single modules",
     .doc = "Module names are those in the log lines; `postgres` covers `postgres.stream` too.",
     .words = kLogLevels.all()},
};

}  // namespace

const OptionTable kProgramOptions{
    .section = {}, .about = {}, .options = kProgram, .check = check_program};
const OptionTable kLoggingOptions{.section = "logging",
                                  .about = "What is written to standard error, and how.",
                                  .options = kLogging};

}  // namespace pgc
