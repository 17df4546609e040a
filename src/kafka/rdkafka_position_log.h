// The topic of positions through librdkafka. A consumer stands only while it is read, a
// producer from the first append on.
//
// Threads: one, the pipeline's; librdkafka's own end with the destructor.
#pragma once

#include <memory>
#include <string>

#include "base/clock.h"
#include "kafka/position_appender.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"
#include "kafka/position_log.h"
#include "kafka/position_maker.h"
#include "kafka/position_reader.h"
#include "observe/log.h"

namespace pgc {

class RdKafkaPositionLog final : public PositionLog {
public:
    // `clock` outlives it.
    RdKafkaPositionLog(PositionTopicConfig config, std::string key, const Clock& clock,
                       Logger logger);

    void read() override;
    Result<std::optional<Tail>> tail() override;
    void create() override;
    Result<bool> created() override;
    void append(std::string value) override;
    Result<bool> appended() override;
    void wants(Wants& wants) const override;

private:
    Result<void> send();

    const PositionTopicConfig config_;
    const PositionHints hints_;
    const std::string key_;
    const Clock& clock_;
    const Logger logger_;

    std::unique_ptr<PositionReader> reader_;
    std::unique_ptr<PositionTopicMaker> maker_;
    std::unique_ptr<PositionAppender> appender_;
    std::string value_;
    bool sent_ = false;
};

}  // namespace pgc
