// The index of files in PostgreSQL: what is shown, proven and removed. Only with a server, as
// file_registry_test.cc.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "sink/file_registry/postgres_file_index.h"
#include "support/registry_rig.h"

namespace pgc {
namespace {

using test::PostgresRegistryRig;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

struct Server {
    test::RegistryServer server;
    friend void PrintTo(const Server& one, std::ostream* out) { *out << one.server.port; }
};

std::vector<Server> servers() {
    const auto server = test::registry_server();
    return server ? std::vector<Server>{{*server}} : std::vector<Server>{};
}

class FileIndexTest : public testing::TestWithParam<Server> {
protected:
    FileIndexTest() : index_(of(GetParam().server.user)) {}

    std::unique_ptr<PostgresFileIndex> of(const std::string& role) {
        return std::make_unique<PostgresFileIndex>(
            std::unique_ptr<LinkFactory>{new LibpqLinkFactory(rig_.as(role))},
            rig_.config("shop", role), rig_.clock(), waiter_, PostgresFileIndex::Interrupt{});
    }
    static CompleteFile file(const char* table, int number, FileKind kind = FileKind::streaming) {
        const std::string batch = "2026113" + std::to_string(number) + "T000000Z";
        const auto lsn = static_cast<std::uint64_t>(number);
        return {.table = {"public", table},
                .kind = kind,
                .batch = batch,
                .path = std::string{table} + "/" + batch + "/" +
                        std::string{kFileKinds.word(kind)} + ".csv",
                .begin_lsn = Lsn{lsn},
                .end_lsn = Lsn{lsn + 1},
                .rows = 3,
                .bytes = 100,
                .crc32c = 0xDEADBEEF,
                .closed_at = {1'796'000'000'000'001 + number * 1'000'000}};
    }
    // Five batches of two tables, of which one has two files; and one that is being written.
    void fill() {
        const auto registry = rig_.make("shop");
        ASSERT_TRUE(test::open(rig_, *registry));
        RegistrySeal seal;
        seal.position = {.pipeline = "shop",
                         .system = "77",
                         .timeline = 1,
                         .database = "shop",
                         .slot = "shop_slot",
                         .resume_at = Lsn{0xABC}};
        for (int i = 1; i <= 3; ++i) seal.complete.push_back(file("orders", i));
        seal.complete.push_back(file("orders", 2, FileKind::full_reload));
        for (int i = 1; i <= 2; ++i) seal.complete.push_back(file("odd\"'\\ name", i));
        seal.open = {{.id = 7,
                      .table = {"public", "orders"},
                      .bytes = 5,
                      .rows = 1,
                      .crc32c = 1,
                      .first_lsn = Lsn{1},
                      .last_lsn = Lsn{2},
                      .opened_at = {1'796'000'000'000'000},
                      .details = "{}"}};
        const auto committed = test::commit(rig_, *registry, seal);
        ASSERT_TRUE(committed) << describe(committed.error());
        open_ = seal.open;
    }
    std::vector<std::string> folders(const RetentionRule& rule, std::size_t most = 100) {
        const auto batches = index_->removable(rule, most);
        EXPECT_TRUE(batches) << describe(batches.error());
        std::vector<std::string> found;
        for (const OldBatch& one : batches ? *batches : std::vector<OldBatch>{}) {
            found.push_back(one.folder);
        }
        return found;
    }
    std::string cell(const std::string& sql) {
        const Rows rows = rig_.said(sql);
        if (rows.rows.size() != 1) return std::to_string(rows.rows.size()) + " rows";
        return rows.rows[0][0].value_or("NULL");
    }

    PostgresRegistryRig rig_{GetParam().server};
    PollWaiter waiter_{rig_.clock()};
    std::unique_ptr<PostgresFileIndex> index_;
    std::vector<OpenFile> open_;
};

TEST_P(FileIndexTest, WhatIsRegisteredIsReadBackPageByPage) {
    fill();
    const auto state = index_->state();
    ASSERT_TRUE(state) << describe(state.error());
    EXPECT_EQ(state->seal, 1U);
    EXPECT_EQ(state->resume_at, Lsn{0xABC});
    EXPECT_EQ(state->open, open_);
    const auto first = index_->files(0, 4);
    ASSERT_TRUE(first) << describe(first.error());
    ASSERT_EQ(first->size(), 4U);
    EXPECT_EQ((*first)[0].file, file("orders", 1));
    EXPECT_EQ((*first)[3].file, file("orders", 2, FileKind::full_reload));
    EXPECT_FALSE((*first)[0].loaded);
    EXPECT_EQ((*first)[0].loaded_at, std::nullopt);
    const auto rest = index_->files(first->back().id, 4);
    ASSERT_TRUE(rest);
    EXPECT_EQ(rest->size(), 2U);
    EXPECT_EQ(index_->files(rest->back().id, 4)->size(), 0U);
}

TEST_P(FileIndexTest, ARegistryThatIsNotThereOrIsNewerIsSaidToBe) {
    rig_.said("INSERT INTO cdc_registry.schema_version (version) VALUES (1000)");
    const auto newer = index_->state();
    ASSERT_FALSE(newer);
    EXPECT_THAT(newer.error().what, HasSubstr("1000"));
    rig_.remove();
    const auto missing = index_->state();
    ASSERT_FALSE(missing);
    EXPECT_EQ(missing.error().category, Error::Category::position);
    EXPECT_THAT(missing.error().where, HasSubstr("cdc_registry"));
}

TEST_P(FileIndexTest, ARuleChoosesBatches) {
    fill();
    EXPECT_THAT(folders({.keep = 1}),
                ElementsAre("odd\"'\\ name/20261131T000000Z", "orders/20261131T000000Z",
                            "orders/20261132T000000Z"));
    EXPECT_THAT(folders({.keep = 1}, 1), ElementsAre("odd\"'\\ name/20261131T000000Z"));
    EXPECT_THAT(folders({.keep = 9}), IsEmpty());
    const WallTime second = file("orders", 2).closed_at;
    EXPECT_THAT(folders({.closed_before = second}),
                ElementsAre("odd\"'\\ name/20261131T000000Z", "orders/20261131T000000Z"));
    EXPECT_THAT(folders({.closed_before = second, .tables = {*NamePattern::parse("*.ord*", 2)}}),
                ElementsAre("orders/20261131T000000Z"));
    EXPECT_THAT(folders({.only_loaded = true}), IsEmpty());
    // Of a batch with two files one alone does not count.
    rig_.said(
        "UPDATE cdc_registry.file_log SET loaded = true WHERE type = 'streaming'"
        " AND table_name = 'orders'");
    EXPECT_THAT(folders({.only_loaded = true}),
                ElementsAre("orders/20261131T000000Z", "orders/20261133T000000Z"));
    EXPECT_THAT(folders({.keep = 1, .only_loaded = true}), ElementsAre("orders/20261131T000000Z"));
}

TEST_P(FileIndexTest, ABatchIsAddedUpFromItsFiles) {
    fill();
    const auto batches =
        index_->removable({.keep = 1, .tables = {*NamePattern::parse("public.orders", 2)}}, 10);
    ASSERT_TRUE(batches);
    ASSERT_EQ(batches->size(), 2U);
    const OldBatch& second = (*batches)[1];
    EXPECT_THAT(second.paths, ElementsAre("orders/20261132T000000Z/full_reload.csv",
                                          "orders/20261132T000000Z/streaming.csv"));
    EXPECT_EQ(second.rows, 6U);
    EXPECT_EQ(second.bytes, 200U);
    EXPECT_EQ(second.closed_at, file("orders", 2).closed_at);
    EXPECT_EQ(second.batch, "20261132T000000Z");
}

TEST_P(FileIndexTest, WhatIsRemovedIsNotedAndGone) {
    fill();
    const std::string odd = file("odd\"'\\ name", 1).path;
    const std::string first = file("orders", 1).path;
    rig_.said("UPDATE cdc_registry.file_log SET loaded = true WHERE table_name = 'orders'");
    ASSERT_TRUE(index_->remove({first, odd, "none"}, true, "a rule"));
    EXPECT_THAT(*index_->registered({odd, first, "none"}), ElementsAre(odd)) << "it is not loaded";
    ASSERT_TRUE(index_->remove({odd}, false, "another"));
    EXPECT_THAT(*index_->registered({odd, first}), IsEmpty());
    EXPECT_EQ(cell("SELECT string_agg(pipeline || ' ' || details, ', ' ORDER BY id) FROM "
                   "cdc_registry.audit WHERE what = 'files removed'"),
              "shop 1 files, 100 bytes: a rule, shop 1 files, 100 bytes: another");
    ASSERT_TRUE(index_->remove({odd}, false, "nothing"));
    EXPECT_EQ(cell("SELECT count(*) FROM cdc_registry.audit WHERE what = 'files removed'"), "2");
    EXPECT_EQ(cell("SELECT count(*) FROM cdc_registry.file_log"), "4");
}

TEST_P(FileIndexTest, ALoaderMayLookAndAWriterMayRemove) {
    for (const char* role : {"writer", "loader"}) {
        rig_.said(std::string{"DO $$ BEGIN IF EXISTS (SELECT FROM pg_roles WHERE rolname = '"} +
                  role + "') THEN DROP OWNED BY " + role + "; DROP ROLE " + role +
                  "; END IF; CREATE ROLE " + role + " LOGIN; END $$");
    }
    fill();
    rig_.said(registry_loader_grants("loader"));
    rig_.said(registry_writer_grants("writer"));
    const std::string path = file("orders", 1).path;
    const auto loader = of("loader");
    const auto state = loader->state();
    EXPECT_TRUE(state) << describe(state.error());
    EXPECT_TRUE(loader->files(0, 10));
    EXPECT_THAT(*loader->registered({path}), ElementsAre(path));
    const auto refused = loader->remove({path}, false, "");
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::permission);
    const auto removed = of("writer")->remove({path}, false, "");
    EXPECT_TRUE(removed) << describe(removed.error());
    EXPECT_THAT(*loader->registered({path}), IsEmpty());
}

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FileIndexTest);
INSTANTIATE_TEST_SUITE_P(Postgres, FileIndexTest, testing::ValuesIn(servers()),
                         [](const auto&) { return std::string{"server"}; });

}  // namespace
}  // namespace pgc
