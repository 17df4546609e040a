#include "sink/kafka/rdkafka_producer.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <charconv>
#include <thread>
#include <utility>

#include "sink/kafka/producer_properties.h"

namespace pgc {
namespace {

constexpr bool is(KafkaCode code, rd_kafka_resp_err_t same) {
    return static_cast<int>(code) == static_cast<int>(same);
}
static_assert(is(KafkaCode::none, RD_KAFKA_RESP_ERR_NO_ERROR) &&
              is(KafkaCode::local_queue_full, RD_KAFKA_RESP_ERR__QUEUE_FULL) &&
              is(KafkaCode::local_unknown_partition, RD_KAFKA_RESP_ERR__UNKNOWN_PARTITION) &&
              is(KafkaCode::local_unknown_topic, RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC) &&
              is(KafkaCode::local_timed_out, RD_KAFKA_RESP_ERR__TIMED_OUT) &&
              is(KafkaCode::local_transport, RD_KAFKA_RESP_ERR__TRANSPORT) &&
              is(KafkaCode::local_fatal, RD_KAFKA_RESP_ERR__FATAL) &&
              is(KafkaCode::unknown_topic, RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) &&
              is(KafkaCode::leader_not_available, RD_KAFKA_RESP_ERR_LEADER_NOT_AVAILABLE) &&
              is(KafkaCode::request_timed_out, RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT) &&
              is(KafkaCode::message_too_large, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE) &&
              is(KafkaCode::topic_refused, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED) &&
              is(KafkaCode::topic_exists, RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) &&
              is(KafkaCode::out_of_order, RD_KAFKA_RESP_ERR_OUT_OF_ORDER_SEQUENCE_NUMBER));

KafkaCode ours(rd_kafka_resp_err_t code) noexcept {
    return static_cast<KafkaCode>(code);
}
rd_kafka_topic_t* theirs(KafkaTopic* topic) noexcept {
    return reinterpret_cast<rd_kafka_topic_t*>(topic);
}
KafkaTopic* ours(rd_kafka_topic_t* topic) noexcept {
    return reinterpret_cast<KafkaTopic*>(topic);
}

// A tag travels as a message's opaque.
static_assert(sizeof(void*) == sizeof(KafkaTag));
void* opaque(KafkaTag tag) noexcept {
    return std::bit_cast<void*>(tag);
}
KafkaTag tag_of(void* as_opaque) noexcept {
    return std::bit_cast<KafkaTag>(as_opaque);
}

// An empty value is none to librdkafka when it has no address.
char kEmpty[1] = {};

void* lent_value(const Record& record) noexcept {
    if (!record.has_value) return nullptr;
    return record.value.empty() ? kEmpty : const_cast<char*>(record.value.data());
}
void* key_of(const Record& record) noexcept {
    if (!record.has_key) return nullptr;
    return record.key.empty() ? kEmpty : const_cast<char*>(record.key.data());
}

// What librdkafka is given of a record.
class Parts {
public:
    // librdkafka would ask the clock for each record.
    explicit Parts(WallTime now) {
        constexpr rd_kafka_vtype_t types[] = {
            RD_KAFKA_VTYPE_TIMESTAMP, RD_KAFKA_VTYPE_RKT, RD_KAFKA_VTYPE_PARTITION,
            RD_KAFKA_VTYPE_VALUE,     RD_KAFKA_VTYPE_KEY, RD_KAFKA_VTYPE_SERIALIZED_HEADERS,
            RD_KAFKA_VTYPE_OPAQUE};
        for (std::size_t i = 0; i < parts_.size(); ++i) parts_[i].vtype = types[i];
        parts_[0].u.i64 = now.unix_us / 1000;
    }

    KafkaCode produce(rd_kafka_t* client, const KafkaOutgoing& out, std::string_view headers) {
        const Record& record = *out.record;
        parts_[1].u.rkt = theirs(out.topic);
        parts_[2].u.i32 = out.partition;
        parts_[3].u.mem = {lent_value(record), record.has_value ? record.value.size() : 0};
        parts_[4].u.mem = {key_of(record), record.has_key ? record.key.size() : 0};
        parts_[5].u.mem = {const_cast<char*>(headers.data()), headers.size()};
        parts_[6].u.ptr = opaque(out.tag);
        rd_kafka_error_t* error = rd_kafka_produceva(client, parts_.data(), parts_.size());
        if (error == nullptr) [[likely]] {
            return KafkaCode::none;
        }
        const KafkaCode code = rd_kafka_error_is_fatal(error) != 0
                                   ? KafkaCode::local_fatal
                                   : ours(rd_kafka_error_code(error));
        rd_kafka_error_destroy(error);
        return code;
    }

private:
    std::array<rd_kafka_vu_t, 7> parts_;
};

}  // namespace

RdKafkaProducer::RdKafkaProducer(std::unique_ptr<KafkaClient> client, Duration answer_max)
    : client_(std::move(client)), answer_max_(answer_max) {}

RdKafkaProducer::~RdKafkaProducer() {
    calls_.reset();
    for (const auto& [name, topic] : topics_) rd_kafka_topic_destroy(topic);
}

KafkaTopic* RdKafkaProducer::topic(const std::string& name) {
    const auto found = topics_.find(name);
    if (found != topics_.end()) return ours(found->second);
    rd_kafka_topic_t* made = rd_kafka_topic_new(client_->handle(), name.c_str(), nullptr);
    assert(made != nullptr);  // fails only on a bad topic configuration, and there is none
    topics_.emplace(name, made);
    return ours(made);
}

KafkaProducer::Taken RdKafkaProducer::produce(std::span<const KafkaOutgoing> records,
                                              bool place_headers) {
    Taken taken;
    Parts parts{client_->clock().wall()};
    headers_.forget();
    for (const KafkaOutgoing& out : records) {
        taken.refused =
            parts.produce(client_->handle(), out, headers_.of(*out.record, place_headers));
        if (taken.refused != KafkaCode::none) break;
        ++taken.records;
    }
    lent_ += taken.records;
    return taken;
}

KafkaCode RdKafkaProducer::produce(const KafkaOutgoing& record,
                                   std::span<const RecordHeader> headers) {
    Parts parts{client_->clock().wall()};
    const KafkaCode code = parts.produce(client_->handle(), record, headers_.of(headers));
    if (code == KafkaCode::none) ++lent_;
    return code;
}

void RdKafkaProducer::initialise() {
    calls_ = std::make_unique<KafkaTransactionCalls>(*client_);
    calls_->ask(KafkaTransactionCalls::Step::initialised);
}

KafkaCode RdKafkaProducer::begin() {
    rd_kafka_error_t* error = rd_kafka_begin_transaction(client_->handle());
    if (error == nullptr) {
        in_transaction_ = true;
        return KafkaCode::none;
    }
    const KafkaCode code = ours(rd_kafka_error_code(error));
    rd_kafka_error_destroy(error);
    return code;
}

void RdKafkaProducer::commit() {
    calls_->ask(KafkaTransactionCalls::Step::committed);
}

void RdKafkaProducer::abandon(Duration time) {
    if (calls_) calls_->end();
    if (!std::exchange(in_transaction_, false) || may_arrive_) return;
    rd_kafka_error_t* error = rd_kafka_abort_transaction(
        client_->handle(), static_cast<int>(time / std::chrono::milliseconds{1}));
    if (error != nullptr) rd_kafka_error_destroy(error);
}

rd_kafka_AdminOptions_t* RdKafkaProducer::options_for(To to, std::vector<std::string> topics) {
    constexpr rd_kafka_admin_op_t ops[] = {RD_KAFKA_ADMIN_OP_DESCRIBETOPICS,
                                           RD_KAFKA_ADMIN_OP_CREATETOPICS,
                                           RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS};
    auto asked = std::make_unique<Asked>(Asked{to, std::move(topics)});
    rd_kafka_AdminOptions_t* options =
        rd_kafka_AdminOptions_new(client_->handle(), ops[static_cast<std::size_t>(to)]);
    std::array<char, 256> text;
    const auto timeout = std::chrono::duration_cast<std::chrono::milliseconds>(answer_max_);
    rd_kafka_AdminOptions_set_request_timeout(options, static_cast<int>(timeout.count()),
                                              text.data(), text.size());
    rd_kafka_AdminOptions_set_opaque(options, asked.get());
    void* const key = asked.get();
    asked_.emplace(key, std::move(asked));
    return options;
}

void RdKafkaProducer::look_up(std::span<const std::string> topics) {
    std::vector<const char*> names;
    for (const std::string& name : topics) names.push_back(name.c_str());
    rd_kafka_TopicCollection_t* all =
        rd_kafka_TopicCollection_of_topic_names(names.data(), names.size());
    rd_kafka_AdminOptions_t* options = options_for(To::look_up, {topics.begin(), topics.end()});
    rd_kafka_DescribeTopics(client_->handle(), all, options, client_->queue());
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_TopicCollection_destroy(all);
}

void RdKafkaProducer::create(std::span<const KafkaNewTopic> topics) {
    std::array<char, 256> text;
    std::vector<rd_kafka_NewTopic_t*> all;
    std::vector<std::string> names;
    for (const KafkaNewTopic& wanted : topics) {
        rd_kafka_NewTopic_t* made =
            rd_kafka_NewTopic_new(wanted.name.c_str(), wanted.partitions, wanted.replication_factor,
                                  text.data(), text.size());
        assert(made != nullptr);  // the options' ranges are narrower than the library's
        for (const auto& [name, value] : wanted.config) {
            rd_kafka_NewTopic_set_config(made, name.c_str(), value.c_str());
        }
        all.push_back(made);
        names.push_back(wanted.name);
    }
    rd_kafka_AdminOptions_t* options = options_for(To::create, std::move(names));
    rd_kafka_CreateTopics(client_->handle(), all.data(), all.size(), options, client_->queue());
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_NewTopic_destroy_array(all.data(), all.size());
}

void RdKafkaProducer::limits(std::span<const std::string> topics) {
    std::vector<rd_kafka_ConfigResource_t*> all;
    for (const std::string& name : topics) {
        all.push_back(rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, name.c_str()));
    }
    rd_kafka_AdminOptions_t* options = options_for(To::limits, {topics.begin(), topics.end()});
    rd_kafka_DescribeConfigs(client_->handle(), all.data(), all.size(), options, client_->queue());
    rd_kafka_AdminOptions_destroy(options);
    rd_kafka_ConfigResource_destroy_array(all.data(), all.size());
}

void RdKafkaProducer::collect(KafkaReports& into) {
    while (const KafkaEvent event = client_->poll()) {
        if (rd_kafka_event_type(event.get()) == RD_KAFKA_EVENT_DR) {
            take_deliveries(event.get(), into);
            continue;
        }
        const auto found = asked_.find(rd_kafka_event_opaque(event.get()));
        if (found == asked_.end()) continue;
        if (rd_kafka_event_error(event.get()) != RD_KAFKA_RESP_ERR_NO_ERROR) {
            take_unanswered(*found->second, event.get(), into);
        } else {
            switch (found->second->to) {
                case To::look_up: take_topics(event.get(), into); break;
                case To::create: take_created(event.get(), into); break;
                case To::limits: take_limits(event.get(), into); break;
            }
        }
        asked_.erase(found);
    }
    if (!into.written.empty()) client_->answered();
    if (calls_) into.transaction = calls_->take();
    if (into.transaction && !into.transaction->failed) {
        client_->answered();
        in_transaction_ = false;
    }
    if (client_->failed() && !reported_fatal_) {
        into.fatal = client_->failed();
        reported_fatal_ = true;
    }
    if (auto trouble = client_->trouble()) into.trouble = std::move(trouble->error);
}

void RdKafkaProducer::take_deliveries(rd_kafka_event_t* event, KafkaReports& into) {
    while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event)) {
        --lent_;
        if (message->err == RD_KAFKA_RESP_ERR_NO_ERROR) [[likely]] {
            const std::uint32_t batch = tag_of(message->_private).batch;
            if (into.written.empty() || into.written.back().batch != batch) {
                into.written.push_back({.batch = batch, .records = 0});
            }
            ++into.written.back().records;
        } else {
            into.failed.push_back({.tag = tag_of(message->_private),
                                   .code = ours(message->err),
                                   .partition = message->partition,
                                   .topic = ours(message->rkt)});
        }
    }
}

void RdKafkaProducer::take_unanswered(const Asked& asked, rd_kafka_event_t* event,
                                      KafkaReports& into) {
    const char* text = rd_kafka_event_error_string(event);
    for (const std::string& topic : asked.topics) {
        into.answers.push_back({.to = asked.to,
                                .topic = topic,
                                .code = ours(rd_kafka_event_error(event)),
                                .text = text == nullptr ? "" : text});
    }
}

void RdKafkaProducer::take_topics(const rd_kafka_event_t* event, KafkaReports& into) {
    std::size_t count = 0;
    const rd_kafka_TopicDescription_t** topics = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(const_cast<rd_kafka_event_t*>(event)), &count);
    for (const auto* topic : std::span{topics, count}) {
        const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topic);
        std::size_t partitions = 0;
        (void)rd_kafka_TopicDescription_partitions(topic, &partitions);
        into.answers.push_back({.to = To::look_up,
                                .topic = rd_kafka_TopicDescription_name(topic),
                                .code = ours(rd_kafka_error_code(error)),
                                .partitions = static_cast<std::int32_t>(partitions)});
    }
}

void RdKafkaProducer::take_created(const rd_kafka_event_t* event, KafkaReports& into) {
    std::size_t count = 0;
    const rd_kafka_topic_result_t** topics = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(const_cast<rd_kafka_event_t*>(event)), &count);
    for (const auto* topic : std::span{topics, count}) {
        const char* text = rd_kafka_topic_result_error_string(topic);
        into.answers.push_back({.to = To::create,
                                .topic = rd_kafka_topic_result_name(topic),
                                .code = ours(rd_kafka_topic_result_error(topic)),
                                .text = text == nullptr ? "" : text});
    }
}

void RdKafkaProducer::take_limits(const rd_kafka_event_t* event, KafkaReports& into) {
    std::size_t count = 0;
    const rd_kafka_ConfigResource_t** topics = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(const_cast<rd_kafka_event_t*>(event)), &count);
    for (const auto* topic : std::span{topics, count}) {
        KafkaReports::Answer answer{.to = To::limits,
                                    .topic = rd_kafka_ConfigResource_name(topic),
                                    .code = ours(rd_kafka_ConfigResource_error(topic))};
        std::size_t entries = 0;
        const rd_kafka_ConfigEntry_t** all = rd_kafka_ConfigResource_configs(topic, &entries);
        for (const auto* entry : std::span{all, entries}) {
            if (std::string_view{rd_kafka_ConfigEntry_name(entry)} != "max.message.bytes") continue;
            const char* value = rd_kafka_ConfigEntry_value(entry);
            const std::string_view text = value == nullptr ? "" : value;
            std::from_chars(text.data(), text.data() + text.size(), answer.message_bytes_max);
        }
        into.answers.push_back(std::move(answer));
    }
}

bool RdKafkaProducer::purge(const Clock& clock, Duration time) {
    if (lent_ == 0) return true;
    rd_kafka_purge(client_->handle(), RD_KAFKA_PURGE_F_QUEUE | RD_KAFKA_PURGE_F_INFLIGHT |
                                          RD_KAFKA_PURGE_F_NON_BLOCKING);
    const Instant until = clock.now() + time;
    while (lent_ > 0 && clock.now() < until) {
        const KafkaEvent event{rd_kafka_queue_poll(client_->queue(), 5)};
        if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
        while (const rd_kafka_message_t* message = rd_kafka_event_message_next(event.get())) {
            --lent_;
            if (message->err == RD_KAFKA_RESP_ERR__PURGE_INFLIGHT) may_arrive_ = true;
        }
    }
    if (lent_ > 0) may_arrive_ = true;
    return lent_ == 0;
}

RdKafkaProducers::RdKafkaProducers(const KafkaConfig& config, const Clock& clock, Logger logger)
    : config_(config), clock_(clock), logger_(std::move(logger)) {}

RdKafkaProducers::~RdKafkaProducers() {
    std::unique_lock lock{ending_->mutex};
    ending_->changed.wait_for(lock, kEnd_max, [this] { return ending_->count == 0; });
}

Result<std::unique_ptr<KafkaProducer>> RdKafkaProducers::make(std::size_t batch_bytes) {
    const auto properties = producer_properties(config_, batch_bytes);
    auto client = KafkaClient::make({.config = config_.connection,
                                     .kind = KafkaClient::Kind::producer,
                                     .properties = properties,
                                     .clock = clock_,
                                     .logger = logger_});
    if (!client) return std::unexpected(std::move(client.error()));
    return std::make_unique<RdKafkaProducer>(std::move(*client));
}

void RdKafkaProducers::retire(std::unique_ptr<KafkaProducer> producer,
                              std::vector<RecordBatch> lent) {
    auto& ours = static_cast<RdKafkaProducer&>(*producer);
    if (ours.purge(clock_, kPurge_max)) lent.clear();
    {
        const std::lock_guard lock{ending_->mutex};
        ++ending_->count;
    }
    std::thread{[ending = ending_, producer = std::move(producer),
                 lent = std::move(lent)]() mutable {
        static_cast<RdKafkaProducer&>(*producer).abandon(kAbandon_max);
        producer.reset();  // joins librdkafka's threads, however long a name look-up takes
        lent.clear();
        const std::lock_guard lock{ending->mutex};
        --ending->count;
        ending->changed.notify_all();
    }}.detach();
}

}  // namespace pgc
