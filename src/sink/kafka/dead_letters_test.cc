// Records that are too large, with the sink above them.
#include "sink/kafka/dead_letters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "support/kafka_sink_fixture.h"

namespace pgc {
namespace {

using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;
using testing::Pair;
using Next = Error::Next;

class KafkaOversizeTest : public test::KafkaSinkFixture {
protected:
    const std::string large_ = std::string(KafkaSink::kBatch_bytes + 1, 'x');

    void with(KafkaOversize oversize) {
        config_.oversize = oversize;
        make();
        kafka_.writes = false;
    }
    std::size_t letters() { return kafka_.records("cdc.dead_letters").size(); }
    // Everything that is lent is written, and what follows from that.
    void settle() {
        for (int i = 0; i < 10; ++i) {
            producers_.now->write(producers_.now->lent());
            (void)sink_->durable(kStreamLane);
            clock_.advance(KafkaTopics::kAgain);
        }
    }
};

TEST_F(KafkaOversizeTest, ItStopsAndNamesTheRecordWithoutShowingIt) {
    with(KafkaOversize::fail);
    offer_until_taken(batch(7, users_, {large_}));
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    const Error error = error_now();
    EXPECT_EQ(error.next, Next::stop);
    EXPECT_THAT(error.what, HasSubstr("takes 1048588 bytes"));
    EXPECT_THAT(error.where, HasSubstr("table public.users, key columns (id), 1048578 bytes"));
    EXPECT_THAT(error.hint, HasSubstr("--add-config max.message.bytes="));
    EXPECT_THAT(describe(error), Not(HasSubstr("xx")));
}

TEST_F(KafkaOversizeTest, OneThatLibrdkafkaItselfRefusesStopsToo) {
    with(KafkaOversize::fail);
    kafka_.value_bytes_max = 100;
    auto one = batch(7, users_, {"small", std::string(101, 'x')});
    offer_until_taken(std::move(one));
    EXPECT_EQ(error_now().next, Next::stop);
}

TEST_F(KafkaOversizeTest, WhenItIsUnclearWhichOneItWasBatchesGetSmaller) {
    with(KafkaOversize::fail);
    offer_until_taken(batch(7, users_, {std::string(600'000, 'x')}));
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    EXPECT_EQ(error_now().next, Next::restart);
    make();
    EXPECT_EQ(kafka_.batch_bytes, KafkaSink::kBatch_bytes / 2);
    offer_until_taken(batch(7, users_, {std::string(600'000, 'x')}));
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    EXPECT_EQ(error_now().next, Next::stop) << "now it was alone";
}

TEST_F(KafkaOversizeTest, ItGoesToTheDeadLettersAndCountsThere) {
    with(KafkaOversize::dead_letter);
    offer_until_taken(batch(0x10, users_, {"a", large_, "b"}));
    producers_.now->fail_at(1, KafkaCode::message_too_large);
    producers_.now->write(2);
    EXPECT_EQ(durable(), 0U);
    settle();
    EXPECT_EQ(durable(), 0x10U);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("a", "b"));
    ASSERT_EQ(letters(), 1U);
    const auto& letter = kafka_.records("cdc.dead_letters")[0];
    EXPECT_EQ(letter.value, large_);
    EXPECT_EQ(letter.key, "2");
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.topic", "cdc.public.users")));
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.table", "public.users")));
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.reason", "MSG_SIZE_TOO_LARGE")));
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.size", std::to_string(large_.size() + 1))));
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.lsn", "0/10")));
    EXPECT_THAT(letter.headers, Contains(Pair("pgc.seq", "2")));
    EXPECT_EQ(metrics_.counter(Metric::kafka_dead_letters_total).value(), 1U);
}

TEST_F(KafkaOversizeTest, SentAgainItGoesThereAtOnce) {
    with(KafkaOversize::dead_letter);
    offer_until_taken(batch(7, users_, {"a", large_, "b"}));
    producers_.now->fail_at(1, KafkaCode::message_too_large);
    (void)durable();
    make();
    kafka_.topics.clear();
    offer_until_taken(batch(7, users_, {"a", large_, "b"}));
    settle();
    EXPECT_EQ(durable(), 7U);
    EXPECT_THAT(values("cdc.public.users"), ElementsAre("a", "b"));
    EXPECT_EQ(letters(), 1U);
}

TEST_F(KafkaOversizeTest, OneThatLibrdkafkaItselfRefusesIsADeadLetterToo) {
    with(KafkaOversize::dead_letter);
    kafka_.value_bytes_max = 100;
    offer_until_taken(batch(7, users_, {"a", std::string(101, 'x'), "b"}));
    kafka_.value_bytes_max = 1000;
    settle();
    EXPECT_EQ(durable(), 7U);
    EXPECT_EQ(letters(), 1U);
}

TEST_F(KafkaOversizeTest, TooLargeForTheDeadLettersIsTheEnd) {
    with(KafkaOversize::dead_letter);
    offer_until_taken(batch(7, users_, {large_}));
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    for (int i = 0; i < 10 && producers_.now->lent() == 0; ++i) {
        (void)durable();
        clock_.advance(KafkaTopics::kAgain);
    }
    producers_.now->fail_at(0, KafkaCode::message_too_large);
    const Error error = error_now();
    EXPECT_EQ(error.next, Next::stop);
    EXPECT_THAT(error.what, HasSubstr("dead-letter"));
}

TEST_F(KafkaOversizeTest, ALogicalMessageHasNoTable) {
    const Record message{.value = "m", .commit_lsn = Lsn{1}};
    EXPECT_EQ(kafka_record_text(message, "cdc.messages"),
              "a logical message, 1 bytes, topic cdc.messages, commit LSN 0/1");
}

}  // namespace
}  // namespace pgc
