#include "pgclient/answer.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

Rows one(std::string value) {
    return {.columns = {"n"}, .rows = {{std::move(value)}}};
}

TEST(AnswerTest, ACountIsANumberThatIsNotNegative) {
    const Rows rows = one("9223372036854775807");
    Answer row{rows};
    EXPECT_EQ(row.count("n"), 9223372036854775807U);
    EXPECT_TRUE(row.sound());
}

TEST(AnswerTest, ANegativeCountMarksTheAnswer) {
    const Rows rows = one("-1");
    Answer row{rows};
    EXPECT_EQ(row.number("n"), -1);
    EXPECT_TRUE(row.sound());
    EXPECT_EQ(row.count("n"), 0U);
    EXPECT_FALSE(row.sound());
}

TEST(AnswerTest, AMissingColumnMarksTheAnswer) {
    const Rows rows = one("1");
    Answer row{rows};
    EXPECT_EQ(row.count("m"), 0U);
    EXPECT_FALSE(row.sound());
}

}  // namespace
}  // namespace pgc
