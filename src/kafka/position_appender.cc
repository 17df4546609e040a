#include "kafka/position_appender.h"

#include <iterator>
#include <string_view>
#include <utility>

#include "kafka/position_admin.h"

namespace pgc {
namespace {

constexpr std::string_view kUnstored = "the position can't be stored";

const KafkaProperty kAppending[] = {
    {"enable.idempotence", "true"},
    {"acks", "all"},
    {"message.timeout.ms", "0"},  // it is never given up, but when we are asked to end
    {"linger.ms", "0"},
    {"compression.type", "none"},
    {"queue.buffering.max.messages", "10"},
};

}  // namespace

Result<std::unique_ptr<PositionAppender>> PositionAppender::make(const PositionTopicConfig& config,
                                                                 const PositionHints& hints,
                                                                 const Clock& clock,
                                                                 Logger logger) {
    auto client = KafkaClient::make({.config = config.connection,
                                     .kind = KafkaClient::Kind::producer,
                                     .properties = kAppending,
                                     .clock = clock,
                                     .logger = std::move(logger)});
    if (!client) return std::unexpected(std::move(client.error()));
    return std::unique_ptr<PositionAppender>(
        new PositionAppender(config, hints, std::move(*client)));
}

Result<void> PositionAppender::append(const std::string& key, const std::string& value) {
    rd_kafka_vu_t parts[5];
    parts[0].vtype = RD_KAFKA_VTYPE_TOPIC;
    parts[0].u.cstr = topic_.c_str();
    parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
    parts[1].u.i32 = 0;
    parts[2].vtype = RD_KAFKA_VTYPE_MSGFLAGS;
    parts[2].u.i = RD_KAFKA_MSG_F_COPY;
    parts[3].vtype = RD_KAFKA_VTYPE_KEY;
    parts[3].u.mem = {const_cast<char*>(key.data()), key.size()};
    parts[4].vtype = RD_KAFKA_VTYPE_VALUE;
    // An empty value is a tombstone: compaction leaves nothing of the key.
    parts[4].u.mem = {value.empty() ? nullptr : const_cast<char*>(value.data()), value.size()};
    rd_kafka_error_t* error = rd_kafka_produceva(client_->handle(), parts, std::size(parts));
    if (error == nullptr) return {};
    Error refused = failed(rd_kafka_error_code(error), rd_kafka_error_string(error));
    rd_kafka_error_destroy(error);
    return std::unexpected(std::move(refused));
}

Result<bool> PositionAppender::appended() {
    while (const KafkaEvent event = client_->poll()) {
        if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
        const rd_kafka_message_t* report = rd_kafka_event_message_next(event.get());
        if (report == nullptr) continue;
        if (report->err == RD_KAFKA_RESP_ERR_NO_ERROR) {
            client_->answered();
            return true;
        }
        // Not rd_kafka_message_errstr(): of a report that is the record's own value.
        return std::unexpected(failed(report->err, nullptr));
    }
    if (client_->failed()) return std::unexpected(*client_->failed());
    return false;
}

Error PositionAppender::failed(rd_kafka_resp_err_t code, const char* text) const {
    if (code == RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC || code == RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION ||
        code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        return stop(Error::Category::position,
                    "the position can't be stored: its topic was deleted while we ran")
            .at(hints_.where())
            .with_hint(
                "what was delivered is confirmed to the slot as far as it was stored: if "
                "nothing else reads from the slot, " +
                hints_.create() + ": the next start continues from the slot's position");
    }
    return position_error({code, text == nullptr ? "" : text}, kUnstored, hints_);
}

}  // namespace pgc
