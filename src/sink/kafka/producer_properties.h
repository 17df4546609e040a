// What a producer is made with besides what every client is (properties.h). Each line of
// the .cc has its reason; docs/internals/kafka.md has the figures.
#pragma once

#include <cstddef>
#include <vector>

#include "sink/kafka/config.h"
#include "sink/kafka/properties.h"

namespace pgc {

std::vector<KafkaProperty> producer_properties(const KafkaConfig& config, std::size_t batch_bytes);

}  // namespace pgc
