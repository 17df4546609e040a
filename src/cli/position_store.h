// Where this pipeline's position is kept: in Kafka beside the records, or in a file.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "config/settings.h"
#include "core/store.h"
#include "observe/log.h"
#include "sink/kafka/config.h"

namespace pgc {

// state.topic where the sink is Kafka, unless replication.checkpoint_file names a file.
// `kafka` is null where the sink is another; all but the logger outlive the store.
std::unique_ptr<PositionStore> make_position_store(const Settings& settings,
                                                   const KafkaConfig* kafka,
                                                   const std::string& pipeline, Files& files,
                                                   const Clock& clock, const Logger& logger);

}  // namespace pgc
