#include "postgres/types/log_positions.h"

#include <gtest/gtest.h>

#include "support/type_reading.h"

namespace pgc {
namespace {

using testing::binary;
using testing::text;
using testing::Wire;

TEST(PlacesTest, WritesAnLsn) {
    EXPECT_EQ(binary("pg_lsn", Wire{}.int64(0x16B374D848)), "'16/B374D848'");
    EXPECT_EQ(binary("pg_lsn", Wire{}.int64(-1)), "'FFFFFFFF/FFFFFFFF'");
    EXPECT_EQ(text("pg_lsn", "16/B374D848"), "'16/B374D848'");
    EXPECT_EQ(binary("pg_lsn", Wire{}.int32(1)), "refused");
}

TEST(PlacesTest, WritesATid) {
    EXPECT_EQ(binary("tid", Wire{}.int32(-1).int16(-1)), "'(4294967295,65535)'");
    EXPECT_EQ(binary("tid", Wire{}.int32(0)), "refused");
}

TEST(PlacesTest, WritesSnapshots) {
    EXPECT_EQ(binary("pg_snapshot", Wire{}.int32(0).int64(10).int64(20)), "'10:20:'");
    EXPECT_EQ(binary("txid_snapshot", Wire{}.int32(2).int64(10).int64(20).int64(12).int64(15)),
              "'10:20:12,15'");
}

TEST(PlacesTest, RefusesSnapshotsThatLie) {
    EXPECT_EQ(binary("pg_snapshot", Wire{}.int32(1).int64(10).int64(20)), "refused");
    EXPECT_EQ(binary("pg_snapshot", Wire{}.int32(-1).int64(10).int64(20)), "refused");
    EXPECT_EQ(binary("pg_snapshot", Wire{}.int32(0).int64(10).int64(20).int64(1)), "refused");
}

TEST(PlacesTest, WritesA64BitXid) {
    EXPECT_EQ(binary("xid8", Wire{}.int64(-1)), "'18446744073709551615'");
    EXPECT_EQ(binary("xid8", Wire{}.int32(1)), "refused");
}

}  // namespace
}  // namespace pgc
