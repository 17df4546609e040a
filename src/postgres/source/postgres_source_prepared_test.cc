// Prepared transactions, from the whole source's view: where the stream begins, and how far the
// slot is confirmed.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/spill_folder.h"
#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

class PostgresSourcePreparedTest : public PostgresSourceTest {
protected:
    PostgresSourcePreparedTest() {
        config.two_phase = true;
        server.answers("pg-capture: slots */", fake_slot({{"two_phase", "t"}}));
    }
    ~PostgresSourcePreparedTest() override { made.reset(); }  // before the folder

    void make(bool look_only = false) {
        made.reset();
        stream = FakeStream{};
        made.emplace(PostgresSource::Deps{.config = config,
                                          .links = links,
                                          .clock = clock,
                                          .metrics = metrics,
                                          .logger = log.logger("postgres"),
                                          .carry_over = carry_over,
                                          .look_only = look_only,
                                          .spill = &folder,
                                          .spill_limit = 1 << 20});
    }
    // The slot stands at 0/200.
    void start_at(Lsn from) {
        make();
        open();
        ASSERT_TRUE(source().start(from, {}));
        ASSERT_TRUE(service());
        rounds(3);
        stream.reported.clear();
    }
    void sends_prepared(std::uint32_t xid, Lsn at, const char* gid = "g") {
        stream.sends(testing::prepared('b', xid, at, Lsn{at.value + 8}, gid));
        sends_users();
        stream.sends(testing::insert(at, kUsers, {"7", "x"}));
        stream.sends(testing::prepared('P', xid, at, Lsn{at.value + 8}, gid));
    }
    Lsn flushed() {
        clock.advance(10s);
        EXPECT_TRUE(service());
        return last_feedback().flush;
    }
    std::string started() const {
        for (const std::string& said : server.said) {
            if (said.starts_with("START_REPLICATION")) return said;
        }
        return {};
    }

    SimulatedSpillFolder folder;
};

TEST_F(PostgresSourcePreparedTest, TheStreamBeginsWhereTheSlotStands) {
    start_at(Lsn{0x500});
    EXPECT_THAT(started(), HasSubstr("LOGICAL 0/200 ("));
    EXPECT_THAT(started(), HasSubstr(", two_phase 'on'"));
    sends_transaction(Lsn{0x300});
    rounds();
    EXPECT_TRUE(batch.empty()) << "it commits before what is wanted";
    sends_prepared(7, Lsn{0x400});
    sends_transaction(Lsn{0x500});
    stream.sends(testing::prepared('K', 7, Lsn{0x600}, Lsn{0x608}));
    rounds();
    ASSERT_EQ(batch.transactions.size(), 2U);
    EXPECT_EQ(batch.transactions[0].commit_lsn, Lsn{0x500});
    EXPECT_EQ(batch.transactions[1].commit_lsn, Lsn{0x600});
    EXPECT_EQ(batch.transactions[1].count, 1U);
}

TEST_F(PostgresSourcePreparedTest, TheSlotIsNotConfirmedPastAnUndecidedOne) {
    start_at(kFrom);
    sends_prepared(7, Lsn{0x400});
    sends_transaction(Lsn{0x500});
    rounds();
    ASSERT_EQ(batch.transactions.size(), 1U);
    source().confirm(Lsn{0x508}, true);
    EXPECT_EQ(flushed(), Lsn{0x400});
    EXPECT_EQ(metrics.gauge(Metric::prepared_transactions).value(), 1);
    stream.sends(testing::prepared('K', 7, Lsn{0x600}, Lsn{0x608}));
    rounds();
    EXPECT_EQ(flushed(), Lsn{0x400}) << "its commit is not safe yet";
    source().confirm(Lsn{0x608}, true);
    EXPECT_EQ(flushed(), Lsn{0x608});
    EXPECT_EQ(metrics.gauge(Metric::prepared_transactions).value(), 0);
}

TEST_F(PostgresSourcePreparedTest, OneThatIsRolledBackHoldsTheSlotNoLonger) {
    start_at(kFrom);
    sends_prepared(7, Lsn{0x400});
    stream.sends(testing::keepalive(Lsn{0x500}));
    rounds();
    source().confirm(Lsn{0x500}, true);
    EXPECT_EQ(flushed(), Lsn{0x400});
    stream.sends(testing::rollback_prepared(7, Lsn{0x408}, Lsn{0x600}));
    rounds();
    EXPECT_EQ(flushed(), Lsn{0x500});
    EXPECT_TRUE(folder.files().empty());
}

TEST_F(PostgresSourcePreparedTest, NothingIsConfirmedThatHasNotComeAgain) {
    start_at(Lsn{0x500});
    source().confirm(Lsn{0x500}, true);
    EXPECT_EQ(flushed(), Lsn{0x200}) << "what was prepared in between is not known yet";
    stream.sends(testing::keepalive(Lsn{0x580}));
    rounds();
    EXPECT_EQ(flushed(), Lsn{0x500});
}

TEST_F(PostgresSourcePreparedTest, OneThatIsNotDecidedForLongIsNamed) {
    start_at(kFrom);
    sends_prepared(7, Lsn{0x400}, "a\nb%");
    rounds();
    clock.advance(5s);
    ASSERT_TRUE(service());
    EXPECT_THAT(lines.text, HasSubstr("is not decided"));
    EXPECT_THAT(lines.text, HasSubstr("a%0Ab%25"));
    const std::size_t size = lines.text.size();
    clock.advance(5s);
    ASSERT_TRUE(service());
    EXPECT_EQ(lines.text.find("is not decided", size), std::string::npos) << "once";
    EXPECT_GT(metrics.gauge(Metric::prepared_transaction_age_seconds).value(), 600);
}

TEST_F(PostgresSourcePreparedTest, WithoutAFolderItIsAnErrorThatMayPass) {
    make();
    open();
    folder.fail_next_prepares(1);
    const auto started = source().start(kFrom, {});
    ASSERT_FALSE(started);
    EXPECT_EQ(started.error().category, Error::Category::storage);
    EXPECT_EQ(started.error().next, Error::Next::retry);
}

TEST_F(PostgresSourcePreparedTest, WithoutTheOptionNothingIsAskedFor) {
    config.two_phase = false;
    server.answers("pg-capture: slots */", fake_slot());
    start_at(Lsn{0x500});
    EXPECT_THAT(started(), HasSubstr("LOGICAL 0/500 ("));
    EXPECT_THAT(started(), Not(HasSubstr("two_phase")));
}

TEST_F(PostgresSourcePreparedTest, WhoOnlyLooksTurnsNothingOn) {
    server.answers("pg-capture: slots */", fake_slot());
    make(true);
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_THAT(started(), Not(HasSubstr("two_phase")));
}

}  // namespace
}  // namespace pgc
