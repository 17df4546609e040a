#include "kafka/position_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgc {
namespace {

using namespace std::chrono_literals;

constexpr std::string_view kUnreadable = "the stored position can't be read";
constexpr Duration kPatience = 10s;     // without a record, while there should be some
constexpr Duration kReport_every = 2s;  // how far a long reading has got
constexpr int kRecordsAtOnce = 2000;    // then the loop looks whether it is asked to end

// Little is fetched ahead, for memory; EOF shows where the end is when the last records are
// not for us (markers of transactions).
const KafkaProperty kReading[] = {
    {"enable.partition.eof", "true"},       {"isolation.level", "read_committed"},
    {"enable.auto.commit", "false"},        {"auto.offset.reset", "earliest"},
    {"fetch.error.backoff.ms", "100"},      {"fetch.queue.backoff.ms", "10"},
    {"queued.max.messages.kbytes", "1024"},
};

struct MessageFree {
    void operator()(rd_kafka_message_t* message) const noexcept {
        rd_kafka_message_destroy(message);
    }
};
using Message = std::unique_ptr<rd_kafka_message_t, MessageFree>;

}  // namespace

Result<std::unique_ptr<PositionReader>> PositionReader::make(Deps deps) {
    auto client = KafkaClient::make({.config = deps.config.connection,
                                     .kind = KafkaClient::Kind::consumer,
                                     .properties = kReading,
                                     .clock = deps.clock,
                                     .logger = deps.logger});
    if (!client) return std::unexpected(std::move(client.error()));
    return std::unique_ptr<PositionReader>(new PositionReader(std::move(deps), std::move(*client)));
}

PositionReader::PositionReader(Deps deps, std::unique_ptr<KafkaClient> client)
    : deps_(std::move(deps)), client_(std::move(client)) {
    ask_for_topic(*client_, deps_.config.name);
}

PositionReader::~PositionReader() {
    stop_records();
}

Result<std::optional<PositionLog::Tail>> PositionReader::look() {
    while (const KafkaEvent event = client_->poll()) {
        if (auto taken = take(event.get()); !taken) return std::unexpected(taken.error());
    }
    if (step_ == Step::records) {
        if (auto taken = take_records(); !taken) return std::unexpected(taken.error());
    }
    if (step_ == Step::missing) {
        return PositionLog::Tail{.topic_is_missing = true, .value = {}};
    }
    if (step_ != Step::found) return std::nullopt;
    return PositionLog::Tail{.topic_is_missing = false, .value = std::move(value_)};
}

void PositionReader::wants(Wants& wants) const {
    wants.readable(client_->wake_fd());
    if (step_ != Step::records) return;
    wants.readable(wake_.fd());
    wants.until(std::min(progressed_at_ + kPatience, report_at_));
}

Result<void> PositionReader::take(const rd_kafka_event_t* event) {
    const auto expected = [&] {
        switch (rd_kafka_event_type(event)) {
            case RD_KAFKA_EVENT_DESCRIBETOPICS_RESULT: return step_ == Step::topic;
            case RD_KAFKA_EVENT_CREATETOPICS_RESULT: return step_ == Step::controller;
            case RD_KAFKA_EVENT_DESCRIBECONFIGS_RESULT: return step_ == Step::settings;
            case RD_KAFKA_EVENT_LISTOFFSETS_RESULT: return step_ == Step::end;
            default: return false;
        }
    };
    if (!expected()) return {};
    if (rd_kafka_event_error(const_cast<rd_kafka_event_t*>(event)) != RD_KAFKA_RESP_ERR_NO_ERROR) {
        return std::unexpected(position_silence(*client_, event, kUnreadable, deps_.hints));
    }
    client_->answered();
    auto next = step_ == Step::topic        ? take_topic(event)
                : step_ == Step::controller ? take_controller(event)
                : step_ == Step::settings   ? take_settings(event)
                                            : take_end(event);
    if (!next) return std::unexpected(std::move(next.error()));
    step_ = *next;
    return {};
}

Error PositionReader::refused(const KafkaAnswer& answer) const {
    return position_error(answer, kUnreadable, deps_.hints);
}

Result<PositionReader::Step> PositionReader::take_topic(const rd_kafka_event_t* event) {
    const TopicAnswer topic = topic_in(event);
    if (topic.code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) {
        ask_to_create(*client_, deps_.config, true);
        return Step::controller;
    }
    if (!topic.good()) return std::unexpected(refused(topic));
    if (topic.partitions != 1) {
        return std::unexpected(
            stop(Error::Category::configuration,
                 fmt::format("the topic of positions has {} partitions: with more than one the "
                             "order of positions is not kept",
                             topic.partitions))
                .at(deps_.hints.where())
                .with_hint(deps_.hints.make_anew()));
    }
    ask_for_settings(*client_, deps_.config.name);
    return Step::settings;
}

// The topic is not created by this; it would be.
Result<PositionReader::Step> PositionReader::take_controller(const rd_kafka_event_t* event) {
    const KafkaAnswer answer = creation_in(event);
    if (answer.good()) return Step::missing;
    if (answer.code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
        return std::unexpected(
            retry(Error::Category::server,
                  "the topic of positions is there, but this broker does not know it yet")
                .at(deps_.hints.where()));
    }
    Error error = position_error(answer, "the topic of positions is missing and can't be created",
                                 deps_.hints);
    if (error.category == Error::Category::permission) {
        if (!deps_.config.create) return Step::missing;
        error.hint = deps_.hints.create() + "; or let pg-capture create it: " + error.hint;
    }
    return std::unexpected(std::move(error));
}

Result<PositionReader::Step> PositionReader::take_settings(const rd_kafka_event_t* event) {
    const SettingsAnswer settings = settings_in(event);
    if (!settings.good()) return std::unexpected(refused(settings));
    if (settings.cleanup_policy != "compact") {
        return std::unexpected(
            stop(Error::Category::configuration,
                 fmt::format("the topic of positions is not compacted only: its cleanup.policy is "
                             "{}, so positions would be removed with age",
                             settings.cleanup_policy))
                .at(deps_.hints.where())
                .with_hint(deps_.hints.compact()));
    }
    ask_for_end(*client_, deps_.config.name, deps_.config.only_settled);
    return Step::end;
}

Result<PositionReader::Step> PositionReader::take_end(const rd_kafka_event_t* event) {
    const EndAnswer end = end_in(event);
    if (!end.good()) return std::unexpected(refused(end));
    end_ = end.offset;
    return end_ == 0 ? Step::found : begin_records();
}

Result<PositionReader::Step> PositionReader::begin_records() {
    constexpr std::uint64_t one = 1;  // what an eventfd is notified with
    topic_ = rd_kafka_topic_new(client_->handle(), deps_.config.name.c_str(), nullptr);
    if (topic_ == nullptr) return std::unexpected(refused({rd_kafka_last_error(), {}}));
    queue_ = rd_kafka_queue_new(client_->handle());
    rd_kafka_queue_io_event_enable(queue_, wake_.fd(), &one, sizeof one);
    if (rd_kafka_consume_start_queue(topic_, 0, RD_KAFKA_OFFSET_BEGINNING, queue_) != 0) {
        const auto code = rd_kafka_last_error();
        rd_kafka_topic_destroy(std::exchange(topic_, nullptr));
        return std::unexpected(refused({code, {}}));
    }
    progressed_at_ = deps_.clock.now();
    report_at_ = progressed_at_ + kReport_every;
    return Step::records;
}

Result<void> PositionReader::take_records() {
    wake_.clear();
    for (int i = 0; i < kRecordsAtOnce; ++i) {
        const Message record(rd_kafka_consume_queue(queue_, 0));
        if (!record) break;
        if (auto taken = take_record(*record); !taken) return taken;
        if (next_ >= end_) {
            step_ = Step::found;
            return {};
        }
        // What is left does not wake us a second time.
        if (i == kRecordsAtOnce - 1) wake_.notify();
    }
    const Instant now = deps_.clock.now();
    if (now >= report_at_) {
        deps_.logger.info("reading the topic of positions", {{"at", next_}, {"of", end_}});
        report_at_ = now + kReport_every;
    }
    if (now - progressed_at_ < kPatience) return {};
    if (const auto trouble = client_->trouble()) return std::unexpected(trouble->error);
    return std::unexpected(refused({RD_KAFKA_RESP_ERR__TIMED_OUT, {}}));
}

Result<void> PositionReader::take_record(const rd_kafka_message_t& record) {
    if (record.err == RD_KAFKA_RESP_ERR__PARTITION_EOF) {
        next_ = std::max(next_, record.offset);
        return {};
    }
    if (record.err != RD_KAFKA_RESP_ERR_NO_ERROR) {
        const char* text = rd_kafka_message_errstr(&record);
        return std::unexpected(refused({record.err, text == nullptr ? "" : text}));
    }
    next_ = record.offset + 1;
    progressed_at_ = deps_.clock.now();
    const std::string_view key{static_cast<const char*>(record.key), record.key_len};
    if (record.key == nullptr || key != deps_.key) return {};
    if (record.payload == nullptr) {
        value_.reset();
    } else {
        value_.emplace(static_cast<const char*>(record.payload), record.len);
    }
    return {};
}

void PositionReader::stop_records() {
    if (topic_ != nullptr) {
        rd_kafka_consume_stop(topic_, 0);
        rd_kafka_topic_destroy(topic_);
    }
    if (queue_ != nullptr) {
        rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
        rd_kafka_queue_destroy(queue_);
    }
}

}  // namespace pgc
