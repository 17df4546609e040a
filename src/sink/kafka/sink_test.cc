#include "sink/kafka/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "support/kafka_sink_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using Next = Error::Next;

class KafkaSinkTest : public test::KafkaSinkFixture {
protected:
    void SetUp() override { make(); }
    // Two batches of one record on their way, nothing written.
    void two_on_their_way() {
        kafka_.writes = false;
        offer_until_taken(batch(1, users_, {"one"}));
        offer_until_taken(batch(2, users_, {"two"}));
    }
};

TEST_F(KafkaSinkTest, RecordsGoToTheTopicsOfTheirTables) {
    auto mixed = batch(5, users_, {"u1"});
    add(*mixed, 5, orders_, "o1");
    add(*mixed, 5, users_, "u2");
    offer_until_taken(std::move(mixed));
    EXPECT_EQ(durable(), 5U);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("u1", "u2"));
    EXPECT_THAT(values("cdc.public.orders"), ElementsAre("o1"));
    EXPECT_EQ(sink_->pending_bytes(), 0U);
}

TEST_F(KafkaSinkTest, LogicalMessagesHaveATopicOfTheirOwn) {
    auto message = pool_.get();
    message->records.push_back({.has_key = true, .key = "prefix", .value = "m"});
    message->end = Position::whole(Lsn{3});
    offer_until_taken(std::move(message));
    EXPECT_EQ(durable(), 3U);
    EXPECT_THAT(values("cdc.messages"), ElementsAre("m"));
}

TEST_F(KafkaSinkTest, WhatIsForTheDeadLettersGoesThereWithItsHeaders) {
    auto one = batch(5, users_, {"row", "why"});
    const RecordHeader reason{"pgc.reason", "not to be written"};
    one->records[1].destination = Destination::dead_letters;
    one->records[1].first_header = &reason;
    one->records[1].header_count = 1;
    offer_until_taken(std::move(one));
    EXPECT_EQ(durable(), 5U);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("row"));
    ASSERT_THAT(values("cdc.dead_letters"), ElementsAre("why"));
    EXPECT_THAT(kafka_.records("cdc.dead_letters")[0].headers,
                testing::Contains(testing::Pair("pgc.reason", "not to be written")));
}

TEST_F(KafkaSinkTest, AFailedTombstoneIsNamedLikeAnyRecord) {
    kafka_.writes = false;
    auto one = batch(1, users_, {"row", ""});
    one->records[1].has_value = false;
    offer_until_taken(std::move(one));
    producers_.now->write(1);
    producers_.now->fail_at(0, KafkaCode::out_of_order);
    EXPECT_THAT(error_now().where, HasSubstr("table public.users, key columns (id), 1 bytes"));
}

// Rows of keys "1" and "2", a TRUNCATE, a row: of a table with and without a key.
class KafkaTruncateTest : public KafkaSinkTest, public testing::WithParamInterface<bool> {
protected:
    RecordBatchPtr truncated() {
        auto made = batch(5, users_, {"a", "b", "TRUNCATE", "c"});
        for (Record& record : made->records) record.has_key = GetParam();
        made->records[2].has_key = false;
        made->records[2].to_all_partitions = true;
        return made;
    }
    // What each partition holds.
    std::vector<std::string> partitions() {
        std::vector<std::string> all(3);
        for (const auto& record : kafka_.records("cdc.public.users")) {
            all.at(static_cast<std::size_t>(record.partition)) += record.value + " ";
        }
        return all;
    }
    void SetUp() override {
        config_.topics.partitions = 3;
        make();
    }
};
INSTANTIATE_TEST_SUITE_P(Keys, KafkaTruncateTest, testing::Bool());

TEST_P(KafkaTruncateTest, EachPartitionGetsOneInItsPlaceAmongTheRows) {
    offer_until_taken(truncated());
    EXPECT_EQ(durable(), 5U);
    std::size_t rows = 0;
    for (const std::string& reported : partitions()) {
        const auto at = reported.find("TRUNCATE ");
        ASSERT_NE(at, std::string::npos) << reported;
        EXPECT_EQ(reported.find("TRUNCATE", at + 1), std::string::npos) << reported;
        EXPECT_TRUE(reported.substr(0, at).find('c') == std::string::npos) << reported;
        EXPECT_TRUE(reported.substr(at + 9).find_first_of("ab") == std::string::npos) << reported;
        rows += reported.size() / 2 - 4;
    }
    EXPECT_EQ(rows, 3U);
}

TEST_P(KafkaTruncateTest, TheBatchIsDurableOnceAllPartitionsHaveIt) {
    kafka_.writes = false;
    offer_until_taken(truncated());
    EXPECT_EQ(producers_.now->lent(), 6U);
    for (int i = 0; i < 5; ++i) {
        producers_.now->write(1);
        EXPECT_EQ(durable(), 0U) << i;
    }
    producers_.now->write(1);
    EXPECT_EQ(durable(), 5U);
    EXPECT_EQ(sink_->pending_bytes(), 0U);
}

TEST_P(KafkaTruncateTest, AFailureInOnePartitionIsAFailure) {
    kafka_.writes = false;
    offer_until_taken(truncated());
    producers_.now->write(3);
    producers_.now->fail_at(1, KafkaCode::out_of_order);
    producers_.now->write(2);
    EXPECT_EQ(error_now().next, Next::retry);
}

TEST_P(KafkaTruncateTest, AQueueThatIsFullAmongThemGoesOnWhereItStopped) {
    kafka_.queue_max = 4;
    kafka_.writes = false;
    offer_until_taken(truncated());
    EXPECT_EQ(producers_.now->lent(), 4U);
    producers_.now->write(4);
    EXPECT_EQ(durable(), 0U);
    EXPECT_EQ(producers_.now->lent(), 2U);
    producers_.now->write(2);
    EXPECT_EQ(durable(), 5U);
    for (const std::string& reported : partitions())
        EXPECT_TRUE(reported.contains("TRUNCATE")) << reported;
}

TEST_P(KafkaTruncateTest, CopiesAreLentAsFarAsTheLimitGoes) {
    constexpr std::size_t kPartitions = 10'000;
    constexpr std::size_t kLent_max = 4000;
    config_.topics.partitions = kPartitions;
    pending_bytes_max_ = kLent_max * KafkaSink::kRecord_bytes_with_headers;
    make();
    kafka_.writes = false;
    offer_until_taken(batch(4, orders_, {"a"}));
    auto truncate = truncated();
    for (int i = 0; i < 20; ++i) {
        ASSERT_EQ(offer(truncate), Sink::Offer::full) << "what is pending counts, with all copies";
        clock_.advance(60ms);
    }
    producers_.now->write(1);
    offer_until_taken(std::move(truncate));
    std::size_t written = 0;
    while (durable() != 5U) {
        const std::size_t lent = producers_.now->lent();
        ASSERT_GT(lent, 0U);
        ASSERT_LE(lent, kLent_max);
        ASSERT_LE(sink_->pending_bytes(), pending_bytes_max_ + (std::size_t{1} << 20));
        producers_.now->write(lent);
        written += lent;
    }
    EXPECT_EQ(written, kPartitions + 3);
    EXPECT_EQ(sink_->pending_bytes(), 0U);
}

TEST_P(KafkaTruncateTest, TooLargeForEachPartitionItIsOneDeadLetter) {
    config_.oversize = KafkaOversize::dead_letter;
    const auto large = [&] {
        auto made = pool_.get();
        add(*made, 5, users_, std::string(KafkaSink::kBatch_bytes + 1, 'x'));
        made->records[0].has_key = false;
        made->records[0].to_all_partitions = true;
        made->end = Position::whole(Lsn{5});
        return made;
    };
    make();
    kafka_.writes = false;
    offer_until_taken(large());
    ASSERT_EQ(producers_.now->lent(), 3U);
    for (int i = 0; i < 3; ++i) {
        producers_.now->fail_at(0, KafkaCode::message_too_large);
        EXPECT_EQ(durable(), 0U);
    }
    // The letter is on its way, and the next attempt knows already what it has to do.
    for (const bool again : {false, true}) {
        if (again) {
            make();
            offer_until_taken(large());
        }
        for (int i = 0; i < 10; ++i) {
            (void)durable();
            clock_.advance(KafkaTopics::kAgain);
        }
        EXPECT_EQ(producers_.now->lent(), 1U);
    }
    EXPECT_EQ(durable(), 0U);
    producers_.now->write(1);
    EXPECT_EQ(durable(), 5U);
    EXPECT_EQ(kafka_.records("cdc.dead_letters").size(), 2U) << "one of each attempt";
    EXPECT_EQ(sink_->pending_bytes(), 0U);
}

TEST_F(KafkaSinkTest, EachRecordSaysWhereItStoodInTheLog) {
    offer_until_taken(batch(0x16B374D848, users_, {"a", "b"}));
    (void)durable();
    const auto& records = kafka_.records("cdc.public.users");
    ASSERT_EQ(records.size(), 2U);
    EXPECT_THAT(records[1].headers,
                ElementsAre(std::pair<std::string, std::string>{"pgc.lsn", "16/B374D848"},
                            std::pair<std::string, std::string>{"pgc.seq", "2"}));
}

TEST_F(KafkaSinkTest, HeadersAreLeftOutWhenNotWanted) {
    config_.headers = false;
    make();
    offer_until_taken(batch(1, users_, {"a"}));
    (void)durable();
    EXPECT_TRUE(kafka_.records("cdc.public.users")[0].headers.empty());
    EXPECT_EQ(sink_->bytes_per_record(), KafkaSink::kRecord_bytes);
}

TEST_F(KafkaSinkTest, NothingIsDurableThatIsNotReported) {
    two_on_their_way();
    EXPECT_EQ(durable(), 0U);
    EXPECT_GT(sink_->pending_bytes(), 0U);
    producers_.now->write(1);
    EXPECT_EQ(durable(), 1U);
    producers_.now->write(1);
    EXPECT_EQ(durable(), 2U);
}

TEST_F(KafkaSinkTest, ReportsOutOfOrderWaitForTheirTurn) {
    two_on_their_way();
    producers_.now->write_at(1);
    EXPECT_EQ(durable(), 0U);
    producers_.now->write(1);
    EXPECT_EQ(durable(), 2U);
}

TEST_F(KafkaSinkTest, AFailedRecordStopsConfirmationThere) {
    two_on_their_way();
    producers_.now->fail_at(0, KafkaCode::out_of_order);
    producers_.now->write(1);
    const Error error = error_now();
    EXPECT_EQ(error.category, Error::Category::sink);
    EXPECT_EQ(error.next, Next::retry);
    EXPECT_THAT(error.where, HasSubstr("table public.users, key columns (id), 4 bytes, topic "
                                       "cdc.public.users, commit LSN 0/1, partition 0"));
    EXPECT_EQ(error.where.find("one"), std::string::npos) << "a value is shown";
}

TEST_F(KafkaSinkTest, WhatWasDurableBeforeAFailureIsStillTold) {
    two_on_their_way();
    producers_.now->write(1);
    producers_.now->fail_at(0, KafkaCode::out_of_order);
    EXPECT_EQ(durable(), 1U);
    EXPECT_FALSE(sink_->durable(kStreamLane));
    auto three = batch(3, users_, {"three"});
    EXPECT_FALSE(sink_->offer(three));
    EXPECT_NE(three, nullptr);
    EXPECT_FALSE(waits());
}

TEST_F(KafkaSinkTest, ATopicThatWasDeletedIsLookedUpAgain) {
    two_on_their_way();
    producers_.now->fail_at(0, KafkaCode::unknown_topic);
    EXPECT_EQ(error_now().next, Next::retry);
}

TEST_F(KafkaSinkTest, ATopicThatRefusesUsStops) {
    two_on_their_way();
    producers_.now->fail_at(0, KafkaCode::topic_refused);
    const Error error = error_now();
    EXPECT_EQ(error.next, Next::stop);
    EXPECT_EQ(error.category, Error::Category::permission);
}

TEST_F(KafkaSinkTest, AProducerThatIsDoneForMakesTheSinkFail) {
    two_on_their_way();
    producers_.now->fail_for_good(retry(Error::Category::sink, "done for"));
    EXPECT_EQ(durable(), 0U) << "the report that says more may come yet";
    EXPECT_TRUE(waits());
    clock_.advance(KafkaSink::kReport_of_fatal_max);
    EXPECT_EQ(error_now().what, "done for");
}

TEST_F(KafkaSinkTest, TheReportBehindAFatalErrorTellsMore) {
    two_on_their_way();
    producers_.now->fail_for_good(retry(Error::Category::sink, "done for"));
    EXPECT_EQ(durable(), 0U);
    producers_.now->fail_at(0, KafkaCode::topic_refused);
    EXPECT_EQ(error_now().next, Next::stop);
}

TEST_F(KafkaSinkTest, AFullQueueKeepsTheRestOfTheBatchForLater) {
    kafka_.writes = false;
    kafka_.queue_max = 2;
    offer_until_taken(batch(1, users_, {"a", "b", "c"}));
    EXPECT_EQ(producers_.now->lent(), 2U);
    auto next = batch(2, users_, {"d"});
    EXPECT_EQ(offer(next), Sink::Offer::full);
    producers_.now->write(2);
    EXPECT_EQ(durable(), 0U);
    EXPECT_EQ(producers_.now->lent(), 1U);
    producers_.now->write(1);
    EXPECT_EQ(durable(), 1U);
    EXPECT_EQ(offer(next), Sink::Offer::accepted);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("a", "b", "c"));
}

TEST_F(KafkaSinkTest, BeyondItsLimitItIsFull) {
    pending_bytes_max_ = 100'000;
    make();
    kafka_.writes = false;
    offer_until_taken(batch(1, users_, {std::string(60'000, 'x')}));
    auto second = batch(2, users_, {std::string(60'000, 'x')});
    EXPECT_EQ(offer(second), Sink::Offer::full);
    EXPECT_NE(second, nullptr);
    EXPECT_TRUE(waits());
    producers_.now->write(1);
    EXPECT_EQ(offer(second), Sink::Offer::accepted);
}

TEST_F(KafkaSinkTest, ABatchBeyondTheLimitIsTakenAlone) {
    pending_bytes_max_ = 1000;
    make();
    offer_until_taken(batch(1, users_, {std::string(60'000, 'x')}));
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaSinkTest, ItWaitsForNothingWhenNothingIsDue) {
    EXPECT_FALSE(waits());
    offer_until_taken(batch(1, users_, {"a"}));
    EXPECT_TRUE(waits());
    EXPECT_EQ(durable(), 1U);
    EXPECT_FALSE(waits());
}

TEST_F(KafkaSinkTest, WhileATopicIsOnItsWayItIsFullAndWaits) {
    kafka_.answers = false;
    auto one = batch(1, users_, {"a"});
    EXPECT_EQ(offer(one), Sink::Offer::full);
    EXPECT_NE(one, nullptr);
    EXPECT_TRUE(waits());
    EXPECT_EQ(producers_.now->questions(), 1U);
    kafka_.answers = true;
    offer_until_taken(std::move(one));
    EXPECT_EQ(durable(), 1U);
}

TEST_F(KafkaSinkTest, ATopicWithASmallLimitMakesTheNextSinkSendSmallerBatches) {
    kafka_.topics["cdc.public.orders"].message_bytes_max = 50'000;
    kafka_.writes = false;
    offer_until_taken(batch(1, users_, {"a"}));
    auto small = batch(2, orders_, {"b"});
    for (int i = 0; i < 5; ++i) EXPECT_EQ(offer(small), Sink::Offer::full) << "something is out";
    producers_.now->write(1);
    EXPECT_EQ(durable(), 1U);
    const auto answer = sink_->offer(small);
    ASSERT_FALSE(answer);
    EXPECT_EQ(answer.error().next, Next::restart) << "a decision, not a failure";
    make();
    EXPECT_EQ(kafka_.batch_bytes, 50'000U);
    kafka_.writes = true;
    offer_until_taken(std::move(small));
    EXPECT_EQ(durable(), 2U);
}

TEST_F(KafkaSinkTest, TheBatchSizeOfTheUserIsKept) {
    config_.batch_bytes_max = 16'384;
    make();
    EXPECT_EQ(kafka_.batch_bytes, 16'384U);
}

TEST_F(KafkaSinkTest, ASinkWhoseProducerCantBeMadeIsNone) {
    kafka_.no_producer = stop(Error::Category::configuration, "no such certificate");
    EXPECT_FALSE(KafkaSink::make({.config = config_,
                                  .producers = producers_,
                                  .carry_over = carry_over_,
                                  .clock = clock_,
                                  .metrics = metrics_,
                                  .logger = {}}));
}

TEST_F(KafkaSinkTest, OnDestructionLentRecordsOutliveTheirProducer) {
    two_on_their_way();
    sink_.reset();
    EXPECT_EQ(kafka_.retired, 1U);
    EXPECT_EQ(kafka_.retired_lent, 2U);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("one", "two"));
}

TEST_F(KafkaSinkTest, RefusedCredentialsAreAnErrorOnceTheyLast) {
    two_on_their_way();
    producers_.now->trouble = retry(Error::Category::authentication, "who are you");
    EXPECT_EQ(durable(), 0U);
    clock_.advance(2s);
    EXPECT_EQ(error_now().what, "who are you");
}

TEST_F(KafkaSinkTest, ABrokerThatIsAwayIsWaitedFor) {
    two_on_their_way();
    producers_.now->trouble = retry(Error::Category::connection, "refused");
    for (int i = 0; i < 100; ++i) {
        clock_.advance(10s);
        EXPECT_EQ(durable(), 0U);
        EXPECT_EQ(sink_->waits_for(), "Kafka: refused");
    }
    producers_.now->trouble.reset();
    producers_.now->write(2);
    EXPECT_EQ(durable(), 2U);
    EXPECT_EQ(sink_->waits_for(), "");
}

// Whatever order reports come in, whatever fails and whenever it is destroyed: durable() is
// what the cluster holds of every batch up to there. Freed too early, the sanitizer sees it.
TEST_F(KafkaSinkTest, DurableNeverClaimsWhatTheClusterDoesNotHold) {
    for (std::uint64_t seed = 1; seed <= 400; ++seed) {
        Random random{seed};
        sink_.reset();
        kafka_ = {};
        kafka_.writes = false;
        if (random.chance(30)) kafka_.queue_max = 1 + random.below(5);
        make();
        std::vector<std::size_t> sizes;  // of the accepted batches
        for (std::uint64_t steps = random.below(120); steps > 0; --steps) {
            if (random.chance(40)) {
                const std::size_t records = random.below(4);
                auto next = batch(sizes.size() + 1, random.chance(50) ? users_ : orders_,
                                  std::vector<std::string>(records, "v"));
                const auto answer = sink_->offer(next);
                if (!answer) break;
                if (*answer == Sink::Offer::accepted) sizes.push_back(records);
            } else if (const std::size_t lent = producers_.now->lent(); lent > 0) {
                const std::size_t at = random.below(lent);
                if (random.chance(3)) {
                    producers_.now->fail_at(at, KafkaCode::out_of_order);
                } else {
                    producers_.now->write_at(at);
                }
            }
            clock_.advance(60ms);
            const auto position = sink_->durable(kStreamLane);
            if (!position) break;
            std::vector<std::size_t> held(sizes.size() + 1);
            for (const auto& [name, topic] : kafka_.topics) {
                for (const auto& record : topic.records) ++held[record.commit_lsn.value];
            }
            for (std::uint64_t commit = 1; commit <= position->commit.value; ++commit) {
                ASSERT_EQ(held[commit], sizes[commit - 1]) << "seed " << seed;
            }
        }
    }
}

TEST_F(KafkaSinkTest, MarksAndHeartbeatsHaveTopicsOfOnePartition) {
    config_.transaction_topic = "{prefix}.transactions";
    config_.heartbeat_topic = "__debezium-heartbeat.{prefix}";
    config_.topics.partitions = 4;
    config_.topics.config = {{"cleanup.policy", "compact"}, {"retention.ms", "1000"}};
    make();
    auto marked = batch(5, users_, {"row", "mark", "beat"});
    marked->records[1].destination = Destination::transactions;
    marked->records[2].destination = Destination::heartbeats;
    marked->records[1].relation = marked->records[2].relation = nullptr;
    offer_until_taken(std::move(marked));
    EXPECT_EQ(durable(), 5U);
    EXPECT_THAT(values("cdc.transactions"), ElementsAre("mark"));
    EXPECT_EQ(kafka_.topics["cdc.transactions"].partitions, 1);
    EXPECT_THAT(kafka_.topics["cdc.transactions"].config,
                ElementsAre(testing::Pair("retention.ms", "1000"),
                            testing::Pair("max.message.bytes", "67108864")));
    EXPECT_THAT(values("__debezium-heartbeat.cdc"), ElementsAre("beat"));
    EXPECT_EQ(kafka_.topics["__debezium-heartbeat.cdc"].partitions, 1);
}

}  // namespace
}  // namespace pgc
