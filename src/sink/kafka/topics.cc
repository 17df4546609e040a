#include "sink/kafka/topics.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "kafka/errors.h"

namespace pgc {
namespace {

rd_kafka_resp_err_t native(KafkaCode code) noexcept {
    return static_cast<rd_kafka_resp_err_t>(code);
}

Error missing(const std::string& name, const KafkaConfig& config) {
    return stop(Error::Category::sink, "the topic does not exist, and we are not to create it")
        .at("topic " + name)
        .with_hint(fmt::format(
            "create it: kafka-topics.sh --bootstrap-server {} --create --topic "
            "{} --partitions {}; or set kafka.topics.create: true",
            config.connection.brokers.empty() ? "BROKER" : config.connection.brokers.front(), name,
            config.topics.partitions));
}

}  // namespace

KafkaTopics::KafkaTopics(Deps deps)
    : config_(deps.config),
      producer_(deps.producer),
      clock_(deps.clock),
      logger_(std::move(deps.logger)),
      created_(deps.metrics.counter(Metric::kafka_topics_created_total)),
      names_(deps.config) {}

Result<KafkaTopics::Route*> KafkaTopics::find(const Record& record) {
    if (record.destination == Destination::dead_letters) return dead_letters();
    if (record.destination == Destination::transactions) {
        return shared(transactions_, names_.transactions(), Use::transactions);
    }
    if (record.destination == Destination::heartbeats) {
        return shared(heartbeats_, names_.heartbeats(), Use::heartbeats);
    }
    const Relation* relation = record.relation;
    if (relation == nullptr) {
        return shared(messages_, names_.messages(), Use::changes, config_.partitioning);
    }
    Version* version = versions_.find(*relation);
    if (version == nullptr) {
        const auto found = topic_of(*relation);
        if (!found) return std::unexpected(found.error());
        version = versions_.keep(*relation, {.topic = *found, .route = {}});
    }
    const Topic& own = *version->topic;
    if (own.state != State::ready) return nullptr;
    return &version->route.emplace(
        Route{&own, {config_.partitioning, qualified_name(*relation), own.partitions}});
}

// Of a topic that is not a table's; null while it is on its way.
KafkaTopics::Route* KafkaTopics::shared(std::optional<Route>& route, const std::string& name,
                                        Use use, const KafkaPartitioning& partitioning) {
    if (route) return &*route;
    Topic& found = topic(name);
    found.use = use;
    if (found.state != State::ready) return nullptr;
    return &route.emplace(Route{&found, {partitioning, found.name, found.partitions}});
}

Result<KafkaTopics::Topic*> KafkaTopics::topic_of(const Relation& relation) {
    auto named = names_.of_table(relation.schema, relation.name);
    if (!named) return std::unexpected(std::move(named.error()));
    const bool is_new = !topics_.contains(named->name);
    Topic& of_table = topic(named->name);
    if (is_new && !named->lookalike.empty()) {
        logger_.warning("two topics differ only in . and _: Kafka mixes up their metrics",
                        {{"topic", named->name}, {"other", named->lookalike}});
    }
    return &of_table;
}

Result<KafkaTopics::Route*> KafkaTopics::dead_letters() {
    return shared(dead_letters_, names_.dead_letters(), Use::dead_letters);
}

KafkaTopics::Topic& KafkaTopics::topic(const std::string& name) {
    const auto found = topics_.find(name);
    if (found != topics_.end()) return *found->second;
    auto made = std::make_unique<Topic>();
    made->name = name;
    made->handle = producer_.topic(name);
    on_the_way_.push_back(made.get());
    return *topics_.emplace(name, std::move(made)).first->second;
}

std::vector<std::string> KafkaTopics::due(State state) {
    std::vector<std::string> names;
    const Instant now = clock_.now();
    for (const Topic* topic : on_the_way_) {
        if (topic->state != state || topic->not_before > now) continue;
        names.push_back(topic->name);
        if (names.size() == kAsked_max) break;
    }
    return names;
}

void KafkaTopics::ask() {
    if (on_the_way_.empty()) return;
    ask_for(State::wanted, State::asked);
    ask_for(State::known, State::measured);
    create();
}

void KafkaTopics::ask_for(State state, State then) {
    for (auto names = due(state); !names.empty(); names = due(state)) {
        for (const std::string& name : names) enter(*topics_.find(name)->second, then);
        if (then == State::asked) {
            producer_.look_up(names);
        } else {
            producer_.limits(names);
        }
    }
}

void KafkaTopics::create() {
    for (auto names = due(State::missing); !names.empty(); names = due(State::missing)) {
        std::vector<KafkaNewTopic> wanted;
        for (const std::string& name : names) {
            Topic& topic = *topics_.find(name)->second;
            wanted.push_back(new_topic(config_, topic.name, topic.use));
            enter(topic, State::creating);
        }
        producer_.create(wanted);
    }
}

KafkaNewTopic KafkaTopics::new_topic(const KafkaConfig& config, const std::string& name, Use use) {
    const bool one = use == Use::transactions || use == Use::heartbeats;
    KafkaNewTopic wanted{.name = name,
                         // In one, marks have the order of commits, and heartbeats that of time.
                         .partitions = one ? 1 : config.topics.partitions,
                         .replication_factor = config.topics.replication_factor,
                         .config = {}};
    const bool counts = use == Use::transactions || use == Use::dead_letters;
    for (const auto& [key, value] : config.topics.config) {
        // Each dead letter counts, and it is there because it was large; each mark counts, too, and
        // is large where a transaction has many tables.
        if (counts && (key == "cleanup.policy" || key == "max.message.bytes")) {
            continue;
        }
        wanted.config.emplace_back(key, value);
    }
    if (counts) {
        wanted.config.emplace_back("max.message.bytes", std::to_string(kDead_letter_bytes));
    }
    return wanted;
}

void KafkaTopics::enter(Topic& topic, State state, Duration pause) {
    topic.state = state;
    topic.not_before = clock_.now() + pause;
    if (state == State::ready) std::erase(on_the_way_, &topic);
}

Result<void> KafkaTopics::answered(const KafkaReports::Answer& answer) {
    using enum KafkaReports::Answer::To;
    const auto found = topics_.find(answer.topic);
    if (found == topics_.end()) return {};
    Topic& topic = *found->second;
    switch (answer.to) {
        case look_up: return looked_up(topic, answer);
        case KafkaReports::Answer::To::create: return create_answered(topic, answer);
        case limits: return limit_answered(topic, answer);
    }
    return {};
}

Result<void> KafkaTopics::looked_up(Topic& topic, const KafkaReports::Answer& answer) {
    if (answer.code == KafkaCode::none && answer.partitions > 0) {
        topic.partitions = answer.partitions;
        enter(topic, State::known);
        return {};
    }
    if (answer.code == KafkaCode::unknown_topic && !topic.created) {
        if (!config_.topics.create) return std::unexpected(missing(topic.name, config_));
        enter(topic, State::missing);
        return {};
    }
    // Just created, it is not known everywhere yet; or it has gone again: then once more.
    topic.created = false;
    enter(topic, State::wanted, kAgain);
    const bool passes = answer.code == KafkaCode::none || answer.code == KafkaCode::unknown_topic ||
                        answer.code == KafkaCode::leader_not_available;
    if (passes) return {};
    Error error = kafka_error(native(answer.code), "a topic can't be looked up", answer.text);
    if (error.next == Error::Next::retry) return {};
    return std::unexpected(std::move(error).at("topic " + topic.name));
}

Result<void> KafkaTopics::create_answered(Topic& topic, const KafkaReports::Answer& answer) {
    if (answer.code == KafkaCode::none || answer.code == KafkaCode::topic_exists) {
        if (answer.code == KafkaCode::none) {
            created_.add();
            const KafkaNewTopic made = new_topic(config_, topic.name, topic.use);
            logger_.info("topic created", {{"topic", topic.name}, {"partitions", made.partitions}});
        }
        topic.created = true;
        enter(topic, State::wanted);
        return {};
    }
    enter(topic, State::missing, kAgain);
    Error error = kafka_error(native(answer.code), "a topic can't be created", answer.text);
    if (error.next == Error::Next::retry) return {};
    return std::unexpected(std::move(error).at("topic " + topic.name));
}

// Without the right to ask we go by Kafka's default: a topic that takes less refuses the
// first large batch, and the sink learns from that.
Result<void> KafkaTopics::limit_answered(Topic& topic, const KafkaReports::Answer& answer) {
    if (answer.code == KafkaCode::none && answer.message_bytes_max > 0) {
        topic.message_bytes_max = answer.message_bytes_max;
    } else if (answer.code == KafkaCode::local_timed_out ||
               answer.code == KafkaCode::local_transport ||
               answer.code == KafkaCode::request_timed_out) {
        enter(topic, State::known, kAgain);
        return {};
    } else {
        logger_.debug("a topic's limit can't be read; using Kafka's default",
                      {{"topic", topic.name}, {"because", kafka_error_name(native(answer.code))}});
    }
    if (topic.use != Use::dead_letters) {
        message_bytes_max_ = std::min(message_bytes_max_, topic.message_bytes_max);
    }
    enter(topic, State::ready);
    return {};
}

void KafkaTopics::wants(Wants& wants) const {
    for (const Topic* topic : on_the_way_) {
        const bool waits = topic->state == State::wanted || topic->state == State::missing ||
                           topic->state == State::known;
        if (waits) wants.until(topic->not_before);
    }
}

const KafkaTopics::Topic* KafkaTopics::of_handle(const KafkaTopic* handle) const noexcept {
    for (const auto& [name, topic] : topics_) {
        if (topic->handle == handle) return topic.get();
    }
    return nullptr;
}

}  // namespace pgc
