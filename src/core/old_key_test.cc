#include "core/old_key.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/changes.h"

namespace pgc {
namespace {

using test::Changes;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

// users(id primary key, name), with the key that the test configures.
class OldKeyTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(1, Lsn{5}); }

    Changes::Cells row(std::string_view id, Cell name) { return {changes_.text(id), name}; }

    Relation users_ = test::users();
    Changes changes_;
};

TEST_F(OldKeyTest, WithoutAConfiguredKeyNothingIsLacking) {
    EXPECT_FALSE(lacks_old_key(changes_.remove(users_, row("1", Changes::absent()))));
    EXPECT_FALSE(lacks_old_key(changes_.update(users_, row("1", Changes::null()))));
    EXPECT_FALSE(lacks_old_key(changes_.message("p", "c", false)));
}

TEST_F(OldKeyTest, ARemovalHasToBringAllOfIt) {
    users_.message_key = {0, 1};
    EXPECT_THAT(unsent_key_columns(changes_.remove(users_, row("1", Changes::absent()))),
                ElementsAre(1U));
    EXPECT_FALSE(lacks_old_key(changes_.remove(users_, row("1", Changes::null()))))
        << "NULL is known";
}

TEST_F(OldKeyTest, OfAnUpdateWithoutItsOldRowOnlyTheReplicaIdentityIsKnownToBeUnchanged) {
    users_.message_key = {0, 1};
    EXPECT_THAT(unsent_key_columns(changes_.update(users_, row("1", changes_.text("a")))),
                ElementsAre(1U));
    users_.message_key = {0};
    EXPECT_FALSE(lacks_old_key(changes_.update(users_, row("1", changes_.text("a")))));
    users_.identity = ReplicaIdentity::full;
    EXPECT_TRUE(lacks_old_key(changes_.update(users_, row("1", changes_.text("a")))))
        << "the root of a partition says what its rows do not";
}

TEST_F(OldKeyTest, AnUpdateWithItsOldRowHasToBringAllOfIt) {
    users_.message_key = {1};
    EXPECT_TRUE(lacks_old_key(
        changes_.update(users_, row("1", Changes::absent()), row("2", changes_.text("a")))));
    EXPECT_FALSE(lacks_old_key(
        changes_.update(users_, row("1", changes_.text("a")), row("1", Changes::unchanged()))));
}

TEST_F(OldKeyTest, WhatHasNoOldRowLacksNothing) {
    users_.message_key = {1};
    EXPECT_FALSE(lacks_old_key(changes_.insert(users_, row("1", Changes::null()))));
    EXPECT_FALSE(lacks_old_key(changes_.read(users_, row("1", Changes::null()))));
    EXPECT_FALSE(lacks_old_key(changes_.truncate(users_)));
}

TEST_F(OldKeyTest, AUniqueIndexsColumnsAreKnownWhereNoOldRowWasSent) {
    users_.unique_key = {0};
    EXPECT_FALSE(lacks_old_key(changes_.update(users_, row("1", changes_.text("a")))));
    EXPECT_FALSE(lacks_old_key(changes_.remove(users_, row("1", Changes::absent()))));
}

TEST_F(OldKeyTest, AUniqueIndexsColumnsThatAnOldRowLacksAreLacking) {
    users_.unique_key = {0, 1};
    EXPECT_THAT(unsent_key_columns(changes_.remove(users_, row("1", Changes::absent()))),
                ElementsAre(1U));
    EXPECT_FALSE(lacks_old_key(changes_.remove(users_, row("1", changes_.text("a")))));
    EXPECT_FALSE(lacks_old_key(changes_.insert(users_, row("1", Changes::null()))));
    users_.message_key = {0};
    EXPECT_FALSE(lacks_old_key(changes_.remove(users_, row("1", Changes::absent()))))
        << "the configured key is the one that counts";
}

}  // namespace
}  // namespace pgc
