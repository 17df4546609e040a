#include "postgres/source/postgres_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;

TEST_F(PostgresSourceTest, FetchesUnsentValuesWhenTold) {
    config.toast = ToastMode::reselect;
    server.answers("pg-capture: reselect */", fake_row({{"bio", "as it is now"}}));
    start();
    EXPECT_EQ(server.count("binary 'true'"), 0) << "key values must come as text";
    stream.sends(testing::begin(Lsn{0x300}, 2));
    sends_users();
    stream.sends(testing::update(Lsn{0x300}, kUsers, {"1", testing::kUnchanged}));
    rounds(4);
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].after[1].bytes(), "as it is now");
    EXPECT_TRUE(batch.changes[0].after[1].reselected);
}

TEST_F(PostgresSourceTest, AReselectTheServerRefusesLeavesTheValueUnknown) {
    config.toast = ToastMode::reselect;
    server.refuses("pg-capture: reselect */", "42P01", stop(Error::Category::server, "gone"));
    start();
    stream.sends(testing::begin(Lsn{0x300}, 2));
    sends_users();
    stream.sends(testing::update(Lsn{0x300}, kUsers, {"1", testing::kUnchanged}));
    rounds(4);
    ASSERT_EQ(batch.changes.size(), 1U);
    EXPECT_EQ(batch.changes[0].after[1].state, Cell::State::unchanged);
}

TEST_F(PostgresSourceTest, RemembersThatATypeMustComeAsText) {
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    stream.sends(testing::begin(Lsn{0x300}, 2));
    stream.sends(
        testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}, {"mood", 16500}}));
    Result<Source::Read> read = Source::Read::caught_up;
    for (int i = 0; i < 5 && read; ++i) read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::restart);
    made.reset();
    stream.arriving.clear();
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1) << "the second stream is asked for as text";
}

// An aclitem[] that somebody else's FOR ALL TABLES publication brings along, say.
TEST_F(PostgresSourceTest, GoesOnInTextWhereTheServerHasNoBinaryAndBackWhenThatIsPassed) {
    config.binary = true;
    config.tables_refresh = 5s;
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    stream.breaks = server_error({"42883", "no binary output function available for type aclitem"});
    stream.sqlstate = "42883";
    auto read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::restart) << "a decision, not a failure";
    EXPECT_THAT(read.error().what, HasSubstr("continuing in text"));
    made.reset();
    stream.breaks.reset();
    stream.sqlstate.clear();
    start();
    EXPECT_EQ(server.count("binary 'true'"), 1);
    EXPECT_EQ(server.count("published types */"), 1) << "it may be gone, but not from the log";

    const Lsn end = source().server_end();
    source().confirm(Lsn{end.value - 1}, false);
    clock.advance(2min);
    rounds();
    EXPECT_EQ(server.count("published types */"), 2);
    source().confirm(end, false);
    clock.advance(2min);
    read = round();
    for (int i = 0; i < 5 && read; ++i) read = round();
    ASSERT_FALSE(read);
    EXPECT_EQ(read.error().next, Error::Next::restart);
    EXPECT_THAT(read.error().what, HasSubstr("has a binary form again"));
    made.reset();
    server.answers("pg-capture: slots */", fake_slot({{"confirmed", to_string(end)}}));
    start();
    EXPECT_EQ(server.count("binary 'true'"), 2);
    EXPECT_FALSE(carry_over.text_only);
}

}  // namespace
}  // namespace pgc
