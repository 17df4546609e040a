#include "base/lsn.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(LsnTest, PrintsAsPostgresqlDoes) {
    EXPECT_EQ(to_string(Lsn{0}), "0/0");
    EXPECT_EQ(to_string(Lsn{0x16'B374'D848}), "16/B374D848");
    EXPECT_EQ(to_string(Lsn{0x1'0000'000A}), "1/A");
    EXPECT_EQ(to_string(Lsn{0xFFFF'FFFF'FFFF'FFFF}), "FFFFFFFF/FFFFFFFF");
}

TEST(LsnTest, ReadsWhatItPrints) {
    for (const std::uint64_t value :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{0xFFFF'FFFF}, std::uint64_t{1} << 32,
          std::uint64_t{0x16'B374'D848}, ~std::uint64_t{0}}) {
        EXPECT_EQ(parse_lsn(to_string(Lsn{value})), Lsn{value});
    }
    EXPECT_EQ(parse_lsn("16/b374d848"), Lsn{0x16'B374'D848});
}

TEST(LsnTest, RefusesEverythingElse) {
    for (const char* text : {"", "/", "0", "0/", "/0", "x/0", "0/x", "0/0 ", " 0/0", "0/0/0",
                             "100000000/0", "0/100000000", "-1/0", "0x1/0"}) {
        EXPECT_FALSE(parse_lsn(text)) << text;
    }
}

TEST(LsnTest, NoPlaceIsFalse) {
    EXPECT_FALSE(Lsn{});
    EXPECT_TRUE(Lsn{1});
    EXPECT_LT(Lsn{1}, Lsn{2});
}

}  // namespace
}  // namespace pgc
