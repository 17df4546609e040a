#include "sink/file/owner.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(FileOwnerTest, NamesAndNumbersAreUnderstoodAsByChown) {
    EXPECT_EQ(find_owner("root"), (FileOwner{.uid = 0}));
    EXPECT_EQ(find_owner("root:root"), (FileOwner{.uid = 0, .gid = 0}));
    EXPECT_EQ(find_owner(":root"), (FileOwner{.gid = 0}));
    EXPECT_EQ(find_owner("1001:1002"), (FileOwner{.uid = 1001, .gid = 1002}));
}

TEST(FileOwnerTest, WhoIsNotKnownIsNamed) {
    EXPECT_EQ(find_owner("no-such-user").error(), "there is no user 'no-such-user' here");
    EXPECT_EQ(find_owner("root:no-such-group").error(), "there is no group 'no-such-group' here");
    EXPECT_FALSE(find_owner("root:"));
    EXPECT_FALSE(find_owner("4294967295")) << "which would mean: as it is";
}

}  // namespace
}  // namespace pgc
