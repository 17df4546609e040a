#include "postgres/types/datetime.h"

#include <gtest/gtest.h>

#include <limits>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

constexpr std::int64_t kDay_us = 86'400'000'000;

TEST(DateTest, CountsDaysSince2000) {
    EXPECT_EQ(text("date", "2000-01-01"), "0");
    EXPECT_EQ(text("date", "1999-12-31"), "-1");
    EXPECT_EQ(text("date", "2000-02-29"), "59");
    EXPECT_EQ(text("date", "1970-01-01"), "-10957");
    EXPECT_EQ(text("date", "2023-10-15"), "8688");
}

TEST(DateTest, ReadsTheFirstAndTheLastDayThereIs) {
    EXPECT_EQ(text("date", "4714-11-24 BC"), "-2451545");
    EXPECT_EQ(text("date", "5874897-12-31"), "2145031948");
}

TEST(DateTest, YearOneFollowsYearOneBC) {
    EXPECT_EQ(text("date", "0001-01-01"), "-730119");
    EXPECT_EQ(text("date", "0001-12-31 BC"), "-730120");
    EXPECT_EQ(text("date", "0001-02-29 BC"), "-730426");  // a leap year
}

TEST(DateTest, ReadsInfinities) {
    EXPECT_EQ(text("date", "infinity"), "infinity");
    EXPECT_EQ(text("date", "-infinity"), "-infinity");
    EXPECT_EQ(binary("date", Wire{}.int32(std::numeric_limits<std::int32_t>::max())), "infinity");
    EXPECT_EQ(binary("date", Wire{}.int32(std::numeric_limits<std::int32_t>::min())), "-infinity");
}

TEST(DateTest, ReadsBinary) {
    EXPECT_EQ(binary("date", Wire{}.int32(-10957)), "-10957");
}

TEST(DateTest, RefusesDaysThatAreNone) {
    for (const auto bytes :
         {"", "2023", "2023-10", "2023-13-01", "2023-00-01", "2023-02-29", "2023-04-31",
          "2023-01-00", "2023-1-1", "23-01-01", "0000-01-01", "2023-10-15 AD", "2023-10-15BC",
          "2023-10-15 ", "5874898-01-01", "99999999999-01-01", "Infinity", "10/15/2023"}) {
        EXPECT_EQ(text("date", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("date", Wire{}.int64(1)), "refused");
}

TEST(TimeTest, CountsMicrosecondsSinceMidnight) {
    EXPECT_EQ(text("time", "00:00:00"), "0");
    EXPECT_EQ(text("time", "10:30:00"), "37800000000");
    EXPECT_EQ(text("time", "23:59:59.999999"), "86399999999");
    EXPECT_EQ(text("time", "00:00:00.5"), "500000");
    EXPECT_EQ(text("time", "00:00:00.000001"), "1");
    EXPECT_EQ(binary("time", Wire{}.int64(1)), "1");
}

TEST(TimeTest, TheDayMayEndWith24Hours) {
    EXPECT_EQ(text("time", "24:00:00"), "86400000000");
    EXPECT_EQ(binary("time", Wire{}.int64(kDay_us)), "86400000000");
    EXPECT_EQ(text("time", "24:00:00.000001"), "refused");
    EXPECT_EQ(binary("time", Wire{}.int64(kDay_us + 1)), "refused");
}

TEST(TimeTest, RefusesTimesThatAreNone) {
    for (const auto bytes : {"", "10", "10:30", "10:60:00", "10:00:60", "25:00:00", "10:30:00.",
                             "10:30:00.1234567", "10:30:00+00", "1:30:00", "infinity"}) {
        EXPECT_EQ(text("time", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("time", Wire{}.int64(-1)), "refused");
    EXPECT_EQ(binary("time", Wire{}.int32(1)), "refused");
}

TEST(TimeTzTest, KeepsTheZone) {
    EXPECT_EQ(text("timetz", "10:30:00+00"), "37800000000+0");
    EXPECT_EQ(text("timetz", "10:30:00.25+05:30"), "37800250000+19800");
    EXPECT_EQ(text("timetz", "10:30:00-08"), "37800000000-28800");
    EXPECT_EQ(text("timetz", "10:30:00-04:56:02"), "37800000000-17762");
}

TEST(TimeTzTest, BinaryCountsTheZoneWestwards) {
    EXPECT_EQ(binary("timetz", Wire{}.int64(37'800'000'000).int32(-19800)), "37800000000+19800");
}

TEST(TimeTzTest, RefusesOtherBytes) {
    for (const auto bytes : {"10:30:00", "10:30:00+", "10:30:00+1", "10:30:00+16",
                             "10:30:00+00:", "10:30:00+00:00:00:00"}) {
        EXPECT_EQ(text("timetz", bytes), "refused") << bytes;
    }
    EXPECT_EQ(binary("timetz", Wire{}.int64(0).int32(std::numeric_limits<std::int32_t>::min())),
              "refused");
    EXPECT_EQ(binary("timetz", Wire{}.int64(0)), "refused");
    EXPECT_EQ(binary("timetz", Wire{}.int64(0).int32(0).int8(0)), "refused");
}

TEST(TimestampTest, CountsMicrosecondsSince2000) {
    EXPECT_EQ(text("timestamp", "2000-01-01 00:00:00"), "0");
    EXPECT_EQ(text("timestamp", "1999-12-31 23:59:59.999999"), "-1");
    EXPECT_EQ(text("timestamp", "2023-10-15 10:30:00.123456"), "750681000123456");
    EXPECT_EQ(binary("timestamp", Wire{}.int64(750681000123456)), "750681000123456");
}

TEST(TimestampTest, ReadsTheFirstAndTheLastMomentThereIs) {
    EXPECT_EQ(text("timestamp", "4714-11-24 00:00:00 BC"), "-211813488000000000");
    EXPECT_EQ(text("timestamp", "294276-12-31 23:59:59.999999"), "9223371331199999999");
    EXPECT_EQ(text("timestamptz", "4714-11-24 00:00:00+00 BC"), "-211813488000000000");
}

TEST(TimestampTest, ReadsInfinities) {
    for (const auto type : {"timestamp", "timestamptz"}) {
        EXPECT_EQ(text(type, "infinity"), "infinity");
        EXPECT_EQ(text(type, "-infinity"), "-infinity");
        EXPECT_EQ(binary(type, Wire{}.int64(std::numeric_limits<std::int64_t>::max())), "infinity");
        EXPECT_EQ(binary(type, Wire{}.int64(std::numeric_limits<std::int64_t>::min())),
                  "-infinity");
    }
}

TEST(TimestampTzTest, IsInUtc) {
    EXPECT_EQ(text("timestamptz", "2023-10-15 10:30:00+00"), "750681000000000");
    EXPECT_EQ(text("timestamptz", "2023-10-15 12:30:00+02"), "750681000000000");
    EXPECT_EQ(text("timestamptz", "2023-10-15 05:33:58-04:56:02"), "750681000000000");
    EXPECT_EQ(text("timestamptz", "2023-10-15 16:00:00.5+05:30"), "750681000500000");
}

TEST(TimestampTest, RefusesOtherBytes) {
    for (const auto bytes :
         {"", "2023-10-15", "2023-10-15T10:30:00", "2023-10-15 10:30", "2023-10-15 10:30:00+00",
          "2023-10-15 10:30:00 AD", "2023-02-30 10:30:00", "2023-10-15 25:00:00",
          "5874897-12-31 00:00:00", "now"}) {
        EXPECT_EQ(text("timestamp", bytes), "refused") << bytes;
    }
    EXPECT_EQ(text("timestamptz", "2023-10-15 10:30:00"), "refused");
    EXPECT_EQ(binary("timestamp", Wire{}.int32(1)), "refused");
}

}  // namespace
}  // namespace pgc
