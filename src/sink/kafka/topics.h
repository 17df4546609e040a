// The topics we write to: looked up, created where allowed, their partitions counted and
// their limits read, all without waiting for anybody.
//
//   wanted ─▶ asked ─▶ known ─▶ measured ─▶ ready
//               │ ▲
//               ▼ │ again, once it is there
//             missing ─▶ creating
//
// Once for each table version its way is decided (topic, partitioner); versions of one table
// share a topic. While something is on its way to `ready`, route() answers nothing and the
// sink is full. What the cluster can't answer just now is asked again, for ever.
//
// The number of partitions is read once in a sink's life: so a key stays in its partition
// however many are added meanwhile. (A topic that comes back with fewer is noticed when
// librdkafka refuses the partition; then a new sink counts again.)
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/by_slot.h"
#include "core/record.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/kafka/config.h"
#include "sink/kafka/partitioner.h"
#include "sink/kafka/producer.h"
#include "sink/kafka/topic_name.h"

namespace pgc {

class KafkaTopics {
public:
    // What a topic takes in one batch where we may not ask: Kafka's own default.
    static constexpr std::size_t kMessage_bytes_default = 1'048'588;
    // What we create the dead-letter topic with: room for nearly all a broker takes in a request.
    static constexpr std::size_t kDead_letter_bytes = std::size_t{64} << 20;
    // In one request.
    static constexpr std::size_t kAsked_max = 500;
    // Before what could not be answered is asked again.
    static constexpr Duration kAgain = std::chrono::milliseconds{50};

    struct Deps {
        const KafkaConfig& config;
        KafkaProducer& producer;
        const Clock& clock;
        Metrics& metrics;
        Logger logger;
    };
    explicit KafkaTopics(Deps deps);

    enum class Use : std::uint8_t { changes, transactions, heartbeats, dead_letters };
    // What a missing topic is created with.
    static KafkaNewTopic new_topic(const KafkaConfig& config, const std::string& name, Use use);

    enum class State : std::uint8_t { wanted, asked, missing, creating, known, measured, ready };
    struct Topic {
        std::string name;
        KafkaTopic* handle = nullptr;
        State state = State::wanted;
        Instant not_before{};  // in wanted, missing and known: when to ask
        std::int32_t partitions = 0;
        std::size_t message_bytes_max = kMessage_bytes_default;
        Use use = Use::changes;
        bool created = false;
    };
    // Where the records of one table version go.
    struct Route {
        const Topic* topic;
        KafkaPartitioner partitioner;
    };

    // Of a record; null while its topic is on its way. The Error is for good.
    [[nodiscard]] Result<Route*> route(const Record& record) {
        if (record.relation != nullptr && record.destination == Destination::own) {
            Version* const known = versions_.find(*record.relation);
            if (known != nullptr && known->route) return &*known->route;
        }
        return find(record);
    }
    [[nodiscard]] Result<Route*> dead_letters();

    // Sends the questions that are due, and takes an answer.
    void ask();
    [[nodiscard]] Result<void> answered(const KafkaReports::Answer& answer);

    // The smallest limit of a topic that became ready.
    std::size_t message_bytes_max() const noexcept { return message_bytes_max_; }
    // Some topic is on its way.
    bool busy() const noexcept { return !on_the_way_.empty(); }
    void wants(Wants& wants) const;
    // The topic of a handle; null if it is none of ours.
    const Topic* of_handle(const KafkaTopic* handle) const noexcept;

private:
    Result<Route*> find(const Record& record);
    Route* shared(std::optional<Route>& route, const std::string& name, Use use,
                  const KafkaPartitioning& partitioning = {});
    Result<Topic*> topic_of(const Relation& relation);
    Topic& topic(const std::string& name);
    std::vector<std::string> due(State state);
    void ask_for(State state, State then);
    void create();
    void enter(Topic& topic, State state, Duration pause = Duration{0});
    Result<void> looked_up(Topic& topic, const KafkaReports::Answer& answer);
    Result<void> create_answered(Topic& topic, const KafkaReports::Answer& answer);
    Result<void> limit_answered(Topic& topic, const KafkaReports::Answer& answer);

    const KafkaConfig& config_;
    KafkaProducer& producer_;
    const Clock& clock_;
    const Logger logger_;
    Counter& created_;
    TopicNames names_;
    std::map<std::string, std::unique_ptr<Topic>, std::less<>> topics_;
    std::vector<Topic*> on_the_way_;
    struct Version {
        Topic* topic = nullptr;
        std::optional<Route> route;  // once the topic is ready
    };
    BySlot<Version> versions_;
    std::optional<Route> messages_;
    std::optional<Route> transactions_;
    std::optional<Route> heartbeats_;
    std::optional<Route> dead_letters_;
    std::size_t message_bytes_max_ = std::numeric_limits<std::size_t>::max();
};

}  // namespace pgc
