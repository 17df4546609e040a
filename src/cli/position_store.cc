#include "cli/position_store.h"

#include "kafka/rdkafka_position_log.h"
#include "pgclient/libpq_link.h"
#include "pipeline/background_store.h"
#include "pipeline/file_store.h"
#include "sink/file_registry/position_store.h"
#include "sink/kafka/position_topic.h"

namespace pgc {
namespace {

// The position beside the registered files, with the connections that it needs.
class FileRegistryStore final : public PositionStore {
public:
    FileRegistryStore(const PipelineSpec& spec, const Clock& clock, const Logger& logger)
        : links_(make_file_registry_links(spec, logger)),
          store_(*links_, file_registry_config(spec), clock) {}

    Result<std::optional<Loaded>> load() override { return store_.load(); }
    void create() override { store_.create(); }
    Result<void> save(const StoredPosition& position) override { return store_.save(position); }
    Result<void> forget() override { return store_.forget(); }
    Result<bool> saved() override { return store_.saved(); }
    void wants(Wants& wants) const override { store_.wants(wants); }
    std::uint64_t attempts() const noexcept override { return store_.attempts(); }
    std::string where() const override { return store_.where(); }

private:
    const std::unique_ptr<LinkFactory> links_;
    RegistryPositionStore store_;
};

}  // namespace

std::unique_ptr<LinkFactory> make_file_registry_links(const PipelineSpec& spec,
                                                      const Logger& logger) {
    if (!spec.file) return nullptr;
    return std::make_unique<LibpqLinkFactory>(spec.file_registry,
                                              "pg-capture " + spec.name() + " registry", logger);
}

FileRegistryConfig file_registry_config(const PipelineSpec& spec) {
    const ConnectionConfig& connection = spec.file_registry;
    std::string server;
    for (const PostgresHost& host : connection.hosts) {
        if (!server.empty()) server += ',';
        server += to_string(host);
    }
    return {.pipeline = spec.name(),
            .database = connection.database,
            .server = std::move(server),
            .role = connection.username};
}

std::unique_ptr<PositionStore> make_position_store(const PipelineSpec& spec, Files& files,
                                                   const Clock& clock, const Logger& logger) {
    if (!spec.position_file.empty()) {
        return std::make_unique<BackgroundStore>(
            std::make_unique<FileStore>(files, spec.name(), spec.position_file));
    }
    if (spec.file) {
        return std::make_unique<FileRegistryStore>(spec, clock, logger.for_module("file"));
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
