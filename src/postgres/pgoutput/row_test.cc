#include "postgres/pgoutput/row.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <vector>

#include "support/wire.h"

namespace pgc::pgoutput {
namespace {

using testing::ExactCopy;
using testing::Wire;
using State = Cell::State;

// Null, unchanged TOAST, the text "42", an empty text.
Wire& four_columns(Wire& to) {
    return to.int16(4).letter('n').letter('u').letter('t').sized("42").letter('t').sized("");
}

std::string insert() {
    Wire message{'I'};
    return four_columns(message.int32(16385).letter('N')).bytes();
}

std::string update(char old_tag) {
    Wire message{'U'};
    message.int32(16385);
    if (old_tag != 'N') {
        four_columns(message.letter(old_tag));
    }
    return four_columns(message.letter('N')).bytes();
}

std::string remove(char old_tag) {
    Wire message{'D'};
    return four_columns(message.int32(16385).letter(old_tag)).bytes();
}

// The reading of one message by the two steps, with its own cells.
struct Reading {
    explicit Reading(std::string_view message, bool in_stream_block = false,
                     std::size_t columns = 4)
        : bytes(message), before(columns), after(columns) {
        const auto peeked = peek_row(bytes.view(), in_stream_block);
        if (!peeked) {
            result = std::unexpected(peeked.error());
            return;
        }
        head = *peeked;
        result = decode_row(head, before, after);
    }

    ExactCopy bytes;
    std::vector<Cell> before;
    std::vector<Cell> after;
    RowHead head;
    Result<void, DecodeError> result;
};

std::vector<State> states(const std::vector<Cell>& cells) {
    std::vector<State> found;
    found.reserve(cells.size());
    for (const Cell& cell : cells) {
        found.push_back(cell.state);
    }
    return found;
}

TEST(RowTest, TellsNullFromUnchangedToastFromEmptyText) {
    const Reading row{insert()};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(states(row.after),
              (std::vector{State::null, State::unchanged, State::text, State::text}));
    EXPECT_EQ(row.after[2].bytes(), "42");
    EXPECT_TRUE(row.after[3].bytes().empty());
}

TEST(RowTest, ReadsAnInsert) {
    const Reading row{insert()};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.head.operation, Operation::insert);
    EXPECT_EQ(row.head.relation, Oid{16385});
    EXPECT_FALSE(row.head.has_old);
    EXPECT_TRUE(row.head.has_new);
    EXPECT_EQ(states(row.before), (std::vector<State>(4, State::absent)));
}

TEST(RowTest, ReadsAnUpdateWithoutAnOldRow) {
    const Reading row{update('N')};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.head.operation, Operation::update);
    EXPECT_FALSE(row.head.has_old);
    EXPECT_EQ(row.after[2].bytes(), "42");
}

TEST(RowTest, NullsOfAKeyOnlyOldRowAreAbsent) {
    const Reading row{update('K')};
    ASSERT_TRUE(row.result);
    EXPECT_TRUE(row.head.has_old);
    EXPECT_FALSE(row.head.old_is_full);
    EXPECT_EQ(row.before[0].state, State::absent);
    EXPECT_EQ(row.before[2].bytes(), "42");
    EXPECT_EQ(row.after[0].state, State::null);
}

TEST(RowTest, NullsOfAFullOldRowAreNulls) {
    const Reading row{update('O')};
    ASSERT_TRUE(row.result);
    EXPECT_TRUE(row.head.old_is_full);
    EXPECT_EQ(row.before[0].state, State::null);
}

TEST(RowTest, ReadsADeleteByKey) {
    const Reading row{remove('K')};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.head.operation, Operation::remove);
    EXPECT_TRUE(row.head.has_old);
    EXPECT_FALSE(row.head.has_new);
    EXPECT_EQ(row.before[0].state, State::absent);
}

TEST(RowTest, ReadsADeleteOfAFullRow) {
    const Reading row{remove('O')};
    ASSERT_TRUE(row.result);
    EXPECT_TRUE(row.head.old_is_full);
    EXPECT_EQ(row.before[0].state, State::null);
}

TEST(RowTest, ReadsTheXidInsideAStreamBlock) {
    const Reading row{Wire{'I'}.int32(777).int32(16385).letter('N').int16(1).letter('t').sized("x"),
                      true, 1};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.head.xid, Xid{777});
    EXPECT_EQ(row.head.relation, Oid{16385});
    EXPECT_EQ(row.after[0].bytes(), "x");
}

TEST(RowTest, ReadsBinaryColumns) {
    const Reading row{Wire{'I'}.int32(1).letter('N').int16(1).letter('b').int32(4).int32(5), false,
                      1};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.after[0].state, State::binary);
    EXPECT_EQ(row.after[0].bytes(), (std::string_view{"\0\0\0\5", 4}));
}

TEST(RowTest, ReadsARowWithoutColumns) {
    EXPECT_TRUE((Reading{Wire{'I'}.int32(1).letter('N').int16(0), false, 0}.result));
}

TEST(RowTest, Reads1600Columns) {
    Wire message{'I'};
    message.int32(1).letter('N').int16(1600);
    for (int i = 0; i < 1600; ++i) {
        message.letter('t').sized(std::to_string(i));
    }
    const Reading row{message, false, 1600};
    ASSERT_TRUE(row.result);
    EXPECT_EQ(row.after[1599].bytes(), "1599");
}

TEST(RowTest, CellsPointIntoTheMessage) {
    const Reading row{insert()};
    EXPECT_GE(row.after[2].data, row.bytes.view().data());
    EXPECT_LT(row.after[2].data, row.bytes.view().data() + row.bytes.view().size());
}

TEST(RowTest, OverwritesWhatACellHeldBefore) {
    const ExactCopy message{insert()};
    const auto head = peek_row(message.view(), false);
    ASSERT_TRUE(head);
    std::vector<Cell> after(
        4, Cell{.data = "old", .size = 3, .state = State::text, .reselected = true});
    ASSERT_TRUE(decode_row(*head, {}, after));
    EXPECT_EQ(after[0].data, nullptr);
    EXPECT_EQ(after[0].size, 0U);
    EXPECT_FALSE(after[2].reselected);
}

TEST(RowTest, RefusesEveryProperPrefix) {
    for (const auto& message :
         {insert(), update('N'), update('K'), update('O'), remove('K'), remove('O')}) {
        for (std::size_t n = 0; n < message.size(); ++n) {
            const Reading row{std::string_view{message}.substr(0, n)};
            ASSERT_FALSE(row.result) << message[0] << " accepted a prefix of " << n << " bytes";
            EXPECT_EQ(row.result.error(), DecodeError::truncated) << message[0] << n;
        }
    }
}

TEST(RowTest, RefusesEveryProperPrefixInsideAStreamBlock) {
    Wire wire{'U'};
    wire.int32(777).int32(16385);
    four_columns(wire.letter('O'));
    four_columns(wire.letter('N'));
    ASSERT_TRUE((Reading{wire, true}.result));
    for (std::size_t n = 0; n < wire.bytes().size(); ++n) {
        const Reading row{std::string_view{wire.bytes()}.substr(0, n), true};
        ASSERT_FALSE(row.result) << n;
        EXPECT_EQ(row.result.error(), DecodeError::truncated) << n;
    }
}

TEST(RowTest, RefusesTrailingBytes) {
    for (const auto& message : {insert(), update('N'), update('K'), remove('O')}) {
        const Reading row{message + '\0'};
        ASSERT_FALSE(row.result);
        EXPECT_EQ(row.result.error(), DecodeError::trailing_bytes);
    }
}

TEST(RowTest, RefusesLengthsThatLie) {
    for (const std::uint32_t lie : {3U, 0x7FFFFFFFU, 0x80000000U, 0xFFFFFFFFU}) {
        for (const char kind : {'t', 'b'}) {
            const Reading row{
                Wire{'I'}.int32(1).letter('N').int16(1).letter(kind).uint32(lie).raw("ab"), false,
                1};
            ASSERT_FALSE(row.result) << lie;
            EXPECT_EQ(row.result.error(), DecodeError::truncated) << lie;
        }
    }
}

TEST(RowTest, RefusesALengthThatIsTooShort) {
    const Reading row{Wire{'I'}.int32(1).letter('N').int16(1).letter('t').int32(1).raw("ab"), false,
                      1};
    EXPECT_EQ(row.result.error(), DecodeError::trailing_bytes);
}

TEST(RowTest, RefusesColumnCountsThatLie) {
    for (const int lie : {0, 3, 5, 0x7FFF, -1}) {
        const Reading row{
            Wire{'I'}.int32(1).letter('N').int16(static_cast<std::int16_t>(lie)).raw("nnnn"), false,
            4};
        ASSERT_FALSE(row.result) << lie;
        EXPECT_EQ(row.result.error(), DecodeError::column_count) << lie;
    }
}

TEST(RowTest, RefusesAnUnknownColumnKind) {
    const Reading row{Wire{'I'}.int32(1).letter('N').int16(1).letter('x').int32(0), false, 1};
    EXPECT_EQ(row.result.error(), DecodeError::column_kind);
}

TEST(RowTest, RefusesTagsThatDoNotFitTheMessage) {
    for (const auto& message : {"I....K", "I....O", "I....x", "U....x", "D....N", "D....x"}) {
        EXPECT_EQ(peek_row(message, false).error(), DecodeError::tuple_tag) << message;
    }
}

TEST(RowTest, RefusesAnUpdateWhoseSecondTupleIsNotNew) {
    const Reading row{Wire{'U'}.int32(1).letter('K').int16(0).letter('O').int16(0), false, 0};
    EXPECT_EQ(row.result.error(), DecodeError::tuple_tag);
}

TEST(RowTest, RefusesOtherMessages) {
    EXPECT_EQ(peek_row("B.......", false).error(), DecodeError::wrong_message);
    EXPECT_EQ(peek_row("", false).error(), DecodeError::truncated);
}

TEST(RowTest, RefusesCellsThatAreMissing) {
    const ExactCopy message{update('O')};
    const auto head = peek_row(message.view(), false);
    std::array<Cell, 4> cells;
    EXPECT_EQ(decode_row(*head, {}, cells).error(), DecodeError::column_count);
    EXPECT_EQ(decode_row(*head, cells, {}).error(), DecodeError::column_count);
}

}  // namespace
}  // namespace pgc::pgoutput
