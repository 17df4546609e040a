// Appends to the topic of positions, one record after the other, by an idempotent producer
// of its own that waits for all replicas in sync, whatever kafka.acks says of other topics.
//
// What may pass is tried again inside librdkafka, without end and without a gap.
//
// Threads: one, the pipeline's.
#pragma once

#include <librdkafka/rdkafka.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "kafka/client.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"
#include "observe/log.h"

namespace pgc {

class PositionAppender {
public:
    // `config` and `hints` outlive it.
    static Result<std::unique_ptr<PositionAppender>> make(const PositionTopicConfig& config,
                                                          const PositionHints& hints,
                                                          const Clock& clock, Logger logger);

    // Requires: the record before has got its answer.
    [[nodiscard]] Result<void> append(const std::string& key, const std::string& value);
    // True when it is acknowledged. After an Error it appends nothing more.
    [[nodiscard]] Result<bool> appended();

    void wants(Wants& wants) const { wants.readable(client_->wake_fd()); }

private:
    PositionAppender(const PositionTopicConfig& config, const PositionHints& hints,
                     std::unique_ptr<KafkaClient> client)
        : topic_(config.name), hints_(hints), client_(std::move(client)) {}

    Error failed(rd_kafka_resp_err_t code, const char* text) const;

    const std::string topic_;
    const PositionHints& hints_;
    const std::unique_ptr<KafkaClient> client_;
};

}  // namespace pgc
