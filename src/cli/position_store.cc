#include "cli/position_store.h"

#include "kafka/rdkafka_position_log.h"
#include "pipeline/background_store.h"
#include "pipeline/file_store.h"
#include "pipeline/options.h"
#include "sink/kafka/position_topic.h"

namespace pgc {

std::unique_ptr<PositionStore> make_position_store(const Settings& settings,
                                                   const KafkaConfig* kafka,
                                                   const std::string& pipeline, Files& files,
                                                   const Clock& clock, const Logger& logger) {
    if (kafka == nullptr || !settings.text("replication.checkpoint_file").empty()) {
        return std::make_unique<BackgroundStore>(
            std::make_unique<FileStore>(files, pipeline, position_path(settings, pipeline)));
    }
    const Logger module = logger.for_module("kafka");
    const PositionTopicConfig topic = kafka->position_topic();
    return std::make_unique<KafkaPositionTopic>(
        std::make_unique<RdKafkaPositionLog>(topic, pipeline, clock, module), topic, pipeline,
        clock, module);
}

}  // namespace pgc
