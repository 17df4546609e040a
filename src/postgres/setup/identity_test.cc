#include "postgres/setup/identity.h"

#include <gtest/gtest.h>

#include "support/fake_server.h"

namespace pgc {
namespace {

TEST(IdentityTest, ASystemIsReadByName) {
    SourceIdentity identity;
    ASSERT_TRUE(read_system(
        fake_row({{"systemid", "77"}, {"timeline", "3"}, {"xlogpos", "1/A0"}, {"dbname", "shop"}}),
        identity));
    EXPECT_EQ(identity.system, "77");
    EXPECT_EQ(identity.timeline, 3U);
    EXPECT_EQ(identity.server_end, (Lsn{0x1000000A0}));
    EXPECT_EQ(identity.database, "shop");
}

TEST(IdentityTest, AStrangeAnswerIsAnError) {
    SourceIdentity identity;
    EXPECT_FALSE(read_system(Rows{}, identity));
    EXPECT_FALSE(read_system(
        fake_row({{"systemid", "77"}, {"timeline", "x"}, {"xlogpos", "1/A0"}, {"dbname", "shop"}}),
        identity));
}

TEST(IdentityTest, HistoryNamesTheSwitchesOldestFirst) {
    const auto history = read_history(fake_row(
        {{"filename", "00000003.history"},
         {"content", "1\t0/3000158\tno recovery target specified\n\n2\t0/5000000\tpromoted\n"}}));
    ASSERT_EQ(history.size(), 2U);
    EXPECT_EQ(history[0].timeline, 1U);
    EXPECT_EQ(history[0].at, Lsn{0x3000158});
    EXPECT_EQ(history[1].timeline, 2U);
}

TEST(IdentityTest, UnreadableHistoryLinesAreLeftOut) {
    EXPECT_TRUE(
        read_history(fake_row({{"content", "x\t0/1\tr\n1 0/1\n1\tnonsense\tr\n\t\t\n"}})).empty());
    EXPECT_EQ(read_history(fake_row({{"content", "1\t0/9"}})).size(), 1U);
    EXPECT_TRUE(read_history(Rows{}).empty());
}

}  // namespace
}  // namespace pgc
