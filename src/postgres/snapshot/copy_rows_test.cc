#include "postgres/snapshot/copy_rows.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

namespace pgc {
namespace {

using namespace std::string_view_literals;
using Found = CopyRows::Found;
using Fault = CopyRows::Fault;

constexpr auto header = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0\0"sv;
// The text "42", null, an empty text.
constexpr auto row =
    "\0\3\0\0\0\2"
    "42"
    "\377\377\377\377\0\0\0\0"sv;
constexpr auto trailer = "\377\377"sv;

struct Copied {
    CopyRows rows;
    std::array<Cell, 3> cells{};
    std::string message{};  // an exact copy: the sanitizer sees a read of even one byte too many

    Result<Found, Fault> read(std::string_view bytes) {
        message.assign(bytes);
        message.shrink_to_fit();
        return rows.read(message, cells);
    }
};

Copied binary() {
    return {CopyRows{CopyForm::binary, 3}};
}
Copied text(std::size_t columns = 3) {
    return {CopyRows{CopyForm::text, columns}};
}

TEST(CopyRowsTest, TheHeaderComesWithTheFirstRow) {
    Copied copied = binary();
    ASSERT_EQ(copied.read(std::string{header} + std::string{row}), Found::row);
    EXPECT_EQ(copied.cells[0].bytes(), "42");
    EXPECT_EQ(copied.cells[0].state, Cell::State::binary);
    EXPECT_EQ(copied.cells[1].state, Cell::State::null);
    EXPECT_EQ(copied.cells[2].state, Cell::State::binary);
    EXPECT_EQ(copied.cells[2].size, 0U);
    ASSERT_EQ(copied.read(row), Found::row);
    EXPECT_EQ(copied.read(trailer), Found::nothing);
}

TEST(CopyRowsTest, OfAnEmptyTableOnlyHeaderAndTrailerCome) {
    Copied copied = binary();
    EXPECT_EQ(copied.read(header), Found::nothing);
    EXPECT_EQ(copied.read(trailer), Found::nothing);
}

TEST(CopyRowsTest, HeaderAndTrailerMayComeAsOne) {
    Copied copied = binary();
    EXPECT_EQ(copied.read(std::string{header} + std::string{trailer}), Found::nothing);
}

TEST(CopyRowsTest, EveryProperPrefixOfARowIsRefused) {
    for (std::size_t n = 0; n < row.size(); ++n) {
        Copied copied = binary();
        ASSERT_EQ(copied.read(header), Found::nothing);
        EXPECT_FALSE(copied.read(row.substr(0, n))) << n;
    }
}

TEST(CopyRowsTest, WhatIsNoCopyIsRefused) {
    EXPECT_EQ(binary().read("something else").error(), Fault::header);
    EXPECT_EQ(binary().read(header.substr(0, header.size() - 1)).error(), Fault::header);
    Copied copied = binary();
    ASSERT_TRUE(copied.read(header));
    EXPECT_EQ(copied.read("\0\2\0\0\0\0\0\0\0\0"sv).error(), Fault::column_count);
    EXPECT_EQ(copied.read(std::string{row} + 'x').error(), Fault::trailing_bytes);
}

TEST(CopyRowsTest, TextIsCutAtTabs) {
    Copied copied = text();
    ASSERT_EQ(copied.read("42\t\\N\t\n"), Found::row);
    EXPECT_EQ(copied.cells[0].bytes(), "42");
    EXPECT_EQ(copied.cells[0].state, Cell::State::text);
    EXPECT_EQ(copied.cells[1].state, Cell::State::null);
    EXPECT_EQ(copied.cells[2].state, Cell::State::text);
    EXPECT_EQ(copied.cells[2].bytes(), "");
}

TEST(CopyRowsTest, EscapesAreTakenBack) {
    Copied copied = text();
    ASSERT_EQ(copied.read("a\\tb\\nc\t\\\\N\t\\b\\f\\r\\v\\\\\n"), Found::row);
    EXPECT_EQ(copied.cells[0].bytes(), "a\tb\nc");
    EXPECT_EQ(copied.cells[1].bytes(), "\\N");
    EXPECT_EQ(copied.cells[2].bytes(), "\b\f\r\v\\");
}

TEST(CopyRowsTest, TextOfAnotherShapeIsRefused) {
    EXPECT_EQ(text().read("1\t2\n").error(), Fault::column_count);
    EXPECT_EQ(text().read("1\t2\t3\t4\n").error(), Fault::column_count);
    EXPECT_EQ(text().read("1\t2\t3").error(), Fault::truncated);
    EXPECT_EQ(text().read("").error(), Fault::truncated);
}

TEST(CopyRowsTest, ATableMayHaveNoColumns) {
    EXPECT_EQ(text(0).read("\n"), Found::row);
    EXPECT_EQ(text(0).read("1\n").error(), Fault::column_count);
}

}  // namespace
}  // namespace pgc
