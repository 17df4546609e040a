// Looks for what is wrong with the options of the connection beyond the form of each.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "config/errors.h"
#include "config/settings.h"

namespace pgc {

void check_kafka_connection(const Settings& settings, Errors& errors);

// "host", "host:9093", "[::1]:9093" as "host:port"; nothing if it is none of these.
std::optional<std::string> broker_address(std::string_view text);

}  // namespace pgc
