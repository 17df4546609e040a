// The sink with transactions, over a cluster in memory. What every sealing sink promises:
// tests/conformance.
#include "sink/kafka/transaction.h"

#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <utility>

#include "core/position_text.h"
#include "sink/kafka/position_topic.h"
#include "support/fake_position_log.h"
#include "support/kafka_sink_fixture.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::SizeIs;

class KafkaTransactionTest : public test::KafkaSinkFixture {
protected:
    void SetUp() override {
        config_.pipeline = "shop";
        config_.transactional_id = "pg-capture.shop";
        kafka_.topics[config_.state_topic] = {};
        begin();
    }
    // A sink after the one before.
    void begin() {
        sink_.reset();
        auto made =
            KafkaSink::make({.config = config_,
                             .producers = producers_,
                             .carry_over = carry_over_,
                             .clock = clock_,
                             .metrics = metrics_,
                             .logger = {},
                             .positions = std::make_unique<KafkaPositionTopic>(
                                 std::make_unique<fake::FakePositionLog>(positions_, "shop"),
                                 config_.position_topic(), "shop", clock_, Logger{})});
        ASSERT_TRUE(made) << describe(made.error());
        sink_ = std::move(*made);
        for (int i = 0; i < 10 && !*sink_->open(); ++i) {
        }
        ASSERT_TRUE(*sink_->open());
    }
    static StoredPosition up_to(std::uint64_t lsn) {
        return {"shop", "1", 1, "db", "slot", Lsn{lsn}};
    }
    Result<bool> sealed() { return sink_->positions()->saved(); }
    Error failed_seal() {
        for (int i = 0; i < 20; ++i) {
            if (const auto done = sealed(); !done) return done.error();
        }
        ADD_FAILURE() << "it did not fail";
        return {};
    }
    const std::vector<test::FakeKafkaRecord>& positions() {
        return kafka_.records(config_.state_topic);
    }

    fake::PositionRecords positions_;
    const RelationPtr table_ = test::kafka_table(1, "t");
};

TEST_F(KafkaTransactionTest, RecordsAreSeenWithTheirPositionAndNotBefore) {
    offer_until_taken(batch(100, table_, {"a", "b"}));
    EXPECT_EQ(durable(), 0U);
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(0));
    ASSERT_TRUE(sink_->seal(up_to(105)));
    for (int i = 0; i < 5; ++i) (void)durable();
    EXPECT_TRUE(*sealed());
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(2));
    ASSERT_THAT(positions(), SizeIs(1));
    EXPECT_EQ(positions()[0].key, "shop");
    EXPECT_EQ(read_position(positions()[0].value), up_to(105));
    EXPECT_THAT(positions()[0].headers, SizeIs(0)) << "it is no change";
    EXPECT_EQ(durable(), 100U);
    EXPECT_EQ(kafka_.commits, 1U);
}

TEST_F(KafkaTransactionTest, APositionWithoutRecordsIsATransaction) {
    ASSERT_TRUE(sink_->seal(up_to(105)));
    for (int i = 0; i < 5; ++i) (void)durable();
    EXPECT_TRUE(*sealed());
    EXPECT_THAT(positions(), SizeIs(1));
}

TEST_F(KafkaTransactionTest, WhatIsGivenUpIsNeverCommitted) {
    offer_until_taken(batch(100, table_, {"a"}));
    const auto retired = kafka_.retired;
    sink_->give_up();
    EXPECT_EQ(kafka_.retired, retired + 1) << "at once, and not with the sink";
    auto next = batch(200, table_, {"b"});
    EXPECT_FALSE(sink_->offer(next));
    EXPECT_FALSE(sink_->durable(kStreamLane));
    EXPECT_FALSE(sink_->seal(up_to(205)));
    EXPECT_EQ(sink_->pending_bytes(), 0U);
    begin();
    EXPECT_EQ(kafka_.retired, retired + 1);
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(0));
    EXPECT_EQ(kafka_.commits, 0U);
}

TEST_F(KafkaTransactionTest, AfterACommitOfUnknownOutcomeNothingMoreIsTaken) {
    offer_until_taken(batch(100, table_, {"a"}));
    kafka_.commit_fails = retry(Error::Category::sink, "no answer");
    ASSERT_TRUE(sink_->seal(up_to(105)));
    EXPECT_EQ(failed_seal().what, "no answer");
    EXPECT_FALSE(sealed()) << "not in a second try, either";
    auto next = batch(200, table_, {"b"});
    EXPECT_FALSE(sink_->offer(next));
    EXPECT_FALSE(sink_->seal(up_to(205)));
    const auto position = sink_->durable(kStreamLane);
    EXPECT_FALSE(position);
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(0));
}

TEST_F(KafkaTransactionTest, ARecordThatIsRefusedEndsTheTransaction) {
    offer_until_taken(batch(100, table_, {"a"}));
    kafka_.writes = false;
    auto two = batch(200, table_, {"b"});
    ASSERT_EQ(offer(two), Sink::Offer::accepted);
    kafka_.write_code = KafkaCode::out_of_order;
    ASSERT_TRUE(sink_->seal(up_to(205)));
    (void)failed_seal();
    EXPECT_EQ(kafka_.commits, 0U);
    EXPECT_THAT(positions(), SizeIs(0));
}

TEST_F(KafkaTransactionTest, ARecordThatIsTooLargeGoesToTheDeadLettersInTheNextOne) {
    config_.oversize = KafkaOversize::dead_letter;
    config_.batch_bytes_max = 1000;
    begin();
    offer_until_taken(batch(100, table_, {"a"}));
    kafka_.writes = false;
    const std::string large(2000, 'x');
    auto two = batch(200, table_, {large});
    ASSERT_EQ(offer(two), Sink::Offer::accepted);
    producers_.now->write(1);
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    ASSERT_TRUE(sink_->seal(up_to(205)));
    const Error error = failed_seal();
    EXPECT_EQ(error.next, Error::Next::restart);
    EXPECT_THAT(error.what, HasSubstr("too large"));
    kafka_.writes = true;
    begin();
    offer_until_taken(batch(100, table_, {"a"}));
    offer_until_taken(batch(200, table_, {large}));
    for (int i = 0; i < 10; ++i) {
        (void)durable();
        clock_.advance(std::chrono::milliseconds{60});
    }
    ASSERT_TRUE(sink_->seal(up_to(205)));
    for (int i = 0; i < 5; ++i) (void)durable();
    EXPECT_TRUE(*sealed());
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(1));
    EXPECT_THAT(kafka_.records("cdc.dead_letters"), SizeIs(1));
    EXPECT_EQ(durable(), 200U);
}

TEST_F(KafkaTransactionTest, ATransactionThatCannotBeBegunEndsTheSink) {
    auto one = batch(100, table_, {"a"});
    kafka_.begin_code = KafkaCode::local_fatal;
    for (int i = 0; i < 50 && sink_->offer(one); ++i) clock_.advance(std::chrono::milliseconds{60});
    EXPECT_FALSE(sink_->offer(one));
    EXPECT_NE(one, nullptr) << "it is left as it was";
}

TEST_F(KafkaTransactionTest, WhatACommitUnderWayHasDoneIsFoundByTheNextOne) {
    positions_.committed = [this](const std::string& key) {
        return kafka_.last_value(config_.state_topic, key);
    };
    offer_until_taken(batch(100, table_, {"a"}));
    kafka_.commits_answer = false;
    kafka_.late_commits_arrive = true;
    ASSERT_TRUE(sink_->seal(up_to(105)));
    for (int i = 0; i < 5; ++i) (void)durable();
    EXPECT_FALSE(*sealed());
    EXPECT_THAT(sink_->waits_for(), "") << "not yet worth saying";
    kafka_.commits_answer = true;
    begin();
    const auto loaded = sink_->positions()->load();
    ASSERT_TRUE(loaded && *loaded);
    EXPECT_EQ((*loaded)->position, up_to(105));
    EXPECT_THAT(kafka_.records("cdc.public.t"), SizeIs(1));
}

class WholeKafkaTransactionTest : public KafkaTransactionTest {
protected:
    void SetUp() override {
        config_.whole_transactions = true;
        KafkaTransactionTest::SetUp();
    }
};

TEST_F(WholeKafkaTransactionTest, WhatTakesLongerThanATransactionMayIsRefused) {
    for (int i = 0; i < 2; ++i) {
        offer_until_taken(batch(100, table_, {"a"}));
        clock_.advance(kWhole_transaction_max - std::chrono::minutes{1});
        EXPECT_EQ(durable(), 0U);
        clock_.advance(std::chrono::minutes{1});
        if (i > 0) break;
        EXPECT_EQ(error_now().next, Error::Next::retry) << "once it may be anything";
        begin();
    }
    const Error error = error_now();
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_THAT(error.what, HasSubstr("within 900 s"));
    EXPECT_THAT(error.hint, HasSubstr("consistency"));
}

TEST_F(WholeKafkaTransactionTest, AnOutageInItIsNoReasonToStop) {
    kafka_.writes = false;
    offer_until_taken(batch(100, table_, {"a"}));
    clock_.advance(std::chrono::seconds{5});
    EXPECT_EQ(durable(), 0U);
    clock_.advance(kWhole_transaction_max);
    EXPECT_EQ(error_now().next, Error::Next::retry);
}

}  // namespace
}  // namespace pgc
