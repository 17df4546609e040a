#include "cli/options.h"

#include "config/errors.h"
#include "config/settings.h"
#include "observe/log_options.h"

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
};

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

const OptionTable kProgramOptions{.section = {}, .about = {}, .options = kProgram};
const OptionTable kLoggingOptions{.section = "logging",
                                  .about = "What is written to standard error, and how.",
                                  .options = kLogging};

}  // namespace pgc
