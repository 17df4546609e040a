#include "postgres/snapshot/rows_in_flight.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

class RowsInFlightTest : public testing::Test {
protected:
    static constexpr Lsn kPlace{0x1000};

    static std::shared_ptr<TableCopyState> table() {
        auto made = std::make_shared<TableCopyState>(
            SnapshotTable{.address = {Oid{7}, "s", "t"}, .shown = {Oid{7}, "s", "t"}}, "",
            std::nullopt);
        TableShape shape;
        shape.relation = std::make_shared<Relation>();
        shape.key = {{.name = "id", .type = "bigint"}};
        shape.ordered_by = {"id:20"};
        made->open(std::move(shape), {}, 1);
        return made;
    }

    void begin(Lsn place) {
        rows.set_place(place);
        rows.begin_group();
    }
    // So many rows, up to a key. Where they end.
    Position read(std::size_t count, std::string key) {
        Batch batch;
        batch.changes.resize(count);
        rows.seal(batch, {{.table = copied, .rows = count, .upto = {std::move(key)}}}, WallTime{});
        EXPECT_EQ(batch.lane, kSnapshotLane);
        EXPECT_EQ(batch.transactions.at(0).count, count);
        EXPECT_EQ(batch.changes.back().ordinal, batch.end.ordinal);
        return batch.end;
    }

    RowsInFlight rows;
    std::shared_ptr<TableCopyState> copied = table();
};

TEST_F(RowsInFlightTest, ANumberOfRowsIsOnTheirWayUntilItIsStored) {
    begin(kPlace);
    EXPECT_TRUE(rows.settled());
    EXPECT_EQ(read(3, "3"), (Position{kPlace, 3}));
    EXPECT_EQ(read(2, "5"), (Position{kPlace, 5}));
    EXPECT_FALSE(rows.settled());
    EXPECT_EQ(rows.unstored(), 5U);
    EXPECT_FALSE(rows.to_be_stored()) << "nothing is durable";

    EXPECT_TRUE(rows.durable({kPlace, 3}));
    rows.kept(true, 7);
    EXPECT_EQ(rows.to_be_stored(), 3U);
    EXPECT_EQ(copied->left()->left.at(0).after, Key{"3"});
    rows.stored(6);
    EXPECT_EQ(rows.unstored(), 5U);
    rows.stored(7);
    EXPECT_EQ(rows.unstored(), 2U);
    EXPECT_FALSE(rows.to_be_stored());
}

TEST_F(RowsInFlightTest, WhatHasNoKeyIsNothingToStore) {
    begin(kPlace);
    Batch batch;
    batch.changes.resize(4);
    rows.seal(batch, {{.table = copied, .rows = 4}}, WallTime{});
    const bool changed = rows.durable(batch.end);
    EXPECT_FALSE(changed);
    rows.kept(changed, 1);
    EXPECT_EQ(rows.unstored(), 0U);
}

TEST_F(RowsInFlightTest, APartThatIsWholeIsDurableWithItsLastRow) {
    begin(kPlace);
    const Position end = read(2, "2");
    copied->end_chunk(0, true);
    rows.part_ended(copied, 0);
    EXPECT_FALSE(copied->all_durable());
    EXPECT_TRUE(rows.durable(end));
    EXPECT_TRUE(copied->all_durable());
    EXPECT_TRUE(rows.settled());
}

TEST_F(RowsInFlightTest, ABatchMayHaveRowsOfSeveralTables) {
    begin(kPlace);
    const auto other = table();
    other->end_chunk(0, true);
    Batch batch;
    batch.changes.resize(3);
    rows.seal(batch,
              {{.table = other, .rows = 1, .upto = {"9"}, .ends_part = true},
               {.table = copied, .rows = 2, .upto = {"2"}}},
              WallTime{});
    EXPECT_EQ(batch.relations().size(), 2U);
    EXPECT_EQ(other->rows, 1U);
    EXPECT_EQ(copied->rows, 2U);
    EXPECT_FALSE(copied->begun());
    EXPECT_TRUE(rows.durable(batch.end));
    EXPECT_TRUE(other->all_durable());
    EXPECT_EQ(copied->left()->left.at(0).after, Key{"2"});
    EXPECT_TRUE(copied->left()->begun);
}

TEST_F(RowsInFlightTest, TwoGroupsAtOnePlaceAreOneLineOfPositions) {
    begin(kPlace);
    read(2, "2");
    begin(kPlace);
    EXPECT_EQ(read(1, "3"), (Position{kPlace, 3}));
    EXPECT_EQ(rows.unstored(), 1U);
    begin(Lsn{0x2000});
    EXPECT_EQ(read(1, "4"), (Position{Lsn{0x2000}, 1}));
}

TEST_F(RowsInFlightTest, WhatIsDurableOfAGroupBeforeCountsForNone) {
    begin(kPlace);
    const Position end = read(2, "2");
    begin(Lsn{0x2000});
    read(3, "5");
    EXPECT_TRUE(rows.durable(end)) << "it is still what is left of its table";
    rows.kept(true, 1);
    EXPECT_FALSE(rows.to_be_stored());
    EXPECT_EQ(rows.unstored(), 3U);
}

}  // namespace
}  // namespace pgc
