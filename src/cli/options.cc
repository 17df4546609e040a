#include "cli/options.h"

#include "config/errors.h"
#include "config/settings.h"
#include "observe/log_options.h"
#include "sink/kafka/config.h"

namespace pgc {
namespace {

constexpr Option kProgram[] = {
    {.path = "sink",
     .kind = OptionKind::choice,
     .fallback = "kafka",
     .help = "where the changes go",
     .doc = "`kafka` sends them to Kafka, `console` writes one message a line to standard output, "
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
         "Needs `sink: kafka`, `kafka.acks: all` and the position in `state.topic`.",
     .words = kDeliveries.all()},
};

void check_program(const Settings& settings, Errors& errors) {
    if (settings.choice("delivery", kDeliveries) != Delivery::exactly_once) return;
    if (settings.choice("sink", kSinks) != SinkKind::kafka) {
        return errors.contradiction(settings, {"delivery", "sink"}, "only Kafka has transactions",
                                    "set sink to kafka, or delivery to at_least_once");
    }
    if (settings.choice("kafka.acks", kKafkaAcks) != KafkaAcks::all) {
        errors.contradiction(settings, {"delivery", "kafka.acks"},
                             "exactly once needs the acknowledgement of all replicas",
                             "set kafka.acks to all");
    }
    if (!settings.text("replication.checkpoint_file").empty()) {
        errors.contradiction(settings, {"delivery", "replication.checkpoint_file"},
                             "exactly once keeps the position in Kafka, with the records",
                             "leave replication.checkpoint_file out; to continue from where it "
                             "stands, stop the pipeline first and then run: pg-capture adopt "
                             "--no-snapshot");
    }
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
