#include "postgres/setup/statements.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::Not;
using testing::StartsWith;

TEST(StatementsTest, SlotsAreMadeInEachVersionsGrammar) {
    EXPECT_EQ(create_slot_command(140000, "s", {.failover = true, .exported = true}),
              R"(CREATE_REPLICATION_SLOT "s" LOGICAL pgoutput EXPORT_SNAPSHOT)");
    EXPECT_EQ(create_slot_command(170000, "s", {.failover = true, .exported = true}),
              R"(CREATE_REPLICATION_SLOT "s" LOGICAL pgoutput (SNAPSHOT 'export', FAILOVER true))");
    EXPECT_EQ(create_slot_command(100000, "s", {.failover = true}),
              "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput NOEXPORT_SNAPSHOT");
    EXPECT_EQ(create_slot_command(140000, "s", {.failover = true}),
              "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput NOEXPORT_SNAPSHOT");
    EXPECT_EQ(create_slot_command(150000, "s", {.failover = true}),
              "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput (SNAPSHOT 'nothing')");
    EXPECT_EQ(create_slot_command(170000, "s", {.failover = true}),
              "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput (SNAPSHOT 'nothing', FAILOVER true)");
    EXPECT_EQ(create_slot_command(170000, "s", {}),
              "CREATE_REPLICATION_SLOT \"s\" LOGICAL pgoutput (SNAPSHOT 'nothing')");
}

TEST(StatementsTest, ColumnsAreAskedForOnlyWhereTheyAre) {
    EXPECT_THAT(publication_query(100000, "p", "s"), Not(HasSubstr("pubtruncate")));
    EXPECT_THAT(publication_query(110000, "p", "s"), HasSubstr("pubtruncate"));
    EXPECT_THAT(publication_query(120000, "p", "s"), Not(HasSubstr("pubviaroot")));
    EXPECT_THAT(publication_query(130000, "p", "s"), HasSubstr("pubviaroot"));
    EXPECT_THAT(publication_query(170000, "p", "s"), Not(HasSubstr("pubgencols")));
    EXPECT_THAT(publication_query(180000, "p", "s"), HasSubstr("pubgencols"));
    EXPECT_THAT(publication_members_query(140000, "p"), Not(HasSubstr("pg_publication_namespace")));
    EXPECT_THAT(publication_members_query(150000, "p"), HasSubstr("pg_publication_namespace"));
    EXPECT_THAT(slots_query(120000, "s"), Not(HasSubstr("s.wal_status")));
    EXPECT_THAT(slots_query(130000, "s"), HasSubstr("s.wal_status"));
    EXPECT_THAT(slots_query(150000, "s"), Not(HasSubstr("conflicting")));
    EXPECT_THAT(slots_query(160000, "s"), HasSubstr("s.conflicting"));
    EXPECT_THAT(slots_query(170000, "s"), HasSubstr("s.invalidation_reason"));
}

TEST(StatementsTest, EveryQueryTellsWhoAsksAndQuotesNames) {
    for (const auto& sql :
         {server_facts_query(), tables_query(), publication_query(150000, "it's", "s"),
          publication_members_query(150000, "it's"), published_tables_query({"it's"}),
          publication_signature_query(150000, {"it's"}), published_types_query(150000, {"it's"}),
          slots_query(150000, "it's"), end_stale_reader_query(7), drop_slot_query("it's")}) {
        EXPECT_THAT(sql, StartsWith("/* pg-capture: "));
        EXPECT_THAT(sql, Not(HasSubstr("'it's'")));
    }
}

TEST(StatementsTest, OnlyASessionOfThisProcessIsEnded) {
    const auto sql = end_stale_reader_query(4711);
    EXPECT_THAT(sql, HasSubstr("pid = 4711"));
    EXPECT_THAT(sql, HasSubstr("application_name = current_setting('application_name')"));
    EXPECT_THAT(sql, HasSubstr("usename = current_user"));
    EXPECT_THAT(sql, HasSubstr("backend_type = 'walsender'"));
}

}  // namespace
}  // namespace pgc
