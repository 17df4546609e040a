#include "sink/console/options.h"

namespace pgc {
namespace {

constexpr Option kOptions[] = {
    {.path = "console.with_key",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "write each message's key and a tab before it",
     .doc = "A message without a key begins with the tab."},
    {.path = "console.pretty",
     .kind = OptionKind::boolean,
     .fallback = "false",
     .help = "spread each message over indented lines",
     .doc = "For people; without it a message is exactly one line."},
};

}  // namespace

const OptionTable kConsoleSinkOptions{
    .section = "console",
    .about = "What `sink: console` writes to standard output.",
    .options = kOptions,
};

ConsoleSinkOptions console_sink_options(const Settings& settings) {
    return {.with_key = settings.boolean("console.with_key"),
            .pretty = settings.boolean("console.pretty")};
}

}  // namespace pgc
