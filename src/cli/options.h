// The options that belong to no room but the program: the sink's name and the logs.
#pragma once

#include "config/option.h"

namespace pgc {

extern const OptionTable kProgramOptions;
extern const OptionTable kLoggingOptions;

}  // namespace pgc
