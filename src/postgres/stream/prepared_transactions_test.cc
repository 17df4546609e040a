#include "postgres/stream/prepared_transactions.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

class PreparedTransactionsTest : public ::testing::Test {
protected:
    void prepare(std::uint32_t xid, std::uint64_t at) {
        all_.add({.prepare_lsn = Lsn{at},
                  .end_lsn = Lsn{at + 8},
                  .prepared_at = {},
                  .xid = Xid{xid},
                  .gid = "g"});
    }
    std::uint64_t begin_for(std::uint64_t lsn) { return all_.begin_for(Lsn{lsn}).value; }

    PreparedTransactions all_;
};

TEST_F(PreparedTransactionsTest, WithoutAnyTheStreamMayBeginWhereItIsWanted) {
    EXPECT_EQ(begin_for(500), 500U);
    EXPECT_EQ(all_.oldest(), nullptr);
}

TEST_F(PreparedTransactionsTest, AnUndecidedOneHoldsItsPlace) {
    prepare(7, 100);
    EXPECT_EQ(begin_for(50), 50U);
    EXPECT_EQ(begin_for(500), 100U);
    EXPECT_EQ(begin_for(900), 100U);
    EXPECT_EQ(all_.undecided(), 1U);
    EXPECT_EQ(all_.oldest()->xid, Xid{7});
}

TEST_F(PreparedTransactionsTest, ACommittedOneHoldsItUntilItsCommitIsNotWantedAgain) {
    prepare(7, 100);
    all_.committed(Xid{7}, Lsn{300});
    EXPECT_FALSE(all_.knows(Xid{7}));
    EXPECT_EQ(all_.undecided(), 0U);
    EXPECT_EQ(begin_for(200), 100U);
    EXPECT_EQ(begin_for(300), 100U) << "what commits there is wanted";
    EXPECT_EQ(begin_for(301), 301U);
}

TEST_F(PreparedTransactionsTest, OneThatIsRolledBackHoldsNothing) {
    prepare(7, 100);
    all_.rolled_back(Xid{7});
    EXPECT_EQ(begin_for(500), 500U);
}

TEST_F(PreparedTransactionsTest, OfSeveralTheFirstCountsWhateverTheirOrderOfDecision) {
    prepare(7, 100);
    prepare(8, 110);
    prepare(9, 120);
    all_.committed(Xid{8}, Lsn{200});
    all_.committed(Xid{7}, Lsn{210});
    all_.committed(Xid{9}, Lsn{220});
    EXPECT_EQ(begin_for(190), 100U);
    EXPECT_EQ(begin_for(205), 100U) << "8 is safe, and 7 is not";
    EXPECT_EQ(begin_for(215), 120U);
    EXPECT_EQ(begin_for(221), 221U);
}

}  // namespace
}  // namespace pgc
