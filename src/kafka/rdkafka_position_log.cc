#include "kafka/rdkafka_position_log.h"

#include <utility>

namespace pgc {

RdKafkaPositionLog::RdKafkaPositionLog(PositionTopicConfig config, std::string key,
                                       const Clock& clock, Logger logger)
    : config_(std::move(config)),
      hints_(config_, key),
      key_(std::move(key)),
      clock_(clock),
      logger_(std::move(logger)) {}

void RdKafkaPositionLog::read() {
    reader_.reset();
}

Result<std::optional<PositionLog::Tail>> RdKafkaPositionLog::tail() {
    if (!reader_) {
        auto made = PositionReader::make(
            {.config = config_, .hints = hints_, .clock = clock_, .key = key_, .logger = logger_});
        if (!made) return std::unexpected(std::move(made.error()));
        reader_ = std::move(*made);
    }
    auto found = reader_->look();
    if (!found || *found) reader_.reset();
    return found;
}

void RdKafkaPositionLog::create() {
    maker_.reset();
}

Result<bool> RdKafkaPositionLog::created() {
    if (!maker_) {
        auto made = PositionTopicMaker::make(config_, hints_, clock_, logger_);
        if (!made) return std::unexpected(std::move(made.error()));
        maker_ = std::move(*made);
    }
    auto done = maker_->made();
    if (!done || *done) maker_.reset();
    return done;
}

void RdKafkaPositionLog::append(std::string value) {
    value_ = std::move(value);
    sent_ = false;
}

Result<bool> RdKafkaPositionLog::appended() {
    if (auto sent = send(); !sent) {
        appender_.reset();
        return std::unexpected(std::move(sent.error()));
    }
    auto done = appender_->appended();
    if (!done) appender_.reset();
    return done;
}

Result<void> RdKafkaPositionLog::send() {
    if (!appender_) {
        auto made = PositionAppender::make(config_, hints_, clock_, logger_);
        if (!made) return std::unexpected(std::move(made.error()));
        appender_ = std::move(*made);
    }
    if (std::exchange(sent_, true)) return {};
    return appender_->append(key_, value_);
}

void RdKafkaPositionLog::wants(Wants& wants) const {
    if (reader_) reader_->wants(wants);
    if (maker_) maker_->wants(wants);
    if (appender_) appender_->wants(wants);
}

}  // namespace pgc
