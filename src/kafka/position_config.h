// Which topic holds positions, and how it is created when it is missing.
#pragma once

#include <cstdint>
#include <string>

#include "kafka/connection.h"

namespace pgc {

struct PositionTopicConfig {
    KafkaConnection connection;
    std::string name;
    bool create = true;
    std::int16_t replication_factor = -1;  // -1: the broker's default
    // Reading ends where somebody's transaction is open, and does not wait for its end.
    bool only_settled = false;
};

}  // namespace pgc
