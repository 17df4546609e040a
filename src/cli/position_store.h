// Where this pipeline's position is kept: in Kafka beside the records, or in a file.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "cli/pipeline_spec.h"
#include "core/store.h"
#include "observe/log.h"

namespace pgc {

// state.topic where the sink is Kafka, unless replication.checkpoint_file names a file. The files
// and the clock outlive the store.
std::unique_ptr<PositionStore> make_position_store(const PipelineSpec& spec, Files& files,
                                                   const Clock& clock, const Logger& logger);

// The one in state.topic; `only_settled` as in PositionTopicConfig.
std::unique_ptr<PositionStore> make_position_topic(const KafkaConfig& kafka,
                                                   const std::string& pipeline, const Clock& clock,
                                                   const Logger& logger, bool only_settled = false);

}  // namespace pgc
