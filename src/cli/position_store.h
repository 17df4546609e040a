// Where this pipeline's position is kept: in Kafka beside the records, or in a file.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file.h"
#include "config/settings.h"
#include "core/store.h"
#include "observe/log.h"
#include "sink/kafka/config.h"

namespace pgc {

class ProgramStore {
public:
    // In state.topic with `sink: kafka`, unless replication.checkpoint_file names a file.
    // Settings, files and clock outlive it.
    ProgramStore(const Settings& settings, const std::string& pipeline, Files& files,
                 const Clock& clock, const Logger& logger);

    PositionStore& store() noexcept { return *store_; }

private:
    std::optional<KafkaConfig> kafka_;
    std::unique_ptr<PositionStore> store_;
};

}  // namespace pgc
