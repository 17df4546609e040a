// A topic that is to be created.
#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

namespace pgc {

struct KafkaNewTopic {
    std::string name;
    std::int32_t partitions = 1;
    std::int32_t replication_factor = -1;  // -1: the cluster's default
    std::vector<std::pair<std::string, std::string>> config;
};

}  // namespace pgc
