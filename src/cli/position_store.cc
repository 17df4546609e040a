#include "cli/position_store.h"

#include "kafka/rdkafka_position_log.h"
#include "pipeline/background_store.h"
#include "pipeline/file_store.h"
#include "sink/kafka/position_topic.h"

namespace pgc {

std::unique_ptr<PositionStore> make_position_store(const PipelineSpec& spec, Files& files,
                                                   const Clock& clock, const Logger& logger) {
    if (!spec.position_file.empty()) {
        return std::make_unique<BackgroundStore>(
            std::make_unique<FileStore>(files, spec.name(), spec.position_file));
    }
    return make_position_topic(*spec.kafka, spec.name(), clock, logger.for_module("kafka"));
}

std::unique_ptr<PositionStore> make_position_topic(const KafkaConfig& kafka,
                                                   const std::string& pipeline, const Clock& clock,
                                                   const Logger& logger, bool only_settled) {
    PositionTopicConfig topic = kafka.position_topic();
    topic.only_settled = only_settled;
    return std::make_unique<KafkaPositionTopic>(
        std::make_unique<RdKafkaPositionLog>(topic, pipeline, clock, logger), topic, pipeline,
        clock, logger);
}

}  // namespace pgc
