// What is the registry's in PostgreSQL alone: who may do what there, what people see in it, and
// what is said when something is missing. Only with a server, as file_registry_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "support/registry_rig.h"

namespace pgc {
namespace {

using test::PostgresRegistryRig;
using ::testing::HasSubstr;

struct Server {
    test::RegistryServer server;
    friend void PrintTo(const Server& one, std::ostream* out) { *out << one.server.port; }
};

std::vector<Server> servers() {
    const auto server = test::registry_server();
    return server ? std::vector<Server>{{*server}} : std::vector<Server>{};
}

StoredPosition position(std::uint64_t lsn) {
    return {.pipeline = "shop",
            .system = "77",
            .timeline = 1,
            .database = "shop",
            .slot = "shop_slot",
            .resume_at = Lsn{lsn}};
}

RegistrySeal seal(std::uint64_t lsn, const std::string& path) {
    RegistrySeal seal;
    seal.position = position(lsn);
    seal.complete = {{.table = {"public", "orders"},
                      .batch = "20261130T174500Z",
                      .path = path,
                      .begin_lsn = Lsn{lsn},
                      .end_lsn = Lsn{lsn + 1},
                      .rows = 3,
                      .bytes = 99}};
    return seal;
}

class PostgresRegistryTest : public testing::TestWithParam<Server> {
protected:
    PostgresRegistryTest() {
        for (const char* role : {"writer", "loader"}) {
            rig_.said(std::string{"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '"} +
                      role + "') THEN DROP OWNED BY " + role + "; DROP ROLE " + role +
                      "; END IF; CREATE ROLE " + role + " LOGIN; END $$");
        }
    }

    std::string cell(const std::string& sql) {
        const Rows rows = rig_.said(sql);
        if (rows.rows.size() != 1) return std::to_string(rows.rows.size()) + " rows";
        return rows.rows[0][0].value_or("NULL");
    }
    // As `role` says it; how the server refuses it, or empty.
    std::string refused(const std::string& role, const std::string& sql) {
        auto links = rig_.as(role);
        PollWaiter waiter{rig_.clock()};
        auto link = BlockingLink::connect(links, LinkFactory::Use::sql, rig_.clock(), waiter,
                                          std::chrono::seconds{30});
        EXPECT_TRUE(link) << describe(link.error());
        const auto rows = link->ask(sql);
        return rows ? std::string{} : rows.error().what;
    }
    void fill() {
        const auto registry = rig_.make("shop");
        ASSERT_TRUE(test::open(rig_, *registry));
        ASSERT_TRUE(test::commit(rig_, *registry, seal(100, "orders/1/streaming.csv.gz")));
    }

    PostgresRegistryRig rig_{GetParam().server};
};

TEST_P(PostgresRegistryTest, AWriterNeedsWhatTheGrantsSayAndNoMore) {
    auto links = rig_.as("writer");
    PostgresFileRegistry without{links, rig_.config("shop", "writer"), rig_.clock(), Logger{}};
    const auto refused = test::open(rig_, without);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::permission);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_EQ(refused.error().hint, registry_writer_grants("writer"));

    rig_.said(refused.error().hint);
    PostgresFileRegistry with{links, rig_.config("shop", "writer"), rig_.clock(), Logger{}};
    const auto content = test::open(rig_, with);
    ASSERT_TRUE(content) << describe(content.error());
    auto one = seal(100, "orders/1/streaming.csv.gz");
    one.open = {{.id = 1, .table = {"public", "orders"}}};
    one.folders = {{{"public", "orders"}, "orders"}};
    one.modes = {{{"public", "orders"}, TableMode::reloading}};
    one.ddl = {{.object_type = "table", .object = {"public", "orders"}, .command = "ALTER …"}};
    auto committed = test::commit(rig_, with, one);
    ASSERT_TRUE(committed) << describe(committed.error());
    RegistrySeal two;
    two.position = position(200);
    two.closed = {1};
    committed = test::commit(rig_, with, two);
    ASSERT_TRUE(committed) << describe(committed.error());
    ASSERT_TRUE(with.positions().forget());
    const auto forgotten = test::saved(rig_, with.positions());
    EXPECT_TRUE(forgotten) << describe(forgotten.error());
}

TEST_P(PostgresRegistryTest, ALoaderReadsAndMarksWhatItHasLoaded) {
    rig_.said(registry_loader_grants("loader"));
    fill();
    EXPECT_EQ(refused("loader",
                      "UPDATE cdc_registry.file_log SET loaded = true, loaded_at = now()"
                      " WHERE pipeline = 'shop' AND NOT loaded"),
              "");
    EXPECT_EQ(cell("SELECT loaded FROM cdc_registry.file_log"), "t");
    EXPECT_EQ(refused("loader", "SELECT name, seal, resume_at FROM cdc_registry.pipeline"), "");
    for (const char* sql :
         {"SELECT position FROM cdc_registry.pipeline", "DELETE FROM cdc_registry.file_log",
          "UPDATE cdc_registry.file_log SET path = ''",
          "INSERT INTO cdc_registry.audit (what) VALUES ('nothing')"}) {
        EXPECT_THAT(refused("loader", sql), HasSubstr("permission denied")) << sql;
    }
}

TEST_P(PostgresRegistryTest, WhoMayNotMakeItHearsWhichGrantIsMissing) {
    rig_.remove();
    auto links = rig_.as("writer");
    PostgresFileRegistry registry{links, rig_.config("shop", "writer"), rig_.clock(), Logger{}};
    const auto missing = test::load(rig_, registry.positions());
    ASSERT_TRUE(missing) << describe(missing.error());
    EXPECT_TRUE((*missing)->store_is_missing);
    registry.positions().create();
    const auto refused = test::load(rig_, registry.positions());
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::permission);
    EXPECT_EQ(refused.error().hint, "GRANT CREATE ON DATABASE \"shop\" TO \"writer\";");
    rig_.said(refused.error().hint);
    registry.positions().create();
    const auto made = test::load(rig_, registry.positions());
    EXPECT_TRUE(made) << describe(made.error());
    rig_.said("REVOKE CREATE ON DATABASE shop FROM writer");
}

TEST_P(PostgresRegistryTest, ASchemaThatWasMadeForUsIsEnough) {
    rig_.remove();
    rig_.said("CREATE SCHEMA cdc_registry AUTHORIZATION writer");
    auto links = rig_.as("writer");
    PostgresFileRegistry registry{links, rig_.config("shop", "writer"), rig_.clock(), Logger{}};
    registry.positions().create();
    const auto made = test::load(rig_, registry.positions());
    ASSERT_TRUE(made) << describe(made.error());
    EXPECT_FALSE((*made)->store_is_missing);
}

TEST_P(PostgresRegistryTest, TwoThatMakeItAtOnceMakeOne) {
    rig_.remove();
    std::vector<std::unique_ptr<FileRegistry>> all;
    for (int i = 0; i < 4; ++i) {
        all.push_back(rig_.make("p" + std::to_string(i)));
        all.back()->positions().create();
    }
    std::size_t done = 0;
    while (done < all.size()) {
        Wants wants;
        wants.until(rig_.clock().now() + std::chrono::milliseconds{5});
        done = 0;
        for (const auto& one : all) {
            const auto loaded = one->positions().load();
            ASSERT_TRUE(loaded) << describe(loaded.error());
            if (*loaded) ++done;
            one->wants(wants);
        }
        rig_.wait(wants);
    }
    EXPECT_EQ(cell("SELECT count(*) FROM cdc_registry.schema_version"), "1");
}

TEST_P(PostgresRegistryTest, TheSameTextLeavesWhatIsThereAsItIs) {
    fill();
    rig_.said(registry_statements());
    EXPECT_EQ(cell("SELECT count(*) FROM cdc_registry.file_log"), "1");
    EXPECT_EQ(cell("SELECT max(version) FROM cdc_registry.schema_version"),
              std::to_string(kRegistryVersion));
}

TEST_P(PostgresRegistryTest, OneOfANewerVersionIsLeftAlone) {
    rig_.said("INSERT INTO cdc_registry.schema_version (version) VALUES (1000)");
    const auto registry = rig_.make("shop");
    const auto refused = test::open(rig_, *registry);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, HasSubstr("1000"));
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_EQ(cell("SELECT count(*) FROM cdc_registry.pipeline"), "0");
}

TEST_P(PostgresRegistryTest, PeopleSeeWhatTheTablesAreAt) {
    const auto registry = rig_.make("shop");
    ASSERT_TRUE(test::open(rig_, *registry));
    auto one = seal(0x100, "orders/1/streaming.csv.gz");
    one.folders = {{{"public", "orders"}, "orders"}};
    one.modes = {{{"public", "new"}, TableMode::pending_reload}};
    one.ddl = {{.happened_at = {1'800'000'000'000'001},
                .commit_lsn = Lsn{0xF0},
                .object_type = "table",
                .object = {"public", "orders"},
                .command = "ALTER TABLE",
                .statement = "ALTER TABLE orders ADD note text"},
               {.object_type = "type", .object = {"public", "mood"}, .command = "DROP TYPE"}};
    ASSERT_TRUE(test::commit(rig_, *registry, one));
    EXPECT_EQ(cell("SELECT folder || ' ' || state || ' ' || last_batch || ' ' || last_end_lsn"
                   "  FROM cdc_registry.table_state WHERE table_name = 'orders'"),
              "orders streaming 20261130T174500Z 0/101");
    EXPECT_EQ(cell("SELECT state FROM cdc_registry.table_state WHERE table_name = 'new'"),
              "pending_reload");
    EXPECT_EQ(cell("SELECT seal || ' ' || resume_at FROM cdc_registry.pipeline"), "1 0/100");
    EXPECT_EQ(cell("SELECT seal || ' ' || commit_lsn || ' ' || happened_at || ' ' || command"
                   "  FROM cdc_registry.ddl_history WHERE statement LIKE '% note text'"),
              "1 0/F0 2027-01-15 08:00:00.000001+00 ALTER TABLE");
    EXPECT_EQ(cell("SELECT command FROM cdc_registry.ddl_history WHERE statement IS NULL"),
              "DROP TYPE");
    EXPECT_EQ(cell("SELECT string_agg(what, ', ' ORDER BY id) FROM cdc_registry.audit"),
              "migration, taken over, state of a table");
    EXPECT_EQ(cell("SELECT checksum FROM cdc_registry.file_log"), "crc32c:00000000");
}

TEST_P(PostgresRegistryTest, TextsThatTheDatabaseCannotHoldAreReported) {
    const auto registry = rig_.make("shop");
    ASSERT_TRUE(test::open(rig_, *registry));
    auto one = seal(100, "1");
    one.complete[0].table.name = "\xFF";
    const auto refused = test::commit(rig_, *registry, one);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_THAT(refused.error().hint, HasSubstr("UTF8"));
}

TEST_P(PostgresRegistryTest, ACommitIsDurableWhateverTheRoleHasSet) {
    rig_.said(registry_writer_grants("writer"));
    rig_.said("ALTER ROLE writer SET synchronous_commit = off");
    auto links = rig_.as("writer");
    LosingLinks seen{links};
    PostgresFileRegistry registry{seen, rig_.config("shop", "writer"), rig_.clock(), Logger{}};
    ASSERT_TRUE(test::open(rig_, registry));
    std::vector<std::string> durably;
    seen.on_answer = [&](const Rows& rows) { durably.push_back(Answer{rows}.text("durably")); };
    ASSERT_TRUE(test::commit(rig_, registry, seal(100, "1")));
    ASSERT_TRUE(registry.positions().forget());
    ASSERT_TRUE(test::saved(rig_, registry.positions()));
    EXPECT_EQ(durably, (std::vector<std::string>{"on", "on"}));
}

// As `pg-capture adopt` and `position` use it.
TEST_P(PostgresRegistryTest, PositionsAreSavedWithoutASink) {
    const std::string& user = GetParam().server.user;
    auto links = rig_.as(user);
    RegistryPositionStore store{links, rig_.config("shop", user), rig_.clock()};
    auto loaded = test::load(rig_, store);
    ASSERT_TRUE(loaded && !(*loaded)->position);
    ASSERT_TRUE(store.save(position(100)));
    ASSERT_TRUE(test::saved(rig_, store));
    ASSERT_TRUE(store.save(position(200)));
    ASSERT_TRUE(test::saved(rig_, store));
    const auto sink = rig_.make("shop");
    ASSERT_TRUE(test::open(rig_, *sink));
    EXPECT_EQ((*test::load(rig_, sink->positions()))->position, position(200));

    ASSERT_TRUE(store.save(position(300)));
    const auto overtaken = test::saved(rig_, store);
    ASSERT_FALSE(overtaken);
    EXPECT_EQ(overtaken.error().category, Error::Category::position);
    EXPECT_EQ(overtaken.error().next, Error::Next::retry);
    loaded = test::load(rig_, store);
    ASSERT_TRUE(loaded);
    EXPECT_EQ((*loaded)->position, position(200));
    ASSERT_TRUE(store.save(position(300)));
    ASSERT_TRUE(test::saved(rig_, store));
    EXPECT_FALSE(test::commit(rig_, *sink, seal(400, "1"))) << "it is fenced off";
    EXPECT_EQ((*test::load(rig_, store))->position, position(300));
}

// Where no server is named: tests/file/test_registry.py names them, and counts.
GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(PostgresRegistryTest);
INSTANTIATE_TEST_SUITE_P(Postgres, PostgresRegistryTest, testing::ValuesIn(servers()),
                         [](const auto&) { return std::string{"server"}; });

}  // namespace
}  // namespace pgc
