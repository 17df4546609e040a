// Requests about the topic of positions, and what their answers say. An answer comes as an
// event of the client's queue; an answer of the wrong kind is nobody's.
//
// Threads: the client's.
#pragma once

#include <librdkafka/rdkafka.h>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "kafka/client.h"
#include "kafka/position_config.h"
#include "kafka/position_hints.h"

namespace pgc {

// After this an unanswered request is given up, to be made again.
inline constexpr int kPositionRequest_ms = 5000;

void ask_for_topic(const KafkaClient& client, const std::string& topic);
void ask_for_settings(const KafkaClient& client, const std::string& topic);
// The end of what is committed, from the leader: never before what it has acknowledged.
void ask_for_end(const KafkaClient& client, const std::string& topic, bool only_settled);
// `only_try`: the controller says what would come of it.
void ask_to_create(const KafkaClient& client, const PositionTopicConfig& config, bool only_try);

// A code of the broker's and its words, empty if there are none.
struct KafkaAnswer {
    rd_kafka_resp_err_t code = RD_KAFKA_RESP_ERR_NO_ERROR;
    std::string text;

    bool good() const noexcept { return code == RD_KAFKA_RESP_ERR_NO_ERROR; }
};
// Each requires an event of its request without an error of its own.
struct TopicAnswer : KafkaAnswer {
    std::size_t partitions = 0;
};
TopicAnswer topic_in(const rd_kafka_event_t* event);
struct SettingsAnswer : KafkaAnswer {
    std::string cleanup_policy;
};
SettingsAnswer settings_in(const rd_kafka_event_t* event);
struct EndAnswer : KafkaAnswer {
    std::int64_t offset = 0;
};
EndAnswer end_in(const rd_kafka_event_t* event);
KafkaAnswer creation_in(const rd_kafka_event_t* event);

// What a refusal means: of a permission, how it is given; of silence, why nobody answers.
Error position_error(const KafkaAnswer& answer, std::string_view what, const PositionHints& hints);
Error position_silence(const KafkaClient& client, const rd_kafka_event_t* event,
                       std::string_view what, const PositionHints& hints);

}  // namespace pgc
