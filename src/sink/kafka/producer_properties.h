// What a producer is made with besides what every client is (kafka/properties.h). Each line of
// the .cc has its reason; docs/internals/kafka.md has the figures.
#pragma once

#include <cstddef>
#include <vector>

#include "kafka/properties.h"
#include "sink/kafka/config.h"

namespace pgc {

std::vector<KafkaProperty> producer_properties(const KafkaConfig& config, std::size_t batch_bytes);

}  // namespace pgc
