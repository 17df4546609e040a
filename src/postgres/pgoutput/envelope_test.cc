#include "postgres/pgoutput/envelope.h"

#include <gtest/gtest.h>

#include "support/wire.h"

namespace pgc::pgoutput {
namespace {

using testing::ExactCopy;
using testing::Wire;

constexpr std::int64_t kUnix2000_us = 946'684'800'000'000;

TEST(EnvelopeTest, GivesOutTheMessageInsideXLogData) {
    const ExactCopy bytes{Wire{'w'}.int64(10).int64(20).int64(5).raw("Bxyz")};
    const auto data = decode_xlog_data(bytes.view());
    ASSERT_TRUE(data);
    EXPECT_EQ(data->start, Lsn{10});
    EXPECT_EQ(data->end, Lsn{20});
    EXPECT_EQ(data->sent_at, WallTime{kUnix2000_us + 5});
    EXPECT_EQ(data->message, "Bxyz");
}

TEST(EnvelopeTest, AcceptsXLogDataWithoutAMessage) {
    const auto data = decode_xlog_data(Wire{'w'}.int64(0).int64(0).int64(0));
    ASSERT_TRUE(data);
    EXPECT_TRUE(data->message.empty());
}

TEST(EnvelopeTest, ReadsAKeepalive) {
    const auto keepalive = decode_keepalive(Wire{'k'}.int64(0x1634FA0).int64(-1).int8(1));
    ASSERT_TRUE(keepalive);
    EXPECT_EQ(keepalive->end, Lsn{0x1634FA0});
    EXPECT_EQ(keepalive->sent_at, WallTime{kUnix2000_us - 1});
    EXPECT_TRUE(keepalive->reply_requested);
}

TEST(EnvelopeTest, ReadsAKeepaliveThatWantsNoReply) {
    EXPECT_FALSE(decode_keepalive(Wire{'k'}.int64(1).int64(1).int8(0))->reply_requested);
}

TEST(EnvelopeTest, RefusesEveryProperPrefix) {
    const std::string data = Wire{'w'}.int64(10).int64(20).int64(5).bytes();
    for (std::size_t n = 0; n < data.size(); ++n) {
        const ExactCopy bytes{std::string_view{data}.substr(0, n)};
        const auto result = decode_xlog_data(bytes.view());
        ASSERT_FALSE(result) << n;
        EXPECT_EQ(result.error(), DecodeError::truncated) << n;
    }
    const std::string keepalive = Wire{'k'}.int64(10).int64(20).int8(0).bytes();
    for (std::size_t n = 0; n < keepalive.size(); ++n) {
        const ExactCopy bytes{std::string_view{keepalive}.substr(0, n)};
        const auto result = decode_keepalive(bytes.view());
        ASSERT_FALSE(result) << n;
        EXPECT_EQ(result.error(), DecodeError::truncated) << n;
    }
}

TEST(EnvelopeTest, RefusesAKeepaliveThatGoesOn) {
    EXPECT_EQ(decode_keepalive(Wire{'k'}.int64(10).int64(20).int8(0).int8(0)).error(),
              DecodeError::trailing_bytes);
}

TEST(EnvelopeTest, RefusesAnotherKind) {
    EXPECT_EQ(decode_keepalive(Wire{'w'}.int64(1).int64(2).int8(0)).error(),
              DecodeError::wrong_message);
    EXPECT_EQ(decode_xlog_data(Wire{'k'}.int64(1).int64(2).int64(0)).error(),
              DecodeError::wrong_message);
}

TEST(EnvelopeTest, WritesTheStandbyStatusAsTheServerReadsIt) {
    const auto bytes = encode({.write = Lsn{0x0102030405060708},
                               .flush = Lsn{2},
                               .apply = Lsn{3},
                               .sent_at = {kUnix2000_us + 7},
                               .reply_requested = true});
    EXPECT_EQ((std::string_view{bytes.data(), bytes.size()}),
              Wire{'r'}.int64(0x0102030405060708).int64(2).int64(3).int64(7).int8(1).bytes());
}

TEST(EnvelopeTest, WritesTimesBefore2000) {
    const auto bytes = encode({.write = {}, .flush = {}, .apply = {}, .sent_at = {0}});
    EXPECT_EQ((std::string_view{bytes.data(), bytes.size()}),
              Wire{'r'}.int64(0).int64(0).int64(0).int64(-kUnix2000_us).int8(0).bytes());
}

}  // namespace
}  // namespace pgc::pgoutput
