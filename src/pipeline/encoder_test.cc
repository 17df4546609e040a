#include "pipeline/encoder.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/changes.h"
#include "support/fake_parts.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using test::Changes;
using testing::ElementsAre;

class EncoderTest : public testing::Test {
protected:
    void SetUp() override {
        changes_.begin(1, Lsn{5}, {1000});
        for (int row = 1; row <= 5; ++row) {
            changes_.insert(users_, {changes_.text(std::to_string(row)), Changes::null()});
        }
        changes_.batch().resume_at = Lsn{6};
    }
    Encoder& encoder() {
        if (!encoder_) {
            encoder_.emplace(Encoder::Parts{std::make_unique<fake::FakeFormat>(writing_), nullptr},
                             options_, pool_, pipeline_metrics_);
        }
        return *encoder_;
    }
    RecordBatchPtr step(Source* source = nullptr) {
        auto records = encoder().step(source);
        EXPECT_TRUE(records) << describe(records.error());
        return records ? std::move(*records) : nullptr;
    }
    Error failure(Source* source = nullptr) {
        const auto records = encoder().step(source);
        EXPECT_FALSE(records);
        return records ? Error{} : records.error();
    }
    static std::vector<std::uint64_t> ordinals(const RecordBatch& batch) {
        std::vector<std::uint64_t> all;
        for (const Record& record : batch.records) all.push_back(record.ordinal);
        return all;
    }

    ManualClock clock_;
    Metrics metrics_{"test"};
    PipelineMetrics pipeline_metrics_{metrics_, clock_};
    RecordPool pool_;
    const Relation users_ = test::users();
    Changes changes_;
    fake::Writing writing_;
    EncoderOptions options_;
    std::optional<Encoder> encoder_;
};

TEST_F(EncoderTest, TheRecordsTellWhatTheBatchWas) {
    changes_.batch().lane = Lane{4};
    encoder().begin(changes_.batch());
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_THAT(ordinals(*records), ElementsAre(1, 2, 3, 4, 5));
    EXPECT_EQ(records->lane, Lane{4});
    EXPECT_EQ(records->end, Position::whole(Lsn{5}));
    EXPECT_EQ(records->resume_at, Lsn{6});
    EXPECT_EQ(records->newest_commit, WallTime{1000});
    EXPECT_FALSE(encoder().busy());
}

TEST_F(EncoderTest, AFormatThatWaitsIsAskedAgainForTheRest) {
    writing_.waits_after = 2;
    encoder().begin(changes_.batch());
    EXPECT_EQ(step(), nullptr);
    EXPECT_TRUE(encoder().busy());
    EXPECT_EQ(step(), nullptr);
    Wants wants;
    encoder().wants(wants);
    ASSERT_EQ(wants.interests.size(), 1U);
    EXPECT_EQ(wants.interests[0].fd, fake::FakeFormat::kFd);
    writing_.waits_after.reset();
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_THAT(ordinals(*records), ElementsAre(1, 2, 3, 4, 5));
    Wants none;
    encoder().wants(none);
    EXPECT_TRUE(none.interests.empty());
}

TEST_F(EncoderTest, ARefusedChangeFailsTheBatch) {
    writing_.refuses = {3};
    encoder().begin(changes_.batch());
    EXPECT_EQ(failure().what, "bad bytes");
    EXPECT_FALSE(encoder().busy());
}

TEST_F(EncoderTest, ARefusedChangeIsSkippedAndCounted) {
    options_.on_error = OnError::skip;
    writing_.refuses = {1, 3, 5};
    encoder().begin(changes_.batch());
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_THAT(ordinals(*records), ElementsAre(2, 4));
    EXPECT_EQ(metrics_.counter(Metric::errors_total, {"data"}).value(), 3U);
}

TEST_F(EncoderTest, ADeadLetterTakesItsPlace) {
    options_.on_error = OnError::dead_letter;
    writing_.refuses = {3};
    encoder().begin(changes_.batch());
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_THAT(ordinals(*records), ElementsAre(1, 2, 3, 4, 5));
    const Record& letter = records->records[2];
    EXPECT_EQ(letter.destination, Destination::dead_letters);
    EXPECT_EQ(letter.relation, &users_);
    EXPECT_EQ(letter.commit_lsn, Lsn{5});
    EXPECT_EQ(letter.value, "bad bytes (table public.t)");
    EXPECT_EQ(letter.change, 2U);
    ASSERT_EQ(letter.headers().size(), 2U);
    EXPECT_EQ(letter.headers()[0].name, "pgc.reason");
    EXPECT_EQ(letter.headers()[0].value, "bad bytes");
    EXPECT_EQ(letter.headers()[1].value, "public.users");
}

TEST_F(EncoderTest, WhatTextWouldDoForIsAskedForAsTextOnce) {
    options_.on_error = OnError::skip;
    writing_.refuses = {3};
    writing_.text_would_do = true;
    fake::Server server;
    server.sends_binary = true;
    fake::FakeSource source{server, true};
    encoder().begin(changes_.batch());
    const Error decided = failure(&source);
    EXPECT_EQ(decided.next, Error::Next::restart);
    EXPECT_EQ(decided.what, "bad bytes: continuing in text");
    EXPECT_EQ(decided.where, "table public.t");
    encoder().begin(changes_.batch());
    EXPECT_NE(step(&source), nullptr) << "it is text already: refused like any other";
}

TEST_F(EncoderTest, AnErrorOfTheFormatIsAnError) {
    options_.on_error = OnError::skip;
    writing_.errors.push_back(retry(Error::Category::connection, "no registry"));
    encoder().begin(changes_.batch());
    EXPECT_EQ(failure().what, "no registry");
    EXPECT_FALSE(encoder().busy());
}

TEST_F(EncoderTest, AChangedKeyIsWrittenAsTwo) {
    changes_.update(users_, {changes_.text("1"), Changes::absent()},
                    {changes_.text("2"), Changes::null()});
    encoder().begin(changes_.batch());
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_THAT(ordinals(*records), ElementsAre(1, 2, 3, 4, 5, 6, 6));
    pipeline_metrics_.batch_read(changes_.batch());
    EXPECT_EQ(metrics_.counter(Metric::changes_total, {"public.users", "INSERT"}).value(), 5U);
    EXPECT_EQ(metrics_.counter(Metric::changes_total, {"public.users", "UPDATE"}).value(), 1U);
    EXPECT_EQ(pipeline_metrics_.changes(), 6U);
}

// Writes the index of each record's change.
class IndexKeys final : public PartitionKeys {
public:
    Result<void> write(const Batch&, RecordBatch& out, std::size_t first) override {
        for (std::size_t i = first; i < out.records.size(); ++i) {
            Record& record = out.records[i];
            record.partition_by = out.arena.copy(std::to_string(record.change));
            ++written;
        }
        return {};
    }
    std::size_t written = 0;
};

TEST_F(EncoderTest, PartitionKeysAreWrittenOnceForEachRecordAndTombstonesShareThem) {
    auto keys = std::make_unique<IndexKeys>();
    IndexKeys& known = *keys;
    options_.tombstones = true;
    encoder_.emplace(Encoder::Parts{std::make_unique<fake::FakeFormat>(writing_), std::move(keys)},
                     options_, pool_, pipeline_metrics_);
    writing_.waits_after = 3;
    encoder().begin(changes_.batch());
    EXPECT_EQ(step(), nullptr);
    writing_.waits_after.reset();
    const auto records = step();
    ASSERT_NE(records, nullptr);
    EXPECT_EQ(known.written, 5U);
    EXPECT_EQ(records->records[4].partition_by, "4");
}

TEST_F(EncoderTest, WhatIsSealedIsLeftOutUntilItsPlaceHasPassed) {
    encoder().leave_out_until({Lsn{5}, 3});
    changes_.batch().end = {Lsn{5}, 2};
    encoder().begin(changes_.batch());
    EXPECT_THAT(ordinals(*step()), ElementsAre(4, 5));
    changes_.batch().end = Position::whole(Lsn{5});
    encoder().begin(changes_.batch());
    EXPECT_THAT(ordinals(*step()), ElementsAre(4, 5));
    encoder().begin(changes_.batch());
    EXPECT_THAT(ordinals(*step()), ElementsAre(1, 2, 3, 4, 5)) << "that place has passed";
}

TEST_F(EncoderTest, AFormatMayWaitWithTheMarkOfATransaction) {
    options_.transaction_marks = true;
    writing_.waits_with_mark = true;
    encoder().begin(changes_.batch());
    EXPECT_EQ(step(), nullptr);
    EXPECT_TRUE(encoder().busy());
    const auto records = step();
    ASSERT_NE(records, nullptr);
    ASSERT_EQ(records->records.size(), 7U);
    EXPECT_EQ(records->records.front().destination, Destination::transactions);
    EXPECT_EQ(records->records.back().value, "end users 5");
}

TEST_F(EncoderTest, WhatIsOnlyCountedIsNoRecordForTheSink) {
    writing_.only_counts = {1, 4};
    encoder().begin(changes_.batch());
    EXPECT_THAT(ordinals(*step()), ElementsAre(2, 3, 5));
}

TEST_F(EncoderTest, MessagesForUsAreKeptWhereTheSinkActsOnThem) {
    changes_.message("pg_capture.ddl", "{}", true);
    changes_.message("theirs", "x", true);
    encoder().begin(changes_.batch());
    EXPECT_TRUE(step()->messages.empty());
    options_.own_messages = true;
    encoder_.reset();
    encoder().begin(changes_.batch());
    const auto records = step();
    ASSERT_EQ(records->messages.size(), 1U);
    EXPECT_EQ(records->messages[0].content, "{}");
    EXPECT_EQ(records->messages[0].commit_lsn, Lsn{5});
    EXPECT_EQ(records->messages[0].ordinal, 6U);
    EXPECT_EQ(records->messages[0].committed_at, WallTime{1000});
    encoder().leave_out_until({Lsn{5}, 6});
    encoder().begin(changes_.batch());
    EXPECT_TRUE(step()->messages.empty()) << "it is sealed";
}

TEST_F(EncoderTest, RowsOfASnapshotAreNotMarked) {
    options_.transaction_marks = true;
    changes_.batch().lane = kSnapshotLane;
    encoder().begin(changes_.batch());
    EXPECT_THAT(ordinals(*step()), ElementsAre(1, 2, 3, 4, 5));
}

}  // namespace
}  // namespace pgc
