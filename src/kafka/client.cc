#include "kafka/client.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <iterator>
#include <utility>

#include "base/redact.h"
#include "kafka/errors.h"

namespace pgc {
namespace {

constexpr std::uint64_t kOne = 1;  // what an eventfd is notified with

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

// "sasl_ssl://kafka1:9093/1: Connect to … failed: refused (after 3ms in state CONNECT)" names
// its broker first, in plain text without the scheme, and ends with what changes each time.
struct LogParts {
    std::string_view broker;  // empty: not of one broker
    std::string_view reason;
};
LogParts parse(std::string_view text) {
    LogParts parts{{}, text};
    const auto end = text.find(": ");
    auto broker = text.substr(0, end);
    if (const auto scheme = broker.find("://"); scheme != std::string_view::npos) {
        broker.remove_prefix(scheme + 3);
    }
    const auto slash = broker.rfind('/');
    if (end != std::string_view::npos && slash != std::string_view::npos &&
        broker.find(' ') == std::string_view::npos) {
        parts = {broker.substr(0, slash), text.substr(end + 2)};
    }
    parts.reason = parts.reason.substr(0, parts.reason.rfind(" (after "));
    return parts;
}

LogLevel level_of(int syslog, std::string_view facility) noexcept {
    // Of brokers that fail, trouble() reports, of fatal errors failed(). The others are no news: a
    // property of our own choice, a retry, records that their owner has purged.
    constexpr std::string_view reported[] = {"FAIL",     "ERROR",  "FATAL",
                                             "CONFWARN", "GETPID", "TERMINATE"};
    if (syslog > 4 || std::ranges::find(reported, facility) != std::end(reported))
        return LogLevel::debug;
    return LogLevel::warning;
}

}  // namespace

Result<std::unique_ptr<KafkaClient>> KafkaClient::make(const Deps& deps) {
    std::unique_ptr<KafkaClient> client(new KafkaClient(deps));
    if (auto started = client->start(deps); !started) {
        return std::unexpected(std::move(started.error()));
    }
    return client;
}

KafkaClient::KafkaClient(const Deps& deps) : clock_(deps.clock), logger_(deps.logger) {}

KafkaClient::~KafkaClient() {
    if (client_ == nullptr) return;
    rd_kafka_queue_io_event_enable(queue_, -1, nullptr, 0);
    rd_kafka_queue_destroy(queue_);
    rd_kafka_destroy_flags(client_, RD_KAFKA_DESTROY_F_NO_CONSUMER_CLOSE);
}

Result<void> KafkaClient::start(const Deps& deps) {
    auto properties = connection_properties(deps.config);
    if (!properties) return std::unexpected(std::move(properties.error()));
    secrets_ = std::move(properties->secrets);
    properties->all.insert(properties->all.end(), deps.properties.begin(), deps.properties.end());
    // A producer's look-up of a topic makes brokers create it by default, as they like it.
    properties->all.push_back({"allow.auto.create.topics", "false"});

    std::array<char, 512> reason{};
    Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
    for (const auto& [name, value] : properties->all) {
        if (rd_kafka_conf_set(conf.get(), name.c_str(), value.c_str(), reason.data(),
                              reason.size()) != RD_KAFKA_CONF_OK) {
            return std::unexpected(stop(Error::Category::configuration,
                                        fmt::format("Kafka's property {} can't be set: {}", name,
                                                    scrubbed(reason.data()))));
        }
    }
    rd_kafka_conf_set_opaque(conf.get(), this);
    rd_kafka_conf_set_log_cb(conf.get(), &KafkaClient::log);
    rd_kafka_conf_set_events(conf.get(),
                             RD_KAFKA_EVENT_DR | RD_KAFKA_EVENT_ERROR | RD_KAFKA_EVENT_FETCH);
    const auto type = deps.kind == Kind::producer ? RD_KAFKA_PRODUCER : RD_KAFKA_CONSUMER;
    client_ = rd_kafka_new(type, conf.get(), reason.data(), reason.size());
    if (client_ == nullptr) {
        auto error = kafka_error(rd_kafka_last_error(), "no Kafka client can be made",
                                 scrubbed(reason.data()));
        if (deps.config.security.encrypted()) {
            error.hint = "check the files that kafka.security names: ca, certificate and key";
        }
        return std::unexpected(std::move(error));
    }
    (void)conf.release();  // is the client's now
    queue_ = rd_kafka_queue_get_main(client_);
    rd_kafka_queue_io_event_enable(queue_, wake_.fd(), &kOne, sizeof kOne);
    return {};
}

KafkaEvent KafkaClient::poll() {
    for (bool cleared = false;;) {
        KafkaEvent event(rd_kafka_queue_poll(queue_, 0));
        if (event == nullptr) {
            if (cleared) return nullptr;
            wake_.clear();  // what came before that is found now, what comes after wakes again
            cleared = true;
            continue;
        }
        if (rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_ERROR) return event;
        if (!rd_kafka_event_error_is_fatal(event.get())) {
            auto* const partition = rd_kafka_event_topic_partition(event.get());
            if (partition != nullptr) {
                rd_kafka_topic_partition_destroy(partition);
                return event;
            }
        }
        take_error(event.get());
    }
}

void KafkaClient::take_error(rd_kafka_event_t* event) {
    const auto code = rd_kafka_event_error(event);
    const std::string text = scrubbed(rd_kafka_event_error_string(event));
    if (rd_kafka_event_error_is_fatal(event) != 0) {
        if (!failed_) failed_ = kafka_error(code, "the Kafka client can't continue", text);
        return;
    }
    logger_.debug("librdkafka reports an error",
                  {{"code", kafka_error_name(code)}, {"text", text}});
    if (code == RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN) {
        broker_errors_.all_down(kafka_error(code, "Kafka can't be reached", text), clock_.now());
        return;
    }
    const LogParts parts = parse(text);
    broker_errors_.add(parts.broker, kafka_error(code, "Kafka can't be reached", parts.reason),
                       clock_.now());
}

std::optional<KafkaClient::Trouble> KafkaClient::trouble() const {
    return broker_errors_.worst(clock_.now());
}

void KafkaClient::answered() noexcept {
    broker_errors_.clear();
}

std::string KafkaClient::scrubbed(std::string_view text) const {
    return redacted(text, secrets_);
}

void KafkaClient::log(const rd_kafka_t* client, int level, const char* facility, const char* text) {
    const auto& self = *static_cast<const KafkaClient*>(rd_kafka_opaque(client));
    const LogLevel ours = level_of(level, facility);
    if (!self.logger_.enabled(ours)) return;
    self.logger_.write(ours, "librdkafka says",
                       {{"facility", facility}, {"text", self.scrubbed(text)}});
}

}  // namespace pgc
