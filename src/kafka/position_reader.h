// Looks for the last record under a key in the topic of positions, once:
//
//   topic there? ──yes─▶ compacted? ─▶ its end now ─▶ all records up to there ─▶ found, or none
//        └────────no──▶ what says the controller? ──▶ missing
//
// All records, for compaction comes when it comes. Only committed ones, so that a record
// inside a sink's transaction counts when that does. A broker that has just come up may not
// know a topic that is there, so the controller has the last word on that.
//
// It is a consumer without a group, and nothing of it is left when it is destroyed.
//
// Threads: one, the pipeline's.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "base/wake.h"
#include "kafka/client.h"
#include "kafka/position_admin.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"
#include "kafka/position_log.h"
#include "observe/log.h"

namespace pgc {

class PositionReader {
public:
    struct Deps {
        const PositionTopicConfig& config;  // these three outlive it
        const PositionHints& hints;
        const Clock& clock;
        std::string key;
        Logger logger;
    };
    static Result<std::unique_ptr<PositionReader>> make(Deps deps);

    PositionReader(const PositionReader&) = delete;
    PositionReader& operator=(const PositionReader&) = delete;
    ~PositionReader();

    // Goes on; what it found, or nothing yet. After an answer or an Error it is done.
    [[nodiscard]] Result<std::optional<PositionLog::Tail>> look();

    void wants(Wants& wants) const;

private:
    enum class Step : std::uint8_t { topic, controller, settings, end, records, missing, found };

    PositionReader(Deps deps, std::unique_ptr<KafkaClient> client);

    Result<void> take(const rd_kafka_event_t* event);
    Result<Step> take_topic(const rd_kafka_event_t* event);
    Result<Step> take_controller(const rd_kafka_event_t* event);
    Result<Step> take_settings(const rd_kafka_event_t* event);
    Result<Step> take_end(const rd_kafka_event_t* event);
    Result<Step> begin_records();
    Result<void> take_records();
    Result<void> take_record(const rd_kafka_message_t& record);
    void stop_records();
    Error refused(const KafkaAnswer& answer) const;

    const Deps deps_;
    const std::unique_ptr<KafkaClient> client_;
    Step step_ = Step::topic;

    // While records are read.
    Wake wake_;
    rd_kafka_queue_t* queue_ = nullptr;
    rd_kafka_topic_t* topic_ = nullptr;
    std::int64_t next_ = 0;
    std::int64_t end_ = 0;
    Instant progressed_at_;
    Instant report_at_;

    std::optional<std::string> value_;
};

}  // namespace pgc
