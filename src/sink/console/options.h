// What the user can say about the console sink: console.*.
#pragma once

#include "config/option.h"
#include "config/settings.h"

namespace pgc {

struct ConsoleSinkOptions {
    bool with_key = false;
    bool pretty = false;
};

extern const OptionTable kConsoleSinkOptions;

ConsoleSinkOptions console_sink_options(const Settings& settings);

}  // namespace pgc
