#include "postgres/source/postgres_source.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/source_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(PostgresSourceTest, LooksForNewTablesWhereThePublicationIsOurs) {
    config.manage_publication = true;
    config.tables_refresh = 5s;
    start();
    const int before = server.count("publication signature");
    clock.advance(5s);
    rounds(3);
    EXPECT_GT(server.count("publication signature"), before);
    const int after = server.count("publication signature");
    rounds(3);
    EXPECT_EQ(server.count("publication signature"), after) << "not before the next time";
}

// The look that comes due while a connection may not be made yet is waited for, and not asked for
// over and over.
TEST_F(PostgresSourceTest, ALookForNewTablesWaitsForTheConnection) {
    config.manage_publication = true;
    config.tables_refresh = 50ms;
    start();
    server.refuses_to_connect.emplace(LinkFactory::Use::sql,
                                      retry(Error::Category::connection, "it went down"));
    for (int i = 0; i < 20; ++i) {
        clock.advance(50ms);
        ASSERT_TRUE(service());
        Wants wants;
        source().wants(wants, false);
        EXPECT_GT(wants.deadline, clock.now()) << "in round " << i;
    }
    EXPECT_EQ(links.made, 2 + 5) << "once in 200 ms";
}

// What was captured before, as it is stored: the table has OID 20000.
TEST_F(PostgresSourceTest, WhatWasNotCapturedWhenItRanLastIsRead) {
    open();
    source().recall("\ncaptured 19999");
    EXPECT_EQ(source().memory(), "\ncaptured 19999") << "until the order is there";
    EXPECT_EQ(source().memory_revision(), 0U);
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_THAT(source().snapshots()->progress(), HasSubstr("table \"public\".\"users\""));
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
    EXPECT_GT(source().memory_revision(), 0U);
    EXPECT_GT(source().snapshots()->revision(), 0U);
}

TEST_F(PostgresSourceTest, WhatWasCapturedOrIsFirstLookedAtIsNotRead) {
    open();
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshots()->progress(), "");
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
    EXPECT_GT(source().memory_revision(), 0U) << "to be stored";
    made.reset();
    open();
    source().recall("\ncaptured all 20000");
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshots()->progress(), "");
    EXPECT_EQ(source().memory_revision(), 0U);
    made.reset();
    config.snapshot.new_tables = false;
    open();
    source().recall("\ncaptured 19999");
    ASSERT_TRUE(source().start(kFrom, {}));
    EXPECT_EQ(source().snapshots()->progress(), "");
    EXPECT_EQ(source().memory(), "\ncaptured all 20000");
}

TEST_F(PostgresSourceTest, WhatComesToBeCapturedInSomebodyElsesPublicationIsRead) {
    config.tables_refresh = 60s;
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", std::nullopt}}));
    start();
    const auto revision = source().memory_revision();
    server.answers("publication signature */", fake_row({{"signature", "y"}}));
    server.answers("pg-capture: tables */", fake_tables({{.schema = "public", .name = "users"},
                                                         {.schema = "public", .name = "more"}}));
    server.answers("published tables */",
                   fake_published({{"public", "users"}, {"public", "more"}}));
    rounds();
    EXPECT_EQ(source().snapshots()->progress(), "") << "it is not looked at all the time";
    look_for_tables();
    EXPECT_THAT(source().snapshots()->progress(), HasSubstr("table \"public\".\"more\""));
    EXPECT_THAT(source().snapshots()->progress(), Not(HasSubstr("users")));
    EXPECT_EQ(source().memory(), "\ncaptured 20000,1");
    EXPECT_GT(source().memory_revision(), revision);
}

TEST_F(PostgresSourceTest, NoTableThatComesIsForgottenWhoeverIsKilledWhen) {
    config.tables_refresh = 60s;
    server.answers("pg-capture: publication */",
                   fake_publication({{"all_tables", "f"}, {"note", std::nullopt}}));
    std::vector<FakeTable> tables{{.schema = "public", .name = "users"}};
    std::vector<std::pair<std::string, std::string>> published{{"public", "users"}};
    const auto comes = [&] {
        const std::string name = "t" + std::to_string(tables.size());
        tables.push_back({.schema = "public", .name = name});
        published.emplace_back("public", name);
        server.answers("publication signature */", fake_row({{"signature", name}}));
        server.answers("pg-capture: tables */", fake_tables(tables));
        server.answers("published tables */", fake_published(published));
    };
    std::string snapshot;
    std::string remembered;
    const auto store = [&] {
        snapshot = source().snapshots()->progress();
        remembered = source().memory();
    };
    const auto begin_again = [&] {
        made.reset();
        open();
        source().recall(remembered);
        ASSERT_TRUE(source().start(kFrom, snapshot));
        source().snapshots()->request({.verb = SnapshotCommand::Verb::pause, .request = {}});
    };
    begin_again();
    store();
    std::minstd_rand random{7};
    for (int i = 0; i < 100; ++i) {
        switch (random() % 4) {
            case 0: comes(); break;
            case 1: store(); break;
            case 2: begin_again(); break;
            default: look_for_tables();
        }
    }
    begin_again();
    ASSERT_GT(tables.size(), 10U);
    for (const FakeTable& table : tables) {
        const std::string line = "table \"public\".\"" + table.name + "\"";
        const auto progress = source().snapshots()->progress() + "\n";
        EXPECT_EQ(progress.contains(line + "\n"), table.name != "users") << table.name;
    }
}

}  // namespace
}  // namespace pgc
