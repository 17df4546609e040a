// Reloads as a source hears of them, and what it reports of their tables.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "postgres/source/postgres_source.h"
#include "support/source_fixture.h"

namespace pgc {
namespace {

using Step = ReloadChange::Step;
using ::testing::HasSubstr;

class PostgresSourceReloadTest : public PostgresSourceTest {
protected:
    // It has these tables, all of them in schema public.
    void tables(const std::vector<std::string>& names) {
        Rows rows;
        rows.columns = {"oid",        "schema", "name",   "shown_oid", "shown_schema",
                        "shown_name", "bytes",  "filter", "above"};
        int oid = 20'000;
        for (const std::string& name : names) {
            const std::string number = std::to_string(oid++);
            rows.rows.push_back({number, "public", name, number, "public", name, "8192", "", ""});
        }
        server.answers("pg-capture: snapshot tables */", rows);
    }
    void order(std::string id, std::string table) {
        source().snapshots()->request({.verb = SnapshotCommand::Verb::start,
                                       .request = {.id = std::move(id),
                                                   .tables = {std::move(table)},
                                                   .reload = ReloadOrder{.by = "request"}}});
        // What is requested is paused: nobody here reads rows.
        source().snapshots()->request({.verb = SnapshotCommand::Verb::pause, .request = {}});
    }
    std::vector<ReloadChange> reported_changes() {
        std::vector<ReloadChange> all;
        for (int i = 0; i < 20; ++i) {
            EXPECT_TRUE(service());
            if (!source().snapshots()->has_news()) continue;
            for (ReloadChange& change : source().snapshots()->take_reload_changes()) {
                if (change.step != Step::restored) all.push_back(std::move(change));
            }
            EXPECT_FALSE(source().snapshots()->has_news());
        }
        return all;
    }
    const SnapshotReport::Request& reported() {
        report = source().snapshots()->report();
        return report.requests.back();
    }
    SnapshotReport report;
};

TEST_F(PostgresSourceReloadTest, SaysWhichTablesItMeansBeforeAnyIsRead) {
    tables({"users", "orders"});
    start();
    order("s-1", "public.*");
    const auto changes = reported_changes();
    ASSERT_EQ(changes.size(), 2U);
    EXPECT_EQ(changes[0].step, Step::ordered);
    EXPECT_EQ(changes[0].name, "users");
    EXPECT_EQ(changes[0].id, "s-1");
    EXPECT_EQ(changes[0].order.by, "request");
    EXPECT_GE(changes[0].order.at, kFrom) << "what committed before is sent";
    EXPECT_EQ(changes[1].name, "orders");
    EXPECT_EQ(reported().tables, 2U);
    EXPECT_THAT(source().snapshots()->progress(), HasSubstr("\nmeant 20000 1"));
}

TEST_F(PostgresSourceReloadTest, OfATableThatIsNotCapturedItSaysSo) {
    tables({"users"});
    start();
    order("s-1", "public.nothing");
    const auto changes = reported_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].step, Step::over);
    EXPECT_EQ(reported().state, SnapshotReport::State::failed);
    EXPECT_THAT(reported().reason, HasSubstr("no captured table has this name"));
    EXPECT_EQ(source().snapshots()->progress(), "");
}

TEST_F(PostgresSourceReloadTest, ATableIsReloadedOnceAtATime) {
    tables({"users"});
    start();
    order("s-1", "public.users");
    EXPECT_EQ(reported_changes().size(), 1U);
    order("s-2", "public.*");
    const auto changes = reported_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].step, Step::over);
    EXPECT_THAT(reported().reason, HasSubstr("a reload of public.users is ordered already, s-1"));
    source().snapshots()->request(
        {.verb = SnapshotCommand::Verb::cancel, .request = {.id = "s-1", .tables = {}}});
    order("s-3", "public.users");
    EXPECT_EQ(reported_changes().back().step, Step::ordered);
}

TEST_F(PostgresSourceReloadTest, WhatWasOrderedBeforeIsReportedAgain) {
    tables({"users"});
    open();
    ASSERT_TRUE(source().start(kFrom,
                               "snapshot 1\nrequest s-1\ntable public.users\n"
                               "reload EXPORT_START 0/100\npaused\nmeant 20000"));
    const auto first = source().snapshots()->take_reload_changes();
    ASSERT_EQ(first.size(), 1U);
    EXPECT_EQ(first[0].left, std::vector<std::string>{"s-1"});
    ASSERT_TRUE(service());
    const auto changes = reported_changes();
    ASSERT_EQ(changes.size(), 1U);
    EXPECT_EQ(changes[0].step, Step::ordered);
    EXPECT_EQ(changes[0].order, (ReloadOrder{.by = "EXPORT_START", .at = Lsn{0x100}}));
}

}  // namespace
}  // namespace pgc
