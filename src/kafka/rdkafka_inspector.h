// A real cluster, asked through librdkafka.
//
// Threads: one; what librdkafka's own have to say waits in its queue.
#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "base/clock.h"
#include "base/wait.h"
#include "kafka/client.h"
#include "kafka/connection.h"
#include "kafka/inspector.h"
#include "kafka/properties.h"
#include "observe/log.h"

namespace pgc {

class RdKafkaInspector final : public KafkaInspector {
public:
    // A broker that only fails is given up after this: librdkafka has tried each of its
    // addresses more than once.
    static constexpr Duration kFailing_max = std::chrono::seconds{2};

    struct Deps {
        const KafkaConnection& config;  // all references outlive it
        // What the client that this one stands for is made with, so that what it would be
        // refused shows here.
        std::vector<KafkaProperty> properties;
        const Clock& clock;
        Waiter& waiter;
        Logger logger;
        Duration limit;  // for each question
    };
    explicit RdKafkaInspector(Deps deps);
    ~RdKafkaInspector() override;

    Result<std::vector<KafkaReached>> reach() override;
    Result<KafkaClusterFacts> cluster() override;
    Result<std::vector<KafkaTopicFacts>> topics(std::span<const std::string> names) override;
    Result<std::vector<std::optional<Error>>> try_create(
        std::span<const KafkaNewTopic> topics) override;

private:
    class Door;
    using Send =
        std::function<void(rd_kafka_t*, const rd_kafka_AdminOptions_t*, rd_kafka_queue_t*)>;

    Result<std::unique_ptr<KafkaClient>> make(const KafkaConnection& config);
    Result<KafkaEvent> ask(rd_kafka_admin_op_t operation, const Send& send);
    Result<void> describe(std::span<const std::string> names, std::vector<KafkaTopicFacts>& into);
    void configure(std::span<KafkaTopicFacts> topics);
    void read_settings(int broker, KafkaClusterFacts& facts);

    const Deps deps_;
    std::unique_ptr<KafkaClient> client_;  // of all brokers; made when first needed
};

}  // namespace pgc
