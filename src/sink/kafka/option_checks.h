// Looks for what is wrong with the options of the Kafka sink beyond the form of each, all at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/errors.h"
#include "config/settings.h"

namespace pgc {

void check_kafka(const Settings& settings, Errors& errors);

// "customer_id+region": two columns. Nothing when one has no name.
std::optional<std::vector<std::string>> column_names(std::string_view text);

}  // namespace pgc
