// Looks for what is wrong with the options of the Kafka sink beyond the form of each, all at once.
#pragma once

#include "config/errors.h"
#include "config/settings.h"

namespace pgc {

void check_kafka(const Settings& settings, Errors& errors);

}  // namespace pgc
