#include "cli/position_store.h"

#include "pipeline/file_store.h"
#include "pipeline/options.h"
#include "sink/kafka/options.h"
#include "sink/kafka/position_topic.h"
#include "sink/kafka/rdkafka_position_log.h"

namespace pgc {

ProgramStore::ProgramStore(const Settings& settings, const std::string& pipeline, Files& files,
                           const Clock& clock, const Logger& logger) {
    const bool named = !settings.text("replication.checkpoint_file").empty();
    if (named || settings.choice("sink") != "kafka") {
        store_ = std::make_unique<FileStore>(files, pipeline, position_path(settings, pipeline));
        return;
    }
    const Logger kafka = logger.for_module("kafka");
    kafka_ = kafka_config(settings, settings.text("postgres.database"), files);
    store_ = std::make_unique<KafkaPositionTopic>(
        std::make_unique<RdKafkaPositionLog>(*kafka_, pipeline, clock, kafka), *kafka_, pipeline,
        clock, kafka);
}

}  // namespace pgc
