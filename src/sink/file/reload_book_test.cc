#include "sink/file/reload_book.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using Step = ReloadChange::Step;
using testing::ElementsAre;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

const TableId kOrders{"public", "orders"};
constexpr WallTime kNow{1'800'000'000'000'000};

ReloadChange change(Step step, std::string id = "s-1") {
    return {.step = step,
            .id = std::move(id),
            .order = {.by = "request", .at = Lsn{0x100}},
            .schema = kOrders.schema,
            .name = kOrders.name};
}
ReloadChange over(std::string id = "s-1", std::string why = "cancelled") {
    return {.step = Step::over, .id = std::move(id), .why = std::move(why)};
}
SnapshotTableEnd end(bool whole, std::string id = "s-1") {
    return {.id = std::move(id),
            .schema = kOrders.schema,
            .name = kOrders.name,
            .relation = nullptr,
            .whole = whole};
}
CompleteFile file(std::string snapshot, std::uint64_t rows, Lsn last) {
    CompleteFile made;
    made.table = kOrders;
    made.kind = FileKind::full_reload;
    made.end_lsn = last;
    made.rows = rows;
    made.snapshot = std::move(snapshot);
    return made;
}

class ReloadBookTest : public testing::Test {
protected:
    RegistrySeal seal(std::vector<CompleteFile> files = {}) {
        RegistrySeal made;
        made.complete = std::move(files);
        book.add_to(made, kNow);
        return made;
    }
    ReloadBook book;
};

TEST_F(ReloadBookTest, ATableGoesFromStreamingToStreamingWithASealForEachStep) {
    EXPECT_TRUE(book.take(change(Step::ordered), kNow));
    RegistrySeal first = seal();
    EXPECT_THAT(first.modes, ElementsAre(Pair(kOrders, TableMode::pending_reload)));
    ASSERT_THAT(first.reloads, SizeIs(1));
    EXPECT_EQ(first.reloads[0], (ReloadOperation{.table = kOrders,
                                                 .ordered_by = "request s-1",
                                                 .state = ReloadState::requested,
                                                 .requested_at = kNow,
                                                 .start_lsn = Lsn{0x100},
                                                 .is_new = true}));
    EXPECT_TRUE(book.take(change(Step::begun), kNow));
    RegistrySeal second = seal();
    EXPECT_THAT(second.modes, ElementsAre(Pair(kOrders, TableMode::reloading)));
    EXPECT_EQ(second.reloads.at(0).state, ReloadState::running);
    EXPECT_FALSE(second.reloads.at(0).is_new);
    book.table_ended(end(true), kNow);
    RegistrySeal third = seal(
        {file("initial", 9, Lsn{0x900}), file("s-1", 7, Lsn{0x200}), file("s-1", 2, Lsn{0x300})});
    EXPECT_THAT(third.modes, ElementsAre(Pair(kOrders, TableMode::streaming)));
    EXPECT_EQ(third.reloads.at(0).state, ReloadState::complete);
    EXPECT_EQ(third.reloads.at(0).rows, 9U) << "of its own files";
    EXPECT_EQ(third.reloads.at(0).end_lsn, Lsn{0x300});
    book.take(over("s-1", ""), kNow);
    EXPECT_THAT(seal().reloads, IsEmpty()) << "that is over";
}

TEST_F(ReloadBookTest, WhatIsReportedAgainChangesNothing) {
    book.take(change(Step::ordered), kNow);
    book.take(change(Step::begun), kNow);
    (void)seal();
    EXPECT_FALSE(book.take(change(Step::ordered), kNow));
    EXPECT_FALSE(book.take(change(Step::begun), kNow));
    const RegistrySeal again = seal();
    EXPECT_THAT(again.reloads, IsEmpty());
    EXPECT_THAT(again.modes, IsEmpty());
}

TEST_F(ReloadBookTest, AllStepsWithinOneSealAreOneRow) {
    book.take(change(Step::ordered), kNow);
    book.take(change(Step::begun), kNow);
    book.table_ended(end(true), kNow);
    const RegistrySeal all = seal({file("s-1", 7, Lsn{0x200})});
    ASSERT_THAT(all.reloads, SizeIs(1));
    EXPECT_TRUE(all.reloads[0].is_new);
    EXPECT_EQ(all.reloads[0].state, ReloadState::complete);
    EXPECT_THAT(all.modes, IsEmpty());
}

TEST_F(ReloadBookTest, WhatIsCalledOffHasFailed) {
    book.take(change(Step::ordered), kNow);
    (void)seal();
    EXPECT_FALSE(book.take(over("another"), kNow));
    EXPECT_TRUE(book.take(over(), kNow));
    const RegistrySeal off = seal();
    EXPECT_EQ(off.reloads.at(0).state, ReloadState::failed);
    EXPECT_EQ(off.reloads.at(0).problem, "cancelled");
    EXPECT_THAT(off.modes, ElementsAre(Pair(kOrders, TableMode::streaming)));
}

TEST_F(ReloadBookTest, OfATableThatIsGoneThereIsNoFileAndTheReloadHasFailed) {
    book.take(change(Step::ordered), kNow);
    book.table_ended(end(true), kNow);
    EXPECT_EQ(seal({file("initial", 9, Lsn{0x900})}).reloads.at(0).state, ReloadState::failed);
}

TEST_F(ReloadBookTest, GoesOnFromWhatTheRegistryHas) {
    RegistryContent content;
    content.modes = {{kOrders, TableMode::reloading}};
    content.reloads = {{.table = kOrders,
                        .ordered_by = "EXPORT_START reload-0-100",
                        .state = ReloadState::running}};
    book.restore(content);
    EXPECT_FALSE(book.take({.step = Step::restored, .left = {"reload-0-100"}}, kNow));
    EXPECT_FALSE(book.take(change(Step::ordered, "reload-0-100"), kNow));
    EXPECT_THAT(seal().reloads, IsEmpty());
    book.table_ended(end(true, "reload-0-100"), kNow);
    const RegistrySeal done = seal({file("reload-0-100", 7, Lsn{0x200})});
    EXPECT_EQ(done.reloads.at(0).state, ReloadState::complete);
    EXPECT_EQ(done.reloads.at(0).ordered_by, "EXPORT_START reload-0-100");
    EXPECT_THAT(done.modes, ElementsAre(Pair(kOrders, TableMode::streaming)));
}

// As after a position that was reset.
TEST_F(ReloadBookTest, OneThatNoSnapshotReadsAnyMoreHasFailed) {
    RegistryContent content;
    content.modes = {{kOrders, TableMode::pending_reload}};
    content.reloads = {{.table = kOrders, .ordered_by = "request s-1"}};
    book.restore(content);
    EXPECT_TRUE(book.take({.step = Step::restored, .left = {"s-2"}}, kNow));
    const RegistrySeal off = seal();
    EXPECT_EQ(off.reloads.at(0).state, ReloadState::failed);
    EXPECT_THAT(off.modes, ElementsAre(Pair(kOrders, TableMode::streaming)));
}

}  // namespace
}  // namespace pgc
