#include "core/position_text.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

const StoredPosition kPosition{.pipeline = "shop",
                               .system = "7340123456789012345",
                               .timeline = 4,
                               .database = "shop",
                               .slot = "pg_slot",
                               .resume_at = Lsn{0x16'B374D848}};

TEST(PositionTextTest, GivesBackWhatWasWritten) {
    EXPECT_EQ(read_position(write_position(kPosition)), kPosition);
}

TEST(PositionTextTest, LooksAsDocumented) {
    EXPECT_THAT(write_position(kPosition),
                testing::MatchesRegex("pg-capture position 1\npipeline=shop\n"
                                      "system=7340123456789012345\ntimeline=4\ndatabase=shop\n"
                                      "slot=pg_slot\nresume_at=16/B374D848\n"
                                      "checksum=................\n"));
}

TEST(PositionTextTest, AnyNameOfADatabaseSurvives) {
    StoredPosition odd = kPosition;
    odd.database = "a b\n=%25\x01\x7F\xC3\xA4\nchecksum=0";
    EXPECT_EQ(read_position(write_position(odd)), odd);
}

TEST(PositionTextTest, CarriesASnapshotAndAMemoryEachByItself) {
    for (const auto* const snapshot : {"", "all"}) {
        for (const auto* const memory : {"", "1;npublic.orders:16400,3 %\n"}) {
            StoredPosition position = kPosition;
            position.snapshot = snapshot;
            position.memory = memory;
            EXPECT_EQ(read_position(write_position(position)), position);
        }
    }
    StoredPosition position = kPosition;
    position.memory = "1;npublic.orders:16400,3";
    EXPECT_THAT(write_position(position),
                testing::HasSubstr("\nmemory=1;npublic.orders:16400,3\n"));
}

TEST(PositionTextTest, CarriesAPlaceInsideATransaction) {
    StoredPosition position = kPosition;
    position.within = {Lsn{0x16'B374D900}, 18'446'744'073'709'551'614U};
    position.publication = "a\npub";
    EXPECT_THAT(
        write_position(position),
        testing::HasSubstr("\nwithin=16/B374D900#18446744073709551614\npublication=a%0Apub\n"));
    EXPECT_EQ(read_position(write_position(position)), position);
}

TEST(PositionTextTest, RefusesEveryProperPrefix) {
    const std::string whole = write_position(kPosition);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_FALSE(read_position(std::string_view{whole}.substr(0, n))) << n << " bytes";
    }
    EXPECT_TRUE(read_position(whole));
}

TEST(PositionTextTest, RefusesEveryChangedByte) {
    const std::string whole = write_position(kPosition);
    for (std::size_t i = 0; i < whole.size(); ++i) {
        for (const int bit : {1, 2, 4, 16, 128}) {
            std::string changed = whole;
            changed[i] = static_cast<char>(changed[i] ^ bit);
            EXPECT_FALSE(read_position(changed)) << "byte " << i << " changed by " << bit;
        }
    }
}

TEST(PositionTextTest, RefusesWhatIsAppended) {
    EXPECT_FALSE(read_position(write_position(kPosition) + "\n"));
    EXPECT_FALSE(read_position(write_position(kPosition) + "x=1\n"));
    EXPECT_FALSE(read_position(write_position(kPosition) + write_position(kPosition)));
}

TEST(PositionTextTest, SaysWhatIsWrong) {
    using testing::HasSubstr;
    EXPECT_THAT(read_position("hello\n").error(), HasSubstr("not a position of pg-capture"));
    EXPECT_THAT(read_position("pg-capture position 2\nx=1\n").error(),
                HasSubstr("another version"));
    EXPECT_THAT(read_position(write_position(kPosition).substr(0, 60)).error(),
                HasSubstr("cut short"));
}

}  // namespace
}  // namespace pgc
