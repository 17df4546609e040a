#include "kafka/position_maker.h"

#include "kafka/position_admin.h"

namespace pgc {

Result<std::unique_ptr<PositionTopicMaker>> PositionTopicMaker::make(
    const PositionTopicConfig& config, const PositionHints& hints, const Clock& clock,
    Logger logger) {
    if (!config.create) {
        return std::unexpected(
            stop(Error::Category::configuration,
                 "the topic of positions is missing, and kafka.topics.create is false")
                .at(hints.where())
                .with_hint("set kafka.topics.create to true; or pg-capture adopt, which makes it "
                           "all the same"));
    }
    auto client = KafkaClient::make({.config = config.connection,
                                     .kind = KafkaClient::Kind::producer,
                                     .properties = {},
                                     .clock = clock,
                                     .logger = std::move(logger)});
    if (!client) return std::unexpected(std::move(client.error()));
    ask_to_create(**client, config, false);
    return std::unique_ptr<PositionTopicMaker>(new PositionTopicMaker(hints, std::move(*client)));
}

Result<bool> PositionTopicMaker::made() {
    constexpr std::string_view what = "the topic of positions can't be created";
    const KafkaEvent event = client_->poll();
    if (!event) return false;
    if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_CREATETOPICS_RESULT) return false;
    if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(position_silence(*client_, event.get(), what, hints_));
    }
    const KafkaAnswer answer = creation_in(event.get());
    if (answer.good() || answer.code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) return true;
    Error error = position_error(answer, what, hints_);
    if (error.category == Error::Category::permission) {
        error.hint = hints_.create() + "; or let pg-capture create it: " + error.hint;
    }
    return std::unexpected(std::move(error));
}

}  // namespace pgc
