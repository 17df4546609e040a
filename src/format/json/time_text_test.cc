#include "format/json/time_text.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <limits>
#include <string>

namespace pgc {
namespace {

constexpr std::int64_t kSecond = 1'000'000;
constexpr std::int64_t kDay = 86'400 * kSecond;
constexpr auto kSmallest64 = std::numeric_limits<std::int64_t>::min();
constexpr auto kSmallest32 = std::numeric_limits<std::int32_t>::min();
constexpr auto kLargest32 = std::numeric_limits<std::int32_t>::max();

template <typename Write, typename... Arguments>
std::string text(Write write, Arguments... arguments) {
    char buffer[kMaxTimeText];
    char* const end = write(buffer, arguments...);
    return end == nullptr ? "refused" : std::string{buffer, end};
}

TEST(TimeTextTest, DatesCountFromTheYear2000) {
    EXPECT_EQ(text(write_date, 0), "2000-01-01");
    EXPECT_EQ(text(write_date, -1), "1999-12-31");
    EXPECT_EQ(text(write_date, 8688), "2023-10-15");
}

TEST(TimeTextTest, DatesKnowLeapYears) {
    EXPECT_EQ(text(write_date, 59), "2000-02-29");
    EXPECT_EQ(text(write_date, 60), "2000-03-01");
    EXPECT_EQ(text(write_date, 36'583), "2100-02-28");
    EXPECT_EQ(text(write_date, 36'584), "2100-03-01");
}

TEST(TimeTextTest, TheYearBeforeTheFirstIsOneBeforeChrist) {
    EXPECT_EQ(text(write_date, -730'119), "0001-01-01");
    EXPECT_EQ(text(write_date, -730'120), "0001-12-31 BC");
    EXPECT_EQ(text(write_date, -746'117), "0044-03-15 BC");
}

TEST(TimeTextTest, PostgresFirstAndLastDateAreWritten) {
    EXPECT_EQ(text(write_date, -2'451'545), "4714-11-24 BC");
    EXPECT_EQ(text(write_date, 2'145'031'948), "5874897-12-31");
}

TEST(TimeTextTest, DatesCanBeInfinite) {
    EXPECT_EQ(text(write_date, kInfinity), "infinity");
    EXPECT_EQ(text(write_date, -kInfinity), "-infinity");
}

TEST(TimeTextTest, DatesBeyondAllCalendarsAreRefused) {
    EXPECT_EQ(text(write_date, kInfinity - 1), "refused");
    EXPECT_EQ(text(write_date, kSmallest64), "refused");
}

TEST(TimeTextTest, EveryDayFollowsTheOneBefore) {
    // Against a calendar kept by counting.
    constexpr int lengths[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    int year = 1896;
    int month = 1;
    int day = 1;
    for (std::int64_t days = -37'985; days < 60'000; ++days) {
        ASSERT_EQ(text(write_date, days), fmt::format("{:04}-{:02}-{:02}", year, month, day));
        const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
        if (++day > lengths[month - 1] + (month == 2 && leap ? 1 : 0)) {
            day = 1;
            if (++month > 12) {
                month = 1;
                ++year;
            }
        }
    }
}

TEST(TimeTextTest, TimestampsHaveAFractionOnlyWhenThereIsOne) {
    EXPECT_EQ(text(write_timestamp, 0), "2000-01-01T00:00:00");
    EXPECT_EQ(text(write_timestamp, 1), "2000-01-01T00:00:00.000001");
    EXPECT_EQ(text(write_timestamp, 250'000), "2000-01-01T00:00:00.25");
    EXPECT_EQ(text(write_timestamp, 100'010), "2000-01-01T00:00:00.10001");
}

TEST(TimeTextTest, TimestampsBeforeTheEpochCountForwardsWithinTheirDay) {
    EXPECT_EQ(text(write_timestamp, -1), "1999-12-31T23:59:59.999999");
    EXPECT_EQ(text(write_timestamp, -kDay), "1999-12-31T00:00:00");
}

TEST(TimeTextTest, TimestampsWithZoneAreUtc) {
    EXPECT_EQ(text(write_timestamp_tz, 8688 * kDay + 37'800 * kSecond), "2023-10-15T10:30:00Z");
}

TEST(TimeTextTest, TheEraStandsBehindTheZone) {
    EXPECT_EQ(text(write_timestamp_tz, -746'117 * kDay), "0044-03-15T00:00:00Z BC");
    EXPECT_EQ(text(write_timestamp, -746'117 * kDay), "0044-03-15T00:00:00 BC");
}

TEST(TimeTextTest, YearsAfter9999HaveAllTheirDigits) {
    EXPECT_EQ(text(write_timestamp_tz, 106'741'024 * kDay), "294246-12-31T00:00:00Z");
}

TEST(TimeTextTest, TimestampsCanBeInfinite) {
    EXPECT_EQ(text(write_timestamp, kInfinity), "infinity");
    EXPECT_EQ(text(write_timestamp_tz, -kInfinity), "-infinity");
}

TEST(TimeTextTest, AnyNumberMakesSomeTimestamp) {
    EXPECT_NE(text(write_timestamp_tz, kSmallest64), "refused");
    EXPECT_NE(text(write_timestamp_tz, kInfinity - 1), "refused");
}

TEST(TimeTextTest, ADayHasTwentyFourHoursAndTheLastMoment) {
    EXPECT_EQ(text(write_time, 0), "00:00:00");
    EXPECT_EQ(text(write_time, kDay), "24:00:00");
    EXPECT_EQ(text(write_time, kDay - 1), "23:59:59.999999");
    EXPECT_EQ(text(write_time, kDay + 1), "refused");
    EXPECT_EQ(text(write_time, -1), "refused");
}

TEST(TimeTextTest, ZonesAreShownEastOfUtc) {
    EXPECT_EQ(text(write_time_tz, 37'800 * kSecond, 7200), "10:30:00+02:00");
    EXPECT_EQ(text(write_time_tz, 37'800 * kSecond, 0), "10:30:00Z");
    EXPECT_EQ(text(write_time_tz, 37'800 * kSecond, -19'800), "10:30:00-05:30");
    EXPECT_EQ(text(write_time_tz, 0, -2670), "00:00:00-00:44:30");
    EXPECT_EQ(text(write_time_tz, 0, kSmallest32), "refused");
}

TEST(TimeTextTest, IntervalsShowWhatIsNotZero) {
    EXPECT_EQ(text(write_interval, Interval{14, 3, 14'706'780'000}), "P1Y2M3DT4H5M6.78S");
    EXPECT_EQ(text(write_interval, Interval{0, 0, 0}), "PT0S");
    EXPECT_EQ(text(write_interval, Interval{12, 0, 0}), "P1Y");
    EXPECT_EQ(text(write_interval, Interval{0, 0, 60 * kSecond}), "PT1M");
}

TEST(TimeTextTest, EachPartOfAnIntervalHasItsSign) {
    EXPECT_EQ(text(write_interval, Interval{-13, 2, -500'000}), "P-1Y-1M2DT-0.5S");
    EXPECT_EQ(text(write_interval, Interval{0, -1, 3600 * kSecond}), "P-1DT1H");
}

TEST(TimeTextTest, IntervalsCanBeInfinite) {
    EXPECT_EQ(text(write_interval, Interval{kLargest32, kLargest32, kInfinity}), "infinity");
    EXPECT_EQ(text(write_interval, Interval{kSmallest32, kSmallest32, kSmallest64}), "-infinity");
}

TEST(TimeTextTest, TheLargestFiniteIntervalsFit) {
    EXPECT_EQ(text(write_interval, Interval{kLargest32, kLargest32, kSmallest64}),
              "P178956970Y7M2147483647DT-2562047788H-54.775808S");
    EXPECT_EQ(text(write_interval, Interval{kSmallest32, kSmallest32, kInfinity}),
              "P-178956970Y-8M-2147483648DT2562047788H54.775807S");
}

}  // namespace
}  // namespace pgc
