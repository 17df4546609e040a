// Where this pipeline's position is kept: in Kafka beside the records, in the registry of
// files beside those, or in a file.
#pragma once

#include <memory>

#include "base/clock.h"
#include "base/file.h"
#include "cli/pipeline_spec.h"
#include "core/store.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "sink/file_registry/client.h"

namespace pgc {

// state.topic where the sink is Kafka, the registry where it is files, unless
// replication.checkpoint_file names a file. The files and the clock outlive the store.
std::unique_ptr<PositionStore> make_position_store(const PipelineSpec& spec, Files& files,
                                                   const Clock& clock, const Logger& logger);

// The one in state.topic; `only_settled` as in PositionTopicConfig.
std::unique_ptr<PositionStore> make_position_topic(const KafkaConfig& kafka,
                                                   const std::string& pipeline, const Clock& clock,
                                                   const Logger& logger, bool only_settled = false);

// How the registry of files is reached; null where the sink is another.
std::unique_ptr<LinkFactory> make_file_registry_links(const PipelineSpec& spec,
                                                      const Logger& logger);
FileRegistryConfig file_registry_config(const PipelineSpec& spec);

}  // namespace pgc
