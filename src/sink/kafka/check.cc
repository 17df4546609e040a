#include "sink/kafka/check.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <map>
#include <utility>

#include "kafka/position_hints.h"
#include "sink/kafka/check_hints.h"
#include "sink/kafka/producer_properties.h"
#include "sink/kafka/sink.h"
#include "sink/kafka/topic_name.h"
#include "sink/kafka/topics.h"

namespace pgc {
namespace {

using Level = Finding::Level;

// At most this many topics have findings of their own.
constexpr std::size_t kNamed_max = 20;
// Where brokers keep the state of transactions.
constexpr std::string_view kTransactionTopic = "__transaction_state";

Finding blocked(std::string_view id, std::string subject, const Error& error) {
    if (!error.where.empty() && subject.find(error.where) == std::string::npos) {
        subject += ", " + error.where;
    }
    return {.id = id,
            .level = Level::blocking,
            .subject = std::move(subject),
            .message = error.what,
            .hint = error.hint};
}

using Version = std::pair<int, int>;
constexpr Version kOldest{2, 0};
constexpr Version kKnowsZstd{2, 1};

// "2.8-IV1"
std::optional<Version> parse_version(std::string_view text) {
    Version version;
    const char* last = text.data() + text.size();
    const auto major = std::from_chars(text.data(), last, version.first);
    if (major.ec != std::errc{} || major.ptr == last || *major.ptr != '.') return std::nullopt;
    const auto minor = std::from_chars(major.ptr + 1, last, version.second);
    if (minor.ec != std::errc{}) return std::nullopt;
    return version;
}

// One run over one cluster.
class KafkaCheck {
public:
    KafkaCheck(const KafkaConfig& config, std::span<const KafkaTable> tables,
               bool position_in_topic, KafkaInspector& inspector, Findings& findings)
        : config_(config),
          tables_(tables),
          position_in_topic_(position_in_topic),
          inspector_(inspector),
          hints_(config),
          findings_(findings) {}

    void run() {
        settings();
        if (!reach() || !cluster()) return;
        std::vector<Wanted> wanted = topics_of_tables();
        const TopicNames names{config_};
        const auto want = [&](bool is_used, const std::string& name, Use use) {
            if (is_used) wanted.push_back({.name = name, .use = use});
        };
        want(config_.transaction_topic.has_value(), names.transactions(), Use::transactions);
        want(config_.heartbeat_topic.has_value(), names.heartbeats(), Use::heartbeats);
        want(config_.oversize == KafkaOversize::dead_letter, names.dead_letters(),
             Use::dead_letters);
        want(position_in_topic_, config_.state_topic, Use::positions);
        topics(wanted);
        if (config_.exactly_once()) transactions();
    }

private:
    enum class Use : std::uint8_t { changes, transactions, heartbeats, dead_letters, positions };
    struct Wanted {
        std::string name;
        Use use = Use::changes;
    };

    void settings() {
        if (config_.connection.plain_text_to_others()) {
            add("kafka_plain_text", Level::warning, "kafka.security.protocol",
                "records and passwords go over the network in plain text",
                "set kafka.security.protocol to SSL or SASL_SSL");
        }
        if (config_.connection.secret_in_plain_text()) {
            add("kafka_oauth_plain_text", Level::warning, "kafka.security.oauth.token_url",
                "the client's secret goes over the network in plain text",
                "give the https:// address of the token endpoint");
        }
        if (config_.may_lose()) {
            add("kafka_acks", Level::warning, "kafka.acks",
                "records may be lost when a broker fails: they are confirmed before all replicas "
                "have them",
                "set kafka.acks to all");
        }
    }

    // False when nobody can be reached.
    bool reach() {
        const auto reached = inspector_.reach();
        if (!reached) {
            findings_.push_back(blocked("kafka_client", "Kafka client", reached.error()));
            return false;
        }
        std::map<std::string, std::string> clusters;  // id -> the first broker of it
        bool usable = false;
        for (const KafkaReached& one : *reached) {
            if (!one.cluster) {
                findings_.push_back(blocked("kafka_broker", "broker " + one.broker, *one.error));
                continue;
            }
            clusters.emplace(*one.cluster, one.broker);
            if (one.error) {
                findings_.push_back(
                    blocked("kafka_advertised", "broker " + one.broker, *one.error));
                continue;
            }
            add("kafka_broker", Level::ok, "broker " + one.broker, "answers");
            usable = true;
        }
        if (clusters.size() > 1) {
            const auto& [id, broker] = *std::next(clusters.begin());
            add("kafka_clusters", Level::blocking, "kafka.brokers",
                fmt::format("{} is of cluster {}, {} of cluster {}", clusters.begin()->second,
                            clusters.begin()->first, broker, id),
                "set kafka.brokers to addresses of one cluster");
        }
        soften_unreached(usable);
        return usable;
    }

    // One address that answers is enough to start; the others are there for the day it doesn't.
    void soften_unreached(bool usable) {
        if (!usable) return;
        for (Finding& finding : findings_) {
            if (finding.id == "kafka_broker" && finding.level == Level::blocking) {
                finding.level = Level::warning;
            }
        }
    }

    // What delivery: exactly_once needs, and asks of consumers. Nothing is begun under our name:
    // that would end the transaction of an instance that runs.
    void transactions() {
        constexpr std::string_view id = "kafka_transactions";
        const std::string subject = "transactional ID " + config_.transactional_id;
        const std::size_t before = findings_.size();
        if (facts_.transaction_max_ms > 0 &&
            facts_.transaction_max_ms < config_.transaction_max() / std::chrono::milliseconds{1}) {
            add(id, Level::blocking, subject,
                fmt::format("brokers take transactions of at most {} ms "
                            "(transaction.max.timeout.ms), ours may take {}",
                            facts_.transaction_max_ms,
                            config_.transaction_max() / std::chrono::milliseconds{1}),
                config_.whole_transactions ? "raise transaction.max.timeout.ms of the brokers, or "
                                             "set consistency to record"
                                           : "raise transaction.max.timeout.ms of the brokers");
        }
        const std::string name{kTransactionTopic};
        const auto topics = inspector_.topics({&name, 1});
        const bool there = topics && !topics->empty() && topics->front().exists;
        if (!there && facts_.transaction_replicas > static_cast<std::int64_t>(facts_.brokers)) {
            add(id, Level::blocking, subject,
                fmt::format("no transaction can begin: brokers create {} with {} replicas, and "
                            "there {} {}",
                            name, facts_.transaction_replicas, facts_.brokers == 1 ? "is" : "are",
                            facts_.brokers),
                "set transaction.state.log.replication.factor (and .min.isr) of the brokers to no "
                "more than there are brokers");
        } else if (there && topics->front().config &&
                   topics->front().in_sync < topics->front().config->min_in_sync) {
            add(id, Level::warning, subject,
                fmt::format("{} of {} replicas of {} are in sync, {} are asked for: no "
                            "transaction is committed",
                            topics->front().in_sync, topics->front().replicas, name,
                            topics->front().config->min_in_sync),
                "bring its brokers back");
        }
        if (findings_.size() > before) return;
        add(id, Level::ok, subject,
            config_.connection.security.username.empty()
                ? "consumers have to set isolation.level to read_committed"
                : "needs Write and Describe for our principal, which can't be looked up: " +
                      hints_.allow_transactions(config_.transactional_id) +
                      "; consumers have to set isolation.level to read_committed");
    }

    bool cluster() {
        const auto facts = inspector_.cluster();
        if (!facts) {
            findings_.push_back(blocked("kafka_cluster", "cluster", facts.error()));
            return false;
        }
        facts_ = *facts;
        add("kafka_cluster", Level::ok, "cluster " + facts->id,
            fmt::format("{} {}{}", facts->brokers, facts->brokers == 1 ? "broker" : "brokers",
                        facts->version.empty() ? "" : ", Kafka " + facts->version));
        const auto version = parse_version(facts->version);
        if (version && *version < kOldest) {
            add("kafka_version", Level::blocking, "cluster " + facts->id,
                "its brokers speak Kafka " + facts->version + " among themselves",
                "update the brokers, and inter.broker.protocol.version, to Kafka 2.0 or later");
        } else if (version && *version < kKnowsZstd && config_.compression == "zstd") {
            add("kafka_compression", Level::blocking, "kafka.compression",
                "zstd is unknown to brokers of Kafka " + facts->version,
                "set kafka.compression to snappy");
        }
        return true;
    }

    std::vector<Wanted> topics_of_tables() {
        TopicNames names(config_);
        std::vector<Wanted> wanted;
        for (const KafkaTable& table : tables_) {
            const auto topic = names.of_table(table.schema, table.name);
            if (!topic) {
                findings_.push_back(blocked("kafka_topic_name",
                                            fmt::format("table {}.{}", table.schema, table.name),
                                            topic.error()));
                continue;
            }
            // Several tables may share one.
            if (std::ranges::find(wanted, topic->name, &Wanted::name) == wanted.end()) {
                wanted.push_back({.name = topic->name, .use = Use::changes});
            }
            if (!topic->lookalike.empty()) {
                add("kafka_topic_name", Level::warning, "topic " + topic->name,
                    fmt::format("differs from {} only in . and _: Kafka mixes up their metrics",
                                topic->lookalike),
                    "change kafka.topic");
            }
        }
        return wanted;
    }

    void topics(const std::vector<Wanted>& wanted) {
        std::vector<std::string> names;
        names.reserve(wanted.size());
        for (const Wanted& topic : wanted) names.push_back(topic.name);
        if (names.empty()) return;
        const auto facts = inspector_.topics(names);
        if (!facts) {
            findings_.push_back(blocked("kafka_topics", "topics", facts.error()));
            return;
        }
        std::vector<Wanted> missing;
        std::size_t sound = 0;
        std::size_t reported = 0;
        for (std::size_t i = 0; i < facts->size(); ++i) {
            const KafkaTopicFacts& topic = (*facts)[i];
            if (!topic.error && !topic.exists) {
                missing.push_back(wanted[i]);
                continue;
            }
            const std::size_t before = findings_.size();
            look_at(topic, wanted[i].use);
            const bool quiet = findings_.size() == before;
            if (wanted[i].use != Use::changes) {
                if (quiet) add(id_of(wanted[i].use), Level::ok, "topic " + topic.name, "is ready");
            } else if (quiet) {
                ++sound;
            } else if (++reported > kNamed_max) {
                findings_.resize(before);
            }
        }
        if (sound > 0) {
            add("kafka_topic", Level::ok, "topics", fmt::format("{} are there and ready", sound));
        }
        missing_topics(missing);
    }

    static std::string_view id_of(Use use) {
        switch (use) {
            case Use::changes: return "kafka_topic";
            case Use::transactions: return "kafka_transaction_topic";
            case Use::heartbeats: return "kafka_heartbeat_topic";
            case Use::dead_letters: return "kafka_dead_letter_topic";
            case Use::positions: return "kafka_position_topic";
        }
        return {};
    }

    // -- a topic that is there -----------------------------------------------------------------

    void look_at(const KafkaTopicFacts& topic, Use use) {
        const std::string subject = "topic " + topic.name;
        if (topic.error) {
            Error error = *topic.error;
            if (error.category == Error::Category::permission) error.hint = allow(topic.name, use);
            findings_.push_back(blocked(id_of(use), subject, error));
            return;
        }
        rights(topic, use);
        replicas(topic, use);
        if (topic.leaderless > 0) {
            add(id_of(use), Level::warning, subject,
                fmt::format("{} of its {} partitions have no leader: nothing can be written there "
                            "until one is back",
                            topic.leaderless, topic.partitions),
                "bring its brokers back");
        }
        if (use == Use::positions) return positions(topic);
        size(topic, use);
        if (config_.partitioning.by == KafkaPartitionBy::fixed && use == Use::changes &&
            config_.partitioning.fixed >= topic.partitions) {
            add(id_of(use), Level::blocking, subject,
                fmt::format("has {} partitions, none of them is number {}", topic.partitions,
                            config_.partitioning.fixed),
                fmt::format("set kafka.fixed_partition to a number below {}", topic.partitions));
        }
    }

    std::string allow(const std::string& topic, Use use) const {
        return use == Use::positions ? PositionHints(config_.position_topic(), "").allow()
                                     : hints_.allow(topic);
    }

    void rights(const KafkaTopicFacts& topic, Use use) {
        const bool positions = use == Use::positions;
        if (topic.rights.write && (topic.rights.read || !positions)) return;
        add(id_of(use), Level::blocking, "topic " + topic.name,
            fmt::format("we may not {} it", topic.rights.write                ? "read"
                                            : topic.rights.read || !positions ? "write to"
                                                                              : "read or write"),
            allow(topic.name, use));
    }

    void replicas(const KafkaTopicFacts& topic, Use use) {
        // Below `all` no broker asks for it.
        if (!topic.config || (config_.may_lose() && use == Use::changes)) return;
        const std::int32_t needed = topic.config->min_in_sync;
        if (topic.replicas < needed) {
            add(id_of(use), Level::blocking, "topic " + topic.name,
                fmt::format("asks for {} replicas in sync (min.insync.replicas) and has {}: every "
                            "record is refused",
                            needed, topic.replicas),
                hints_.alter(topic.name, fmt::format("min.insync.replicas={}", topic.replicas)));
        } else if (topic.in_sync < needed) {
            add(id_of(use), Level::warning, "topic " + topic.name,
                fmt::format("{} of {} replicas are in sync, {} are asked for: records wait",
                            topic.in_sync, topic.replicas, needed),
                "bring its brokers back");
        }
    }

    void size(const KafkaTopicFacts& topic, Use use) {
        if (!topic.config) return;
        const std::size_t limit = topic.config->message_bytes_max;
        const std::size_t wanted =
            use == Use::dead_letters ? KafkaTopics::kDead_letter_bytes : KafkaSink::kBatch_bytes;
        if (limit == 0 || limit >= wanted) return;
        add(id_of(use), Level::warning, "topic " + topic.name,
            use == Use::dead_letters
                ? fmt::format("takes records up to {} bytes: a dead letter beyond that stops us",
                              limit)
                : fmt::format("takes batches up to {} bytes (max.message.bytes): ours become as "
                              "small, and a larger record is refused",
                              limit),
            hints_.alter(topic.name, fmt::format("max.message.bytes={}",
                                                 use == Use::dead_letters
                                                     ? wanted
                                                     : KafkaTopics::kMessage_bytes_default)));
    }

    void positions(const KafkaTopicFacts& topic) {
        const PositionHints hints(config_.position_topic(), "");
        if (topic.partitions != 1) {
            add("kafka_position_topic", Level::blocking, "topic " + topic.name,
                fmt::format("has {} partitions; positions need one, to be read in their order",
                            topic.partitions),
                hints.make_anew());
        } else if (topic.config && !topic.config->cleanup_policy.empty() &&
                   topic.config->cleanup_policy != "compact") {
            add("kafka_position_topic", Level::blocking, "topic " + topic.name,
                fmt::format("its cleanup.policy is {}: positions would be removed with age",
                            topic.config->cleanup_policy),
                hints.compact());
        }
    }

    // -- topics that are not there -------------------------------------------------------------

    void missing_topics(const std::vector<Wanted>& missing) {
        std::vector<Wanted> ours;  // that will be created
        std::size_t reported = 0;
        for (const Wanted& topic : missing) {
            if (config_.topics.create) {
                ours.push_back(topic);
            } else if (topic.use == Use::positions) {
                add(id_of(topic.use), Level::blocking, "topic " + topic.name,
                    "is not there, and kafka.topics.create says not to create it: no start "
                    "succeeds without it",
                    PositionHints(config_.position_topic(), "").create() +
                        "; or pg-capture adopt, which makes it all the same");
            } else if (topic.use != Use::changes || ++reported <= kNamed_max) {
                add(id_of(topic.use), Level::blocking, "topic " + topic.name,
                    "is not there, and kafka.topics.create says not to create it",
                    hints_.create(new_topic(topic)));
            }
        }
        if (!ours.empty()) try_create(ours);
    }

    KafkaNewTopic new_topic(const Wanted& topic) const {
        using To = KafkaTopics::Use;
        const auto made_for = [&](To use) {
            return KafkaTopics::new_topic(config_, topic.name, use);
        };
        switch (topic.use) {
            case Use::changes: return made_for(To::changes);
            case Use::transactions: return made_for(To::transactions);
            case Use::heartbeats: return made_for(To::heartbeats);
            case Use::dead_letters: return made_for(To::dead_letters);
            case Use::positions: break;
        }
        KafkaNewTopic made{.name = topic.name,
                           .partitions = 1,
                           .replication_factor = config_.topics.replication_factor,
                           .config = {}};
        for (const auto& [name, value] : kPositionTopicConfig)
            made.config.emplace_back(name, value);
        return made;
    }

    void try_create(const std::vector<Wanted>& wanted) {
        std::vector<KafkaNewTopic> news;
        news.reserve(wanted.size());
        for (const Wanted& topic : wanted) news.push_back(new_topic(topic));
        const auto outcomes = inspector_.try_create(news);
        if (!outcomes) {
            findings_.push_back(blocked("kafka_topics", "topics", outcomes.error()));
            return;
        }
        std::size_t fine = 0;
        std::size_t reported = 0;
        for (std::size_t i = 0; i < outcomes->size(); ++i) {
            const auto& failed = (*outcomes)[i];
            const Use use = wanted[i].use;
            if (failed) {
                if (use != Use::changes || ++reported <= kNamed_max) refused(news[i], use, *failed);
            } else if (use == Use::changes) {
                ++fine;
            } else {
                add(id_of(use), Level::ok, "topic " + news[i].name,
                    "is not there yet; it will be created");
            }
        }
        if (fine > 0) {
            add("kafka_topic", Level::ok, "topics",
                fmt::format("{} are not there yet; they will be created", fine));
        }
    }

    void refused(const KafkaNewTopic& topic, Use use, Error error) {
        if (error.category == Error::Category::permission &&
            error.hint.find("policy") == std::string::npos) {
            error.hint = use == Use::positions ? PositionHints(config_.position_topic(), "").allow()
                                               : hints_.allow_create(topic.name);
        }
        findings_.push_back(blocked(id_of(use), "topic " + topic.name, error));
    }

    void add(std::string_view id, Level level, std::string subject, std::string message,
             std::string hint = {}) {
        findings_.push_back({.id = id,
                             .level = level,
                             .subject = std::move(subject),
                             .message = std::move(message),
                             .hint = std::move(hint)});
    }

    const KafkaConfig& config_;
    const std::span<const KafkaTable> tables_;
    const bool position_in_topic_;
    KafkaInspector& inspector_;
    const KafkaCheckHints hints_;
    Findings& findings_;
    KafkaClusterFacts facts_;
};

}  // namespace

Findings check_kafka(const KafkaConfig& config, std::span<const KafkaTable> tables,
                     bool position_in_topic, KafkaInspector& inspector) {
    Findings findings;
    KafkaCheck(config, tables, position_in_topic, inspector, findings).run();
    return findings;
}

}  // namespace pgc
