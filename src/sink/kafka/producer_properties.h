// What a producer is made with besides what every client is (kafka/properties.h). Each line of
// the .cc has its reason; docs/internals/kafka.md has the figures.
#pragma once

#include <cstddef>
#include <vector>

#include "base/clock.h"
#include "kafka/properties.h"
#include "sink/kafka/config.h"

namespace pgc {

// A transaction that is not committed by then is ended by the brokers. So long readers of committed
// records wait at most where a producer was killed and nobody has taken its place.
inline constexpr Duration kTransaction_max = std::chrono::seconds{30};

std::vector<KafkaProperty> producer_properties(const KafkaConfig& config, std::size_t batch_bytes);

}  // namespace pgc
