// Looks for what is wrong with the Kafka options beyond the form of each, all at once.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "config/errors.h"
#include "config/settings.h"

namespace pgc {

void check_kafka(const Settings& settings, Errors& errors);

// "host", "host:9093", "[::1]:9093" as "host:port"; nothing if it is none of these.
std::optional<std::string> broker_address(std::string_view text);

// "customer_id+region": two columns. Nothing when one has no name.
std::optional<std::vector<std::string>> column_names(std::string_view text);

}  // namespace pgc
