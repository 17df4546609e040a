#include "postgres/types/interval.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

TEST(IntervalTest, ReadsText) {
    EXPECT_EQ(text("interval", "PT0S"), "0 mon 0 d 0 us");
    EXPECT_EQ(text("interval", "P1Y2M3DT4H5M6.789S"), "14 mon 3 d 14706789000 us");
    EXPECT_EQ(text("interval", "P1M"), "1 mon 0 d 0 us");
    EXPECT_EQ(text("interval", "PT1M"), "0 mon 0 d 60000000 us");
    EXPECT_EQ(text("interval", "PT0.000001S"), "0 mon 0 d 1 us");
}

TEST(IntervalTest, EachPartHasItsOwnSign) {
    EXPECT_EQ(text("interval", "P-1Y-2M3DT-4H-5M-6.789S"), "-14 mon 3 d -14706789000 us");
    EXPECT_EQ(text("interval", "PT-0.5S"), "0 mon 0 d -500000 us");
    EXPECT_EQ(text("interval", "P1DT-1S"), "0 mon 1 d -1000000 us");
}

TEST(IntervalTest, ReadsTheLargestThereAre) {
    EXPECT_EQ(text("interval", "PT2562047788H54.775807S"), "0 mon 0 d 9223372036854775807 us");
    EXPECT_EQ(text("interval", "PT-2562047788H-54.775808S"), "0 mon 0 d -9223372036854775808 us");
    EXPECT_EQ(text("interval", "P178956970Y7M2147483647D"), "2147483647 mon 2147483647 d 0 us");
    EXPECT_EQ(text("interval", "P-178956970Y-8M-2147483648D"),
              "-2147483648 mon -2147483648 d 0 us");
}

TEST(IntervalTest, ReadsInfinities) {
    EXPECT_EQ(text("interval", "infinity"), "2147483647 mon 2147483647 d 9223372036854775807 us");
    EXPECT_EQ(text("interval", "-infinity"),
              "-2147483648 mon -2147483648 d -9223372036854775808 us");
    EXPECT_EQ(binary("interval", Wire{}
                                     .int64(std::numeric_limits<std::int64_t>::max())
                                     .int32(std::numeric_limits<std::int32_t>::max())
                                     .int32(std::numeric_limits<std::int32_t>::max())),
              text("interval", "infinity"));
}

TEST(IntervalTest, ReadsBinary) {
    EXPECT_EQ(binary("interval", Wire{}.int64(3).int32(2).int32(1)), "1 mon 2 d 3 us");
}

TEST(IntervalTest, RefusesOtherBytes) {
    for (const auto bytes :
         {"", "P", "1 day", "PX", "P1", "P1S", "PT1D", "P1.5D", "PT1.5H", "PT--1S", "P1Y ",
          "P99999999999999999999D", "P2147483648D", "PT2562047789H", "PT1M1", "P1DTT1S"}) {
        EXPECT_EQ(text("interval", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("interval", Wire{}.int64(3).int32(2)), "refused");
    EXPECT_EQ(binary("interval", Wire{}.int64(3).int32(2).int32(1).int8(0)), "refused");
}

}  // namespace
}  // namespace pgc
