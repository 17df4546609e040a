#include "postgres/snapshot/marked_rows.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>
#include <string>
#include <utility>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using enum SnapshotMark;

constexpr Oid kA{1}, kB{2}, kC{3};

class MarkedRowsTest : public testing::Test {
protected:
    // With `parts` ranges of its key, if it has one.
    static std::shared_ptr<TableCopyState> table(Oid oid, bool keyed = true,
                                                 std::uint32_t parts = 1, Oid shown = {}) {
        auto made = std::make_shared<TableCopyState>(
            SnapshotTable{.address = {oid, "s", "t"}, .shown = {shown ? shown : oid, "s", "t"}}, "",
            std::nullopt);
        Relation relation;
        relation.columns.resize(1);
        TableShape shape{.relation = std::make_shared<Relation>(std::move(relation))};
        if (keyed) {
            shape.key = {{.name = "id", .type = "bigint"}};
            shape.ordered_by = {"id:20"};
        }
        std::vector<Key> bounds(parts - 1, Key{"50"});
        made->open(std::move(shape), bounds, 1);
        while (made->take(10)) continue;
        return made;
    }

    // Rows come, up to that of this number: a row's cell is its number.
    std::vector<SentRows> read(const std::shared_ptr<TableCopyState>& table, std::size_t part,
                               int rows, int to) {
        batch_.clear();
        const std::size_t room = marked_.make_room(batch_, *table);
        const bool keyed = !table->shape().key.empty();
        ChunkRows::Read read;
        for (int i = to - rows + 1; i < to; ++i) batch_.changes.push_back(row(i));
        read.rows = static_cast<std::size_t>(rows);
        auto* const text = static_cast<char*>(std::malloc(32));
        const std::string number = std::to_string(to);
        number.copy(text, number.size());
        const Cell cell{.data = text,
                        .size = static_cast<std::uint32_t>(number.size()),
                        .state = Cell::State::text};
        read.kept = KeptRow{.cells = {cell}, .bytes = 32, .message = {text, std::free}};
        if (keyed) read.last = {number};
        if (keyed && rows > 1) read.before = {std::to_string(to - 1)};
        if (keyed) table->read_up_to(part, read.last);
        return marked_.put(batch_, room, table, part, std::move(read));
    }
    Change row(int number) {
        Cell* cell = batch_.arena.allocate<Cell>(1);
        const std::string_view text = batch_.arena.copy(std::to_string(number));
        *cell = {.data = text.data(),
                 .size = static_cast<std::uint32_t>(text.size()),
                 .state = Cell::State::text};
        return {.operation = Operation::read, .after = cell};
    }
    std::vector<SentRows> send_ready(std::size_t max = 100) {
        batch_.clear();
        return marked_.put_ready(batch_, max);
    }

    using Marked = std::pair<std::string, SnapshotMark>;
    std::vector<Marked> sent() const {
        std::vector<Marked> all;
        for (const Change& change : batch_.changes) {
            all.emplace_back(change.after[0].bytes(), change.mark);
        }
        return all;
    }
    static Marked row(const char* number, SnapshotMark mark) { return {number, mark}; }

    MarkedRows marked_;
    Batch batch_;
    std::shared_ptr<TableCopyState> a_ = table(kA), b_ = table(kB), c_ = table(kC);
};

TEST_F(MarkedRowsTest, TheWordsAreThoseOfTheConnector) {
    read(a_, 0, 3, 3);
    EXPECT_THAT(sent(), ElementsAre(row("1", first), row("2", within)));
    EXPECT_TRUE(marked_.part_ended(*a_, 0));
    marked_.table_read(kA);
    EXPECT_FALSE(marked_.ready()) << "it may be the last of all";
    read(b_, 0, 1, 11);
    EXPECT_THAT(sent(), ElementsAre(row("3", last_of_table)));
    marked_.table_read(kB);
    read(c_, 0, 2, 22);
    EXPECT_THAT(sent(), ElementsAre(row("11", last_of_table), row("21", first_of_table)));
    marked_.table_read(kC);
    marked_.close(true);
    ASSERT_TRUE(marked_.ready());
    send_ready();
    EXPECT_THAT(sent(), ElementsAre(row("22", last)));
    EXPECT_FALSE(marked_.ready());
}

TEST_F(MarkedRowsTest, TheOnlyRowOfAllIsTheLast) {
    EXPECT_THAT(read(a_, 0, 1, 1), IsEmpty());
    marked_.table_read(kA);
    marked_.close(true);
    send_ready();
    EXPECT_THAT(sent(), ElementsAre(row("1", last)));
}

TEST_F(MarkedRowsTest, ARowIsKeptBackUntilAnotherOfItsTableComes) {
    read(a_, 0, 2, 2);
    const auto of_a = read(a_, 0, 2, 4);
    EXPECT_THAT(sent(), ElementsAre(row("2", within), row("3", within)));
    ASSERT_EQ(of_a.size(), 2U);
    EXPECT_EQ(of_a[0].upto, Key{"2"});
    EXPECT_EQ(of_a[1].upto, Key{"3"});
    EXPECT_THAT(read(b_, 0, 1, 11), IsEmpty()) << "of another table nothing is to be sent";
}

TEST_F(MarkedRowsTest, OfTwoPartsTheOneThatIsReadLastHasTheLastRow) {
    const auto two = table(kA, true, 2);
    read(two, 0, 2, 2);
    EXPECT_TRUE(marked_.part_ended(*two, 0));
    const auto of_both = read(two, 1, 3, 53);
    EXPECT_THAT(sent(), ElementsAre(row("2", within), row("51", within), row("52", within)));
    ASSERT_EQ(of_both.size(), 2U);
    EXPECT_TRUE(of_both[0].ends_part);
    EXPECT_EQ(of_both[1].part, 1U);
    EXPECT_FALSE(of_both[1].ends_part);
    EXPECT_FALSE(marked_.part_ended(*two, 0)) << "its last row was sent";
}

TEST_F(MarkedRowsTest, PartitionsThatAreShownAsOneTableHaveOneFirstAndOneLastRow) {
    const auto one = table(kA, true, 1, kC);
    const auto other = table(kB, true, 1, kC);
    read(one, 0, 2, 2);
    read(other, 0, 2, 12);
    EXPECT_THAT(sent(), ElementsAre(row("2", within), row("11", within)));
    marked_.table_read(kC);
    marked_.close(true);
    const auto last_one = send_ready();
    EXPECT_THAT(sent(), ElementsAre(row("12", last)));
    EXPECT_EQ(last_one.at(0).table, other);
}

TEST_F(MarkedRowsTest, AChunkThatIsBrokenOffIsReadOnFromTheRowThatWasSent) {
    read(a_, 0, 3, 3);
    a_->end_chunk(0, false);
    marked_.forget(*a_, 0);
    EXPECT_EQ(a_->take(10)->condition.find("'3'"), std::string::npos);
    read(a_, 0, 2, 4);
    EXPECT_THAT(sent(), ElementsAre(row("3", within))) << "it comes once";
}

TEST_F(MarkedRowsTest, AChunkOfOneRowMakesProgress) {
    read(a_, 0, 1, 1);
    a_->end_chunk(0, false);
    marked_.forget(*a_, 0);
    EXPECT_NE(a_->take(1)->condition.find("'1'"), std::string::npos);
    read(a_, 0, 1, 2);
    EXPECT_THAT(sent(), ElementsAre(row("1", first)));
}

TEST_F(MarkedRowsTest, WhatAGroupHasNotReadToItsEndComesInAnother) {
    read(a_, 0, 3, 3);
    a_->end_chunk(0, false);
    marked_.forget(*a_, 0);
    const auto two = table(kB, true, 2);
    read(two, 0, 2, 12);
    two->end_chunk(0, true);
    marked_.part_ended(*two, 0);
    read(c_, 0, 2, 22);
    marked_.table_read(kC);
    marked_.close(false);
    const auto rest = send_ready();
    EXPECT_THAT(sent(), ElementsAre(row("22", last_of_table), row("12", within)))
        << "that of a is read again";
    EXPECT_TRUE(rest.at(1).ends_part) << "else a part of a few rows could be read again for ever";
    marked_.begin_group(true, {kA, kB, kC});
    read(a_, 0, 2, 4);
    EXPECT_THAT(sent(), ElementsAre(row("3", within)));
}

TEST_F(MarkedRowsTest, ATableWithoutAKeyIsReadAgainAsAWhole) {
    const auto keyless = table(kA, false);
    read(keyless, 0, 3, 3);
    marked_.forget(*keyless, 0);
    marked_.close(false);
    EXPECT_FALSE(marked_.ready());
    EXPECT_FALSE(keyless->all_durable());
}

TEST_F(MarkedRowsTest, ManyThatAreReadyComeAsThereIsRoom) {
    read(a_, 0, 1, 1);
    read(b_, 0, 1, 2);
    marked_.table_read(kA);
    marked_.table_read(kB);
    marked_.close(true);
    send_ready(1);
    EXPECT_THAT(sent(), ElementsAre(row("1", first))) << "and not the last of its table";
    EXPECT_TRUE(marked_.ready());
    send_ready(1);
    EXPECT_THAT(sent(), ElementsAre(row("2", last)));
}

}  // namespace
}  // namespace pgc
