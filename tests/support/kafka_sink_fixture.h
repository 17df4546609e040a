// A KafkaSink over a cluster in memory.
#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "observe/metrics.h"
#include "sink/kafka/sink.h"
#include "support/fake_kafka.h"
#include "support/manual_clock.h"

namespace pgc::test {

inline RelationPtr kafka_table(std::uint32_t slot, std::string name) {
    Relation table;
    table.slot = slot;
    table.schema = "public";
    table.name = std::move(name);
    table.columns.resize(2);
    table.columns[0].name = "id";
    table.columns[1].name = "note";
    table.key = {0};
    return std::make_shared<const Relation>(std::move(table));
}

class KafkaSinkFixture : public testing::Test {
protected:
    void make() {
        sink_.reset();
        auto made = KafkaSink::make({.config = config_,
                                     .producers = producers_,
                                     .carry_over = carry_over_,
                                     .clock = clock_,
                                     .metrics = metrics_,
                                     .logger = {},
                                     .pending_bytes_max = pending_bytes_max_});
        ASSERT_TRUE(made) << describe(made.error());
        sink_ = std::move(*made);
    }
    // Records of `table` with these values and the keys "1", "2" …
    RecordBatchPtr batch(std::uint64_t commit, const RelationPtr& table,
                         std::vector<std::string> values) {
        RecordBatchPtr made = pool_.get();
        for (const std::string& value : values) add(*made, commit, table, value);
        made->end = Position::whole(Lsn{commit});
        return made;
    }
    static void add(RecordBatch& to, std::uint64_t commit, const RelationPtr& table,
                    std::string_view value) {
        const std::uint64_t ordinal = to.records.size() + 1;
        to.records.push_back({.relation = table.get(),
                              .has_key = true,
                              .key = to.arena.copy(std::to_string(ordinal)),
                              .value = to.arena.copy(value),
                              .commit_lsn = Lsn{commit},
                              .ordinal = ordinal});
        to.relations.push_back(table);
    }
    Sink::Offer offer(RecordBatchPtr& what) {
        const auto answer = sink_->offer(what);
        EXPECT_TRUE(answer) << describe(answer.error());
        return answer.value_or(Sink::Offer::full);
    }
    // Until it is taken: topics are looked up meanwhile.
    void offer_until_taken(RecordBatchPtr what) {
        for (int i = 0; i < 50 && offer(what) == Sink::Offer::full; ++i) {
            clock_.advance(std::chrono::milliseconds{60});
        }
        EXPECT_EQ(what, nullptr) << "it was never taken";
    }
    std::uint64_t durable() {
        const auto position = sink_->durable(kStreamLane);
        EXPECT_TRUE(position) << describe(position.error());
        return position ? position->commit.value : 0;
    }
    // The Error it ends with.
    Error error_now() {
        for (int i = 0; i < 3; ++i) {
            const auto position = sink_->durable(kStreamLane);
            if (!position) return position.error();
        }
        ADD_FAILURE() << "no error";
        return {};
    }
    std::vector<std::string> values(const std::string& topic) {
        std::vector<std::string> all;
        for (const auto& record : kafka_.records(topic)) all.push_back(record.value);
        return all;
    }
    bool waits() const {
        Wants wants;
        sink_->wants(wants);
        return !wants.interests.empty();
    }

    ManualClock clock_;
    Metrics metrics_{"test"};
    FakeKafka kafka_;
    FakeKafkaProducers producers_{kafka_};
    KafkaConfig config_;
    KafkaCarryOver carry_over_;
    RecordPool pool_;
    std::size_t pending_bytes_max_ = std::size_t{32} << 20;
    const RelationPtr users_ = kafka_table(0, "users");
    const RelationPtr orders_ = kafka_table(1, "orders");
    std::unique_ptr<KafkaSink> sink_;
};

}  // namespace pgc::test
