#include "pipeline/checkpoint.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <vector>

#include "support/fake_parts.h"
#include "support/simulated_time.h"
#include "support/transactional_sink.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using Urgency = Checkpoint::Urgency;

class CheckpointTest : public testing::Test {
protected:
    SimulatedClock clock;
    fake::FakeStore store;
    Checkpoint checkpoint{clock, 10s};
    StoredPosition whose{"p", "1", 1, "db", "slot", Lsn{100}};

    std::string left = "the rest";

    bool durable(std::uint64_t lsn, std::uint64_t records, Urgency urgency = Urgency::normal,
                 std::uint64_t under_way = 0) {
        const auto moved = checkpoint.advance(
            {.confirmable = Lsn{lsn}, .records = records, .sent = records + under_way},
            [this] { return left; }, urgency);
        EXPECT_TRUE(moved);
        return moved && *moved;
    }

    bool advance(std::uint64_t lsn, Urgency urgency = Urgency::normal, std::uint64_t revision = 0) {
        const auto moved = checkpoint.advance(
            {.confirmable = Lsn{lsn}, .snapshot_revision = revision}, [this] { return left; },
            urgency);
        EXPECT_TRUE(moved);
        return moved && *moved;
    }
};

TEST_F(CheckpointTest, AStoredPositionIsSafeFromTheStart) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
    EXPECT_FALSE(store.content);
}

TEST_F(CheckpointTest, APositionToBeStoredFirstIsNotSafeBefore) {
    store.slow = true;
    ASSERT_TRUE(checkpoint.begin({store}, whose, true));
    EXPECT_FALSE(advance(0, Urgency::forced));
    EXPECT_EQ(checkpoint.safe(), Lsn{});
    EXPECT_TRUE(checkpoint.saving());
    store.slow = false;
    EXPECT_TRUE(advance(0, Urgency::forced));
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
    EXPECT_EQ(store.content, whose);
}

TEST_F(CheckpointTest, WithoutRecordsItStoresOnlyOnceAnInterval) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_FALSE(advance(200));
    clock.advance(9s);
    EXPECT_FALSE(advance(300));
    clock.advance(1s);
    EXPECT_TRUE(advance(400));
    EXPECT_EQ(store.content->resume_at, Lsn{400});
    EXPECT_EQ(checkpoint.safe(), Lsn{400});
    EXPECT_FALSE(advance(500));
}

TEST_F(CheckpointTest, TheFirstRecordsAfterAStartAreStoredAtOnce) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(200, 1));
    EXPECT_FALSE(durable(300, 2)) << "and those after them are not";
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(300, 1)) << "each attempt makes progress";
}

TEST_F(CheckpointTest, RecordsAreStoredASecondAfterThoseBefore) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(200, 1));
    clock.advance(999ms);
    EXPECT_FALSE(durable(300, 2));
    clock.advance(1ms);
    EXPECT_TRUE(durable(300, 2));
    EXPECT_EQ(store.content->resume_at, Lsn{300});
    clock.advance(1s);
    EXPECT_FALSE(durable(300, 2)) << "nothing is new";
}

TEST_F(CheckpointTest, ManyRecordsAreNotWaitedWith) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(200, 1));
    EXPECT_FALSE(durable(300, 16'000));
    EXPECT_TRUE(durable(400, 16'001)) << "20,000, but for what comes while it is stored";
    EXPECT_EQ(store.content->resume_at, Lsn{400});
}

TEST_F(CheckpointTest, WhatIsUnderWayCountsAsItComesAgainToo) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(200, 1));
    EXPECT_FALSE(durable(300, 12'001, Urgency::normal, 3'999));
    EXPECT_TRUE(durable(400, 12'001, Urgency::normal, 4'000));
}

TEST_F(CheckpointTest, HoweverMuchIsUnderWayItIsNotStoredOverAndOver) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(durable(200, 1));
    EXPECT_FALSE(durable(300, 10'000, Urgency::normal, 1'000'000));
    EXPECT_TRUE(durable(400, 10'001, Urgency::normal, 1'000'000));
}

TEST_F(CheckpointTest, WhatComesDueWhileASaveIsUnderWayGoesWithTheNext) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    int saves = 0;
    store.on_saved = [&](const StoredPosition&) { ++saves; };
    store.slow = true;
    for (std::uint64_t i = 1; i <= 50; ++i) {
        EXPECT_FALSE(durable(200 + i, i * Checkpoint::kRecords));
    }
    store.slow = false;
    EXPECT_TRUE(durable(300, 50 * Checkpoint::kRecords));
    EXPECT_EQ(checkpoint.safe(), Lsn{201});
    EXPECT_TRUE(durable(300, 50 * Checkpoint::kRecords));
    EXPECT_EQ(checkpoint.safe(), Lsn{300});
    EXPECT_EQ(saves, 2);
}

TEST_F(CheckpointTest, TheSlotIsConfirmedAtTheIntervalHoweverOftenIsStored) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    std::vector<Lsn> confirmed;
    for (std::uint64_t second = 1; second <= 25; ++second) {
        clock.advance(1s);
        EXPECT_TRUE(durable(100 + second, second));
        if (const Lsn at = checkpoint.confirm(Urgency::normal)) confirmed.push_back(at);
    }
    EXPECT_EQ(confirmed, (std::vector{Lsn{110}, Lsn{120}}));
    EXPECT_FALSE(checkpoint.confirm(Urgency::normal));
    EXPECT_EQ(checkpoint.confirm(Urgency::quiet), Lsn{125});
    EXPECT_FALSE(checkpoint.confirm(Urgency::forced)) << "each place once";
}

TEST_F(CheckpointTest, WhatIsNotStoredIsNotConfirmed) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, true));
    store.slow = true;
    EXPECT_FALSE(checkpoint.confirm(Urgency::forced));
    store.slow = false;
    EXPECT_TRUE(durable(200, 1, Urgency::forced));
    EXPECT_EQ(checkpoint.confirm(Urgency::forced), Lsn{100});
    EXPECT_TRUE(durable(200, 1, Urgency::forced));
    EXPECT_EQ(checkpoint.confirm(Urgency::forced), Lsn{200});
}

TEST_F(CheckpointTest, ASaveThatCouldNotEvenBeginIsNotWaitedFor) {
    store.save_errors.push_back(stop(Error::Category::storage, "disk full"));
    EXPECT_FALSE(checkpoint.begin({store}, whose, true));
    EXPECT_FALSE(checkpoint.saving());
    EXPECT_FALSE(checkpoint.safe());
}

TEST_F(CheckpointTest, AQuietStreamIsStoredAfterASecond) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    clock.advance(1s);
    EXPECT_FALSE(advance(200, Urgency::normal));
    EXPECT_TRUE(advance(200, Urgency::quiet));
}

TEST_F(CheckpointTest, AForcedOneIsStoredAtOnce) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_TRUE(advance(200, Urgency::forced));
}

TEST_F(CheckpointTest, NothingNewIsNotStored) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    clock.advance(1h);
    EXPECT_FALSE(advance(100, Urgency::forced));
    EXPECT_FALSE(advance(99, Urgency::forced));
    EXPECT_FALSE(store.content);
}

TEST_F(CheckpointTest, WhatCameDurableWhileStoringIsNotSafeYet) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    store.slow = true;
    EXPECT_FALSE(advance(200, Urgency::forced));
    store.slow = false;
    EXPECT_TRUE(advance(900, Urgency::normal));
    EXPECT_EQ(checkpoint.safe(), Lsn{200});
}

TEST_F(CheckpointTest, AFailedStoreMovesNothing) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    store.save_errors.push_back(stop(Error::Category::storage, "disk full"));
    EXPECT_FALSE(checkpoint.advance({Lsn{200}}, [this] { return left; }, Urgency::forced));
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
}

TEST_F(CheckpointTest, AStoreThatFailsLaterMovesNothingEither) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    store.saved_errors.push_back(stop(Error::Category::permission, "not allowed"));
    EXPECT_FALSE(checkpoint.advance({Lsn{200}}, [this] { return left; }, Urgency::forced));
    EXPECT_FALSE(checkpoint.saving());
    EXPECT_EQ(checkpoint.safe(), Lsn{100}) << "though nothing is being saved any more";
    EXPECT_TRUE(advance(200, Urgency::forced));
    EXPECT_EQ(store.content->resume_at, Lsn{200});
}

TEST_F(CheckpointTest, WaitsUntilTheNextOneIsDue) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    Wants wants;
    checkpoint.wants(wants, {Lsn{100}}, Urgency::normal);
    EXPECT_EQ(wants.deadline, kNever) << "nothing new, nothing to wait for";
    checkpoint.wants(wants, {Lsn{200}}, Urgency::normal);
    EXPECT_EQ(wants.deadline, clock.now() + 10s);
    checkpoint.wants(wants, {Lsn{200}}, Urgency::quiet);
    EXPECT_EQ(wants.deadline, clock.now() + 1s);
    wants.clear();
    ASSERT_TRUE(durable(200, 1));
    checkpoint.wants(wants, {.confirmable = Lsn{200}, .records = 1}, Urgency::normal);
    EXPECT_EQ(wants.deadline, clock.now() + 10s) << "to confirm it";
    checkpoint.wants(wants, {.confirmable = Lsn{300}, .records = 2}, Urgency::normal);
    EXPECT_EQ(wants.deadline, clock.now() + Checkpoint::kStore_every);
}

TEST_F(CheckpointTest, WhatIsLeftOfASnapshotIsStoredSoonAndWithThePosition) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    EXPECT_FALSE(advance(150, Urgency::normal, 1));
    clock.advance(Checkpoint::kSnapshot);
    EXPECT_TRUE(advance(150, Urgency::normal, 1));
    EXPECT_EQ(store.content->snapshot, "the rest");
    EXPECT_EQ(store.content->resume_at, Lsn{150});
    EXPECT_EQ(checkpoint.snapshot_revision(), 1U);
    clock.advance(1s);
    EXPECT_FALSE(advance(150, Urgency::normal, 1)) << "nothing has changed";
}

TEST_F(CheckpointTest, WhatTheSourceRemembersIsStoredWhenItHasChanged) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    int asked = 0;
    const auto advance_with = [&](std::uint64_t revision, Lsn at, Urgency urgency) {
        const auto stored = checkpoint.advance(
            {.confirmable = at, .memory_revision = revision}, [this] { return left; }, urgency,
            [&] { return fmt::format("memory {}", ++asked); });
        return stored && *stored;
    };
    EXPECT_FALSE(advance_with(1, Lsn{100}, Urgency::normal));
    Wants wants;
    checkpoint.wants(wants, {.confirmable = Lsn{100}, .memory_revision = 1}, Urgency::normal);
    EXPECT_EQ(wants.deadline, clock.now() + Checkpoint::kStore_every);
    clock.advance(Checkpoint::kStore_every);
    EXPECT_TRUE(advance_with(1, Lsn{100}, Urgency::normal));
    EXPECT_EQ(store.content->memory, "memory 1");
    clock.advance(10s);
    EXPECT_TRUE(advance_with(1, Lsn{200}, Urgency::normal));
    EXPECT_EQ(store.content->memory, "memory 1") << "not asked again";
    EXPECT_TRUE(advance_with(2, Lsn{200}, Urgency::forced));
    EXPECT_EQ(store.content->memory, "memory 2");
    EXPECT_TRUE(checkpoint.has_stored({.confirmable = Lsn{200}, .memory_revision = 2}));
    EXPECT_FALSE(checkpoint.has_stored({.confirmable = Lsn{200}, .memory_revision = 3}));
}

TEST_F(CheckpointTest, MuchOfASnapshotIsStoredAtOnce) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    const auto stored = checkpoint.advance(
        {.confirmable = {}, .snapshot_revision = 1, .snapshot_is_due = true},
        [this] { return left; }, Urgency::normal);
    EXPECT_TRUE(stored && *stored);
}

TEST_F(CheckpointTest, ASnapshotAloneMovesNoPosition) {
    ASSERT_TRUE(checkpoint.begin({store}, whose, false));
    left = "";
    EXPECT_TRUE(advance(0, Urgency::forced, 7));
    EXPECT_EQ(store.content->snapshot, "");
    EXPECT_EQ(store.content->resume_at, Lsn{100});
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
}

// -- positions that the sink keeps ----------------------------------------------------------

class SealingCheckpointTest : public testing::Test {
protected:
    bool advance(const Checkpoint::Reached& reached, Urgency urgency = Urgency::normal) {
        const auto moved = checkpoint.advance(reached, [] { return std::string{}; }, urgency);
        EXPECT_TRUE(moved);
        return moved && *moved;
    }

    SimulatedClock clock;
    test::TransactionalLog log;
    test::TransactionalSink sink{log, clock};
    Checkpoint checkpoint{clock, 10s};
    StoredPosition whose{"p", "1", 1, "db", "slot", Lsn{100}};

    void SetUp() override {
        ASSERT_TRUE(*sink.open());
        ASSERT_TRUE(checkpoint.begin({*sink.positions(), &sink}, whose, false));
        clock.advance(SealPace{}.least);
    }
};

TEST_F(SealingCheckpointTest, APositionIsSealedAndThenSafe) {
    log.seal_takes = [] { return 50ms; };
    EXPECT_FALSE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    EXPECT_TRUE(checkpoint.saving());
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
    clock.advance(50ms);
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1}));
    EXPECT_EQ(checkpoint.safe(), Lsn{200});
    EXPECT_EQ(log.position->resume_at, Lsn{200});
}

TEST_F(SealingCheckpointTest, WhatIsUnsealedIsDueSoon) {
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    EXPECT_FALSE(advance({.confirmable = Lsn{300}, .records = 2, .unsealed = true}));
    clock.advance(SealPace{}.least);
    EXPECT_TRUE(advance({.confirmable = Lsn{300}, .records = 2, .unsealed = true}));
}

TEST_F(SealingCheckpointTest, WithNothingAtHandThatCouldGoWithThemRecordsAreSealedAtOnce) {
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    EXPECT_FALSE(
        advance({.confirmable = Lsn{300}, .records = 2, .unsealed = true, .all_given = true}));
    clock.advance(SealPace{}.soon);
    EXPECT_TRUE(
        advance({.confirmable = Lsn{300}, .records = 2, .unsealed = true, .all_given = true}));
}

TEST_F(SealingCheckpointTest, APlaceInsideATransactionIsSealedAndConfirmsNothing) {
    const Position within{Lsn{250}, 7};
    clock.advance(SealPace{}.least);
    EXPECT_TRUE(advance({.confirmable = Lsn{100}, .within = within, .unsealed = true}));
    EXPECT_EQ(log.position->point(), (ResumePoint{Lsn{100}, within}));
    EXPECT_EQ(checkpoint.safe(), Lsn{100});
    EXPECT_TRUE(checkpoint.has_stored({.confirmable = Lsn{100}, .within = within}));
    EXPECT_FALSE(checkpoint.has_stored({.confirmable = Lsn{100}, .within = {Lsn{250}, 8}}));
    clock.advance(SealPace{}.least);
    EXPECT_TRUE(advance({.confirmable = Lsn{260}, .unsealed = true}));
    EXPECT_EQ(log.position->point(), ResumePoint{Lsn{260}});
}

TEST_F(SealingCheckpointTest, WhatTheSourceIsNotCertainOfIsNotSealed) {
    clock.advance(1h);
    EXPECT_FALSE(advance({.confirmable = Lsn{}, .records = 9, .unsealed = true}, Urgency::forced));
    EXPECT_TRUE(checkpoint.has_stored({.confirmable = Lsn{}, .records = 9, .unsealed = true}));
    EXPECT_EQ(log.seals, 0U);
}

TEST_F(SealingCheckpointTest, RowsOfASnapshotAloneAreSealedToo) {
    clock.advance(SealPace{}.least);
    EXPECT_TRUE(advance({.confirmable = Lsn{100}, .unsealed = true}));
    EXPECT_EQ(log.position->resume_at, Lsn{100});
}

TEST_F(SealingCheckpointTest, WhereASealTakesLongTheNextOneCanWait) {
    log.seal_takes = [] { return 30ms; };
    EXPECT_FALSE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    clock.advance(30ms);
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1}));
    const Checkpoint::Reached more{.confirmable = Lsn{300}, .records = 2, .unsealed = true};
    clock.advance(30ms * SealPace{}.rest - 31ms);
    EXPECT_FALSE(advance(more));
    EXPECT_FALSE(checkpoint.saving());
    clock.advance(1ms);
    EXPECT_FALSE(advance(more));
    EXPECT_TRUE(checkpoint.saving());
}

TEST_F(SealingCheckpointTest, HoweverLongASealTakesTheNextOneIsDueInTime) {
    log.seal_takes = [] { return 10s; };
    EXPECT_FALSE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    clock.advance(10s);
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1}));
    EXPECT_FALSE(advance({.confirmable = Lsn{300}, .records = 2, .unsealed = true}));
    EXPECT_TRUE(checkpoint.saving()) << "it was due long ago";
}

TEST_F(SealingCheckpointTest, HoweverManyRecordsThereAreTheyCanWait) {
    EXPECT_TRUE(advance({.confirmable = Lsn{200}, .records = 1, .unsealed = true}));
    clock.advance(SealPace{}.least - 1ms);
    const std::uint64_t many = 10 * Checkpoint::kRecords;
    EXPECT_FALSE(
        advance({.confirmable = Lsn{300}, .records = many, .sent = many, .unsealed = true}));
    EXPECT_FALSE(checkpoint.saving()) << "what is not sealed is seen by nobody, so nothing repeats";
}

TEST_F(SealingCheckpointTest, TheSinksPaceDecides) {
    log.pace = {.soon = 5s, .least = 10s, .most = 10s};
    ASSERT_TRUE(checkpoint.begin({*sink.positions(), &sink}, whose, false));
    const Checkpoint::Reached reached{
        .confirmable = Lsn{200}, .records = 1, .unsealed = true, .all_given = true};
    clock.advance(5s - 1ms);
    EXPECT_FALSE(advance(reached));
    EXPECT_FALSE(checkpoint.saving());
    clock.advance(1ms);
    EXPECT_TRUE(advance(reached));
}

TEST_F(SealingCheckpointTest, ASnapshotThatWaitsForTheStoreIsSealedAtTheUsualPace) {
    log.pace = {.soon = 1h, .least = 1h, .most = 1h};
    ASSERT_TRUE(checkpoint.begin({*sink.positions(), &sink}, whose, false));
    clock.advance(Checkpoint::kSnapshot);
    EXPECT_FALSE(advance({.confirmable = Lsn{100}, .snapshot_revision = 1, .unsealed = true}));
    EXPECT_FALSE(checkpoint.saving());
    EXPECT_TRUE(advance({.confirmable = Lsn{100},
                         .snapshot_revision = 1,
                         .snapshot_is_due = true,
                         .unsealed = true}));
}

TEST_F(SealingCheckpointTest, ASinkIsSealedWhenItWantsThatThoughNothingCame) {
    log.seal_at = clock.now() + 3s;
    const Checkpoint::Reached reached{.confirmable = Lsn{100}};
    EXPECT_FALSE(advance(reached));
    EXPECT_EQ(log.seals, 0U);
    EXPECT_TRUE(checkpoint.has_stored(reached)) << "the end need not wait for it";
    Wants wants;
    checkpoint.wants(wants, reached, Urgency::normal);
    EXPECT_EQ(wants.deadline, log.seal_at);
    clock.advance(3s);
    EXPECT_TRUE(advance(reached));
    EXPECT_EQ(log.seals, 1U);
}

TEST_F(SealingCheckpointTest, AnIdlePositionIsStoredAtThePaceThatTheSinkHasForIt) {
    log.pace.idle = 60s;
    ASSERT_TRUE(checkpoint.begin({*sink.positions(), &sink}, whose, false));
    clock.advance(60s - 1ms);
    EXPECT_FALSE(advance({.confirmable = Lsn{200}}, Urgency::quiet));
    EXPECT_EQ(log.seals, 0U);
    clock.advance(1ms);
    EXPECT_TRUE(advance({.confirmable = Lsn{200}}, Urgency::quiet));
    EXPECT_TRUE(advance({.confirmable = Lsn{300}}, Urgency::forced));
}

}  // namespace
}  // namespace pgc
