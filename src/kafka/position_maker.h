// Creates the topic of positions, once.
//
// Threads: one, the pipeline's.
#pragma once

#include <memory>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "kafka/client.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"
#include "observe/log.h"

namespace pgc {

class PositionTopicMaker {
public:
    // `config` and `hints` outlive it. An Error if it may not be created by us.
    static Result<std::unique_ptr<PositionTopicMaker>> make(const PositionTopicConfig& config,
                                                            const PositionHints& hints,
                                                            const Clock& clock, Logger logger);

    // True when it is there. After that or an Error it is done.
    [[nodiscard]] Result<bool> made();

    void wants(Wants& wants) const { wants.readable(client_->wake_fd()); }

private:
    PositionTopicMaker(const PositionHints& hints, std::unique_ptr<KafkaClient> client)
        : hints_(hints), client_(std::move(client)) {}

    const PositionHints& hints_;
    const std::unique_ptr<KafkaClient> client_;
};

}  // namespace pgc
