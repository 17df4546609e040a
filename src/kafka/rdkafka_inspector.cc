#include "kafka/rdkafka_inspector.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <utility>

#include "kafka/errors.h"

namespace pgc {
namespace {

using std::chrono::milliseconds;

// librdkafka's events wake us; what it shows of brokers only by their absence is looked for.
constexpr Duration kLook_again = milliseconds{50};
constexpr std::size_t kAsked_max = 500;  // topics in one request

KafkaAdminOptions options_for(rd_kafka_t* client, rd_kafka_admin_op_t operation, Duration limit) {
    std::array<char, 256> text;
    KafkaAdminOptions options(rd_kafka_AdminOptions_new(client, operation));
    const auto ms = static_cast<int>(std::chrono::duration_cast<milliseconds>(limit).count());
    rd_kafka_AdminOptions_set_request_timeout(options.get(), ms, text.data(), text.size());
    if (operation == RD_KAFKA_ADMIN_OP_CREATETOPICS) {
        rd_kafka_AdminOptions_set_validate_only(options.get(), 1, text.data(), text.size());
    }
    if (operation == RD_KAFKA_ADMIN_OP_DESCRIBETOPICS) {
        if (auto* error =
                rd_kafka_AdminOptions_set_include_authorized_operations(options.get(), 1)) {
            rd_kafka_error_destroy(error);
        }
    }
    return options;
}

std::string cluster_id(rd_kafka_t* client) {
    char* id = rd_kafka_clusterid(client, 0);
    if (id == nullptr) return {};
    std::string text = id;
    rd_kafka_mem_free(client, id);
    return text;
}

// What was meant, where librdkafka only guesses at it in its text.
Error explained(Error error) {
    if (error.what.find("security.protocol") != std::string::npos ||
        error.what.find("PLAINTEXT broker listener") != std::string::npos ||
        error.what.find("SSL broker listener") != std::string::npos) {
        error.hint = "set kafka.security.protocol to what the broker's listener speaks";
    }
    return error;
}

Error unanswered(Duration limit) {
    return retry(Error::Category::connection,
                 fmt::format("no answer within {} s",
                             std::chrono::duration_cast<std::chrono::seconds>(limit).count()))
        .with_hint("check kafka.brokers, the network between, and that the broker is well");
}

Error advertised(const std::optional<KafkaClient::Trouble>& trouble) {
    std::string what = "it answers, but a broker it names can't be reached";
    if (trouble) what += fmt::format(" ({}): {}", trouble->error.where, trouble->error.what);
    return stop(Error::Category::connection, std::move(what))
        .with_hint(
            "make the addresses in the brokers' advertised.listeners reachable from here, "
            "or connect to a listener that advertises such");
}

}  // namespace

// One bootstrap address on its own.
class RdKafkaInspector::Door {
public:
    Door(KafkaReached reached, std::unique_ptr<KafkaClient> client, const Clock& clock,
         Duration limit)
        : reached_(std::move(reached)), client_(std::move(client)), clock_(clock), limit_(limit) {
        const auto options =
            options_for(client_->handle(), RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, limit_);
        rd_kafka_DescribeCluster(client_->handle(), options.get(), client_->queue());
    }

    bool decided() const noexcept { return reached_.cluster || reached_.error; }
    int wake_fd() const noexcept { return client_->wake_fd(); }
    KafkaReached&& reached() { return std::move(reached_); }

    void look(bool late) {
        bool answered = false;
        while (const KafkaEvent event = client_->poll()) {
            answered = rd_kafka_event_error(event.get()) == RD_KAFKA_RESP_ERR_NO_ERROR;
        }
        const std::string id = cluster_id(client_->handle());
        const auto trouble = client_->trouble();
        const bool failing = trouble && clock_.now() - trouble->since >= kFailing_max;
        if (answered) {
            reached_.cluster = id;
        } else if (!id.empty() && (failing || late)) {
            reached_.cluster = id;
            reached_.error = advertised(trouble);
        } else if (id.empty() && trouble && (failing || late || refused(*trouble))) {
            reached_.error = explained(trouble->error);
        } else if (id.empty() && late) {
            reached_.error = unanswered(limit_);
        }
    }

private:
    static bool refused(const KafkaClient::Trouble& trouble) {
        return trouble.error.category == Error::Category::authentication;
    }

    KafkaReached reached_;
    std::unique_ptr<KafkaClient> client_;
    const Clock& clock_;
    const Duration limit_;
};

RdKafkaInspector::RdKafkaInspector(Deps deps) : deps_(std::move(deps)) {}
RdKafkaInspector::~RdKafkaInspector() = default;

Result<std::unique_ptr<KafkaClient>> RdKafkaInspector::make(const KafkaConnection& config) {
    auto properties = deps_.properties;
    // Why a broker closes a connection is of interest here: it is the wrong protocol, mostly.
    properties.push_back({"log.connection.close", "true"});
    return KafkaClient::make({.config = config,
                              .kind = KafkaClient::Kind::producer,
                              .properties = properties,
                              .clock = deps_.clock,
                              .logger = deps_.logger});
}

Result<std::vector<KafkaReached>> RdKafkaInspector::reach() {
    std::vector<std::unique_ptr<Door>> doors;
    for (const std::string& broker : deps_.config.brokers) {
        KafkaConnection alone = deps_.config;
        alone.brokers = {broker};
        auto client = make(alone);
        if (!client) return std::unexpected(std::move(client.error()));
        doors.push_back(std::make_unique<Door>(KafkaReached{.broker = broker}, std::move(*client),
                                               deps_.clock, deps_.limit));
    }
    const Instant deadline = deps_.clock.now() + deps_.limit;
    for (bool all = false; !all;) {
        const bool late = deps_.clock.now() >= deadline;
        all = true;
        Wants wants;
        wants.until(deps_.clock.now() + kLook_again);
        for (const auto& door : doors) {
            if (!door->decided()) door->look(late);
            all = all && door->decided();
            wants.readable(door->wake_fd());
        }
        if (!all) deps_.waiter.wait(wants);
    }
    std::vector<KafkaReached> reached;
    reached.reserve(doors.size());
    for (const auto& door : doors) reached.push_back(door->reached());
    return reached;
}

// Sends one request and waits for its answer.
Result<KafkaEvent> RdKafkaInspector::ask(rd_kafka_admin_op_t operation, const Send& send) {
    if (!client_) {
        auto made = make(deps_.config);
        if (!made) return std::unexpected(std::move(made.error()));
        client_ = std::move(*made);
    }
    const auto options = options_for(client_->handle(), operation, deps_.limit);
    send(client_->handle(), options.get(), client_->queue());
    // librdkafka's own limit comes first and says more.
    const Instant deadline = deps_.clock.now() + deps_.limit + std::chrono::seconds{1};
    for (;;) {
        if (KafkaEvent event = client_->poll()) {
            const auto code = rd_kafka_event_error(event.get());
            if (code == RD_KAFKA_RESP_ERR_NO_ERROR) return event;
            const char* text = rd_kafka_event_error_string(event.get());
            return std::unexpected(kafka_error(code, "the cluster does not answer a question",
                                               text == nullptr ? "" : text));
        }
        if (deps_.clock.now() >= deadline) return std::unexpected(unanswered(deps_.limit));
        Wants wants;
        wants.until(std::min(deadline, deps_.clock.now() + kLook_again));
        wants.readable(client_->wake_fd());
        deps_.waiter.wait(wants);
    }
}

Result<KafkaClusterFacts> RdKafkaInspector::cluster() {
    const auto event = ask(RD_KAFKA_ADMIN_OP_DESCRIBECLUSTER, &rd_kafka_DescribeCluster);
    if (!event) return std::unexpected(event.error());
    const auto* result = rd_kafka_event_DescribeCluster_result(event->get());
    KafkaClusterFacts facts;
    const char* id = rd_kafka_DescribeCluster_result_cluster_id(result);
    facts.id = id == nullptr ? "" : id;
    const rd_kafka_Node_t** nodes = rd_kafka_DescribeCluster_result_nodes(result, &facts.brokers);
    if (facts.brokers > 0) read_settings(rd_kafka_Node_id(nodes[0]), facts);
    return facts;
}

namespace {

template <typename Number>
Number number_in(std::string_view text) {
    Number number = 0;
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

}  // namespace

// Brokers report no version of their own, only the one they speak among themselves; and that
// not to everybody, and not since Kafka 4.
void RdKafkaInspector::read_settings(int broker, KafkaClusterFacts& facts) {
    const std::string name = std::to_string(broker);
    auto* resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_BROKER, name.c_str());
    const auto event =
        ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, [&](auto* rk, auto* how, auto* queue) {
            rd_kafka_DescribeConfigs(rk, &resource, 1, how, queue);
        });
    rd_kafka_ConfigResource_destroy(resource);
    if (!event) return;
    std::size_t count = 0;
    const auto** resources = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    if (count == 0) return;
    const auto** entries = rd_kafka_ConfigResource_configs(resources[0], &count);
    for (const auto* entry : std::span{entries, count}) {
        const std::string_view setting = rd_kafka_ConfigEntry_name(entry);
        const char* given = rd_kafka_ConfigEntry_value(entry);
        const std::string_view value = given == nullptr ? "" : given;
        if (setting == "inter.broker.protocol.version") {
            facts.version = value;
        } else if (setting == "transaction.state.log.replication.factor") {
            facts.transaction_replicas = number_in<std::int32_t>(value);
        } else if (setting == "transaction.max.timeout.ms") {
            facts.transaction_max_ms = number_in<std::int64_t>(value);
        }
    }
}

namespace {

KafkaRights rights_of(const rd_kafka_TopicDescription_t* topic) {
    std::size_t count = 0;
    const auto* operations = rd_kafka_TopicDescription_authorized_operations(topic, &count);
    if (operations == nullptr) return {};
    const std::span all{operations, count};
    const auto may = [&](rd_kafka_AclOperation_t operation) {
        return std::ranges::any_of(all, [&](rd_kafka_AclOperation_t one) {
            return one == operation || one == RD_KAFKA_ACL_OPERATION_ALL;
        });
    };
    return {.describe = may(RD_KAFKA_ACL_OPERATION_DESCRIBE),
            .read = may(RD_KAFKA_ACL_OPERATION_READ),
            .write = may(RD_KAFKA_ACL_OPERATION_WRITE)};
}

void read_partitions(const rd_kafka_TopicDescription_t* topic, KafkaTopicFacts& facts) {
    std::size_t count = 0;
    const auto** partitions = rd_kafka_TopicDescription_partitions(topic, &count);
    facts.partitions = static_cast<std::int32_t>(count);
    for (std::size_t i = 0; i < count; ++i) {
        std::size_t replicas = 0;
        std::size_t in_sync = 0;
        (void)rd_kafka_TopicPartitionInfo_replicas(partitions[i], &replicas);
        (void)rd_kafka_TopicPartitionInfo_isr(partitions[i], &in_sync);
        const auto fewest = [i](std::int32_t now, std::size_t here) {
            const auto number = static_cast<std::int32_t>(here);
            return i == 0 ? number : std::min(now, number);
        };
        facts.replicas = fewest(facts.replicas, replicas);
        facts.in_sync = fewest(facts.in_sync, in_sync);
        const auto* leader = rd_kafka_TopicPartitionInfo_leader(partitions[i]);
        if (leader == nullptr || rd_kafka_Node_id(leader) < 0) ++facts.leaderless;
    }
}

KafkaTopicFacts facts_of(const rd_kafka_TopicDescription_t* topic) {
    KafkaTopicFacts facts{.name = rd_kafka_TopicDescription_name(topic)};
    const rd_kafka_error_t* error = rd_kafka_TopicDescription_error(topic);
    const auto code = rd_kafka_error_code(error);
    if (code == RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART) return facts;
    if (code != RD_KAFKA_RESP_ERR_NO_ERROR) {
        facts.error = kafka_error(code, "it can't be looked at");
        return facts;
    }
    facts.exists = true;
    facts.rights = rights_of(topic);
    read_partitions(topic, facts);
    return facts;
}

template <typename Number>
Number number_of(std::string_view text) {
    Number number{};
    std::from_chars(text.data(), text.data() + text.size(), number);
    return number;
}

KafkaTopicFacts::Config config_of(const rd_kafka_ConfigResource_t* topic) {
    KafkaTopicFacts::Config config;
    std::size_t count = 0;
    const auto** entries = rd_kafka_ConfigResource_configs(topic, &count);
    for (const auto* entry : std::span{entries, count}) {
        const std::string_view name = rd_kafka_ConfigEntry_name(entry);
        const char* given = rd_kafka_ConfigEntry_value(entry);
        const std::string_view value = given == nullptr ? "" : given;
        if (name == "max.message.bytes") config.message_bytes_max = number_of<std::size_t>(value);
        if (name == "min.insync.replicas") config.min_in_sync = number_of<std::int32_t>(value);
        if (name == "cleanup.policy") config.cleanup_policy = value;
    }
    return config;
}

}  // namespace

Result<std::vector<KafkaTopicFacts>> RdKafkaInspector::topics(std::span<const std::string> names) {
    std::vector<KafkaTopicFacts> facts;
    for (std::size_t at = 0; at < names.size(); at += kAsked_max) {
        const auto some = names.subspan(at, std::min(kAsked_max, names.size() - at));
        if (auto done = describe(some, facts); !done) return std::unexpected(done.error());
        configure(std::span{facts}.subspan(at));
    }
    return facts;
}

// Appends one for each name, in their order.
Result<void> RdKafkaInspector::describe(std::span<const std::string> names,
                                        std::vector<KafkaTopicFacts>& into) {
    std::vector<const char*> wanted;
    for (const std::string& name : names) wanted.push_back(name.c_str());
    auto* collection = rd_kafka_TopicCollection_of_topic_names(wanted.data(), wanted.size());
    const auto event = ask(RD_KAFKA_ADMIN_OP_DESCRIBETOPICS, [&](auto* rk, auto* how, auto* queue) {
        rd_kafka_DescribeTopics(rk, collection, how, queue);
    });
    rd_kafka_TopicCollection_destroy(collection);
    if (!event) return std::unexpected(event.error());
    std::size_t count = 0;
    const auto** topics = rd_kafka_DescribeTopics_result_topics(
        rd_kafka_event_DescribeTopics_result(event->get()), &count);
    for (const std::string& name : names) {
        const std::span all{topics, count};
        const auto found = std::ranges::find_if(
            all, [&](const auto* topic) { return name == rd_kafka_TopicDescription_name(topic); });
        into.push_back(found == all.end() ? KafkaTopicFacts{.name = name} : facts_of(*found));
    }
    return {};
}

// Where we may not read a configuration, nothing is said about it.
void RdKafkaInspector::configure(std::span<KafkaTopicFacts> topics) {
    std::vector<rd_kafka_ConfigResource_t*> resources;
    for (const KafkaTopicFacts& topic : topics) {
        if (!topic.exists) continue;
        resources.push_back(
            rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic.name.c_str()));
    }
    if (resources.empty()) return;
    const auto event =
        ask(RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, [&](auto* rk, auto* how, auto* queue) {
            rd_kafka_DescribeConfigs(rk, resources.data(), resources.size(), how, queue);
        });
    rd_kafka_ConfigResource_destroy_array(resources.data(), resources.size());
    if (!event) return;
    std::size_t count = 0;
    const auto** answers = rd_kafka_DescribeConfigs_result_resources(
        rd_kafka_event_DescribeConfigs_result(event->get()), &count);
    for (const auto* answer : std::span{answers, count}) {
        if (rd_kafka_ConfigResource_error(answer) != RD_KAFKA_RESP_ERR_NO_ERROR) continue;
        const std::string_view name = rd_kafka_ConfigResource_name(answer);
        const auto found = std::ranges::find(topics, name, &KafkaTopicFacts::name);
        if (found != topics.end()) found->config = config_of(answer);
    }
}

Result<std::vector<std::optional<Error>>> RdKafkaInspector::try_create(
    std::span<const KafkaNewTopic> topics) {
    std::array<char, 256> text;
    std::vector<rd_kafka_NewTopic_t*> wanted;
    for (const KafkaNewTopic& topic : topics) {
        auto* made = rd_kafka_NewTopic_new(topic.name.c_str(), topic.partitions,
                                           topic.replication_factor, text.data(), text.size());
        for (const auto& [name, value] : topic.config) {
            rd_kafka_NewTopic_set_config(made, name.c_str(), value.c_str());
        }
        wanted.push_back(made);
    }
    const auto event = ask(RD_KAFKA_ADMIN_OP_CREATETOPICS, [&](auto* rk, auto* how, auto* queue) {
        rd_kafka_CreateTopics(rk, wanted.data(), wanted.size(), how, queue);
    });
    rd_kafka_NewTopic_destroy_array(wanted.data(), wanted.size());
    if (!event) return std::unexpected(event.error());
    std::vector<std::optional<Error>> outcomes(topics.size());
    std::size_t count = 0;
    const auto** answers = rd_kafka_CreateTopics_result_topics(
        rd_kafka_event_CreateTopics_result(event->get()), &count);
    for (const auto* answer : std::span{answers, count}) {
        const auto code = rd_kafka_topic_result_error(answer);
        if (code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS) {
            continue;
        }
        const auto found = std::ranges::find(
            topics, std::string_view{rd_kafka_topic_result_name(answer)}, &KafkaNewTopic::name);
        if (found == topics.end()) continue;
        const char* said = rd_kafka_topic_result_error_string(answer);
        outcomes[static_cast<std::size_t>(found - topics.begin())] =
            kafka_error(code, "it can't be created", said == nullptr ? "" : said);
    }
    return outcomes;
}

}  // namespace pgc
