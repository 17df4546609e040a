// What sink/file_registry/registry.h promises, asked of every registry.
//
// The one in PostgreSQL is asked when there is a server (support/registry_rig.h):
// tests/file/test_registry.py does so.
//
// A new registry: a line beside kSimulated.
#include <gtest/gtest.h>

#include <algorithm>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <utility>
#include <vector>

#include "sink/file_registry/simulated_registry.h"
#include "support/registry_rig.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

class SimulatedRig final : public test::RegistryRig {
public:
    explicit SimulatedRig(Duration delay_max) { server_.delay_max = delay_max; }

    std::unique_ptr<FileRegistry> make(const std::string& pipeline) override {
        return std::make_unique<SimulatedFileRegistry>(server_, pipeline);
    }
    std::vector<CompleteFile> files(const std::string& pipeline) override {
        return server_.pipeline(pipeline).complete;
    }
    void loses_next_commit(bool arrived) override {
        using Fault = SimulatedRegistryServer::Fault;
        server_.next_commit = arrived ? Fault::lost_after : Fault::lost_before;
    }
    void remove() override { server_.remove(); }
    void may_be_made(bool now) override { server_.may_be_made = now; }
    void wait(const Wants& wants) override {
        ASSERT_NE(wants.deadline, kNever) << "it would wait for ever";
        clock_.advance_to(wants.deadline);
    }

private:
    SimulatedClock clock_;
    Random random_{1};
    SimulatedRegistryServer server_{clock_, random_};
};

struct Kind {
    std::string name;
    std::function<std::unique_ptr<test::RegistryRig>()> make;

    friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

const std::vector<Kind> kSimulated{
    {"simulated", [] { return std::make_unique<SimulatedRig>(Duration{0}); }},
    {"simulated_slow", [] { return std::make_unique<SimulatedRig>(std::chrono::seconds{9}); }},
};

std::vector<Kind> postgres() {
    const auto server = test::registry_server();
    if (!server) return {};
    return {{"server", [server] { return std::make_unique<test::PostgresRegistryRig>(*server); }}};
}

const TableId kOrders{"public", "orders"};
const TableId kHostile{"My \"schema\"", "a'b\\c{d},\n,NULL"};

StoredPosition position(std::uint64_t lsn) {
    return {.pipeline = "shop",
            .system = "7340123456789012345",
            .timeline = 4,
            .database = "shop",
            .slot = "shop_slot",
            .resume_at = Lsn{lsn},
            .within = {Lsn{lsn + 8}, 3},
            .publication = "\x01\xFF bytes",
            .snapshot = "",
            .memory = "memory"};
}

OpenFile open_file(std::uint64_t id, const TableId& table, std::uint64_t bytes) {
    return {.id = id,
            .table = table,
            .kind = FileKind::streaming,
            .bytes = bytes,
            .rows = bytes / 10,
            .crc32c = 0xFEDCBA98U,
            .first_lsn = Lsn{0x1'0000'0010},
            .last_lsn = Lsn{0xFFFF'FFFF'FFFF'FFFFU},
            .opened_at = {1'800'000'000'123'457},
            .details = "{\"schema\":[1,\"\\u00e4\"]}"};
}

CompleteFile complete_file(const TableId& table, const std::string& batch) {
    return {.table = table,
            .kind = FileKind::streaming,
            .batch = batch,
            .path = table.name + "/" + batch + "/streaming.csv.gz",
            .begin_lsn = Lsn{16},
            .end_lsn = Lsn{32},
            .rows = 7,
            .bytes = 5'000'000'000,
            .crc32c = 0x0000'00A1U,
            .has_ddl = true,
            .cut = true,
            .closed_at = {1'800'000'300'000'001}};
}

RegistrySeal seal_at(std::uint64_t lsn) {
    RegistrySeal seal;
    seal.position = position(lsn);
    return seal;
}

class FileRegistryConformanceTest : public testing::TestWithParam<Kind> {
protected:
    Result<std::optional<RegistryContent>> open(FileRegistry& registry) {
        return test::open(*rig_, registry);
    }
    Result<std::optional<PositionStore::Loaded>> load(FileRegistry& registry) {
        return test::load(*rig_, registry.positions());
    }
    Result<bool> saved(FileRegistry& registry) { return test::saved(*rig_, registry.positions()); }
    Result<bool> commit(FileRegistry& registry, const RegistrySeal& seal) {
        return test::commit(*rig_, registry, seal);
    }
    // As the next process finds it.
    RegistryContent content(const std::string& pipeline = "shop") {
        const auto next = rig_->make(pipeline);
        const auto content = open(*next);
        if (!content || !*content) {
            ADD_FAILURE() << (content ? "no answer" : describe(content.error()));
            return {};
        }
        return **content;
    }
    std::unique_ptr<FileRegistry> opened(const std::string& pipeline = "shop") {
        auto registry = rig_->make(pipeline);
        const auto content = open(*registry);
        EXPECT_TRUE(content) << describe(content.error());
        return registry;
    }
    std::optional<StoredPosition> stored(FileRegistry& registry) {
        const auto loaded = load(registry);
        if (!loaded || !*loaded) {
            ADD_FAILURE() << (loaded ? "no answer" : describe(loaded.error()));
            return std::nullopt;
        }
        EXPECT_FALSE((*loaded)->store_is_missing);
        return (*loaded)->position;
    }
    std::optional<StoredPosition> stored() { return stored(*rig_->make("shop")); }

    const std::unique_ptr<test::RegistryRig> rig_ = GetParam().make();
};

TEST_P(FileRegistryConformanceTest, NothingIsThereAtFirst) {
    const auto registry = rig_->make("shop");
    EXPECT_EQ(stored(*registry), std::nullopt);
    const auto content = open(*registry);
    ASSERT_TRUE(content) << describe(content.error());
    EXPECT_EQ(**content, RegistryContent{});
    EXPECT_EQ(stored(*registry), std::nullopt);
    EXPECT_EQ(registry->seal_number(), 0U);
}

TEST_P(FileRegistryConformanceTest, TheNextInstanceFindsAllOfASeal) {
    auto seal = seal_at(100);
    seal.open = {open_file(1, kOrders, 70), open_file(3, kHostile, 90)};
    seal.closed = {2};
    seal.complete = {complete_file(kHostile, "20261130T174500Z")};
    seal.folders = {{kHostile, "hostile"}, {kOrders, "orders"}};
    seal.modes = {{kOrders, TableMode::reloading}};
    seal.last_batch = "20261130T174500Z";
    const auto registry = opened();
    const auto committed = commit(*registry, seal);
    ASSERT_TRUE(committed) << describe(committed.error());
    EXPECT_EQ(registry->seal_number(), 1U);
    EXPECT_EQ(stored(*registry), position(100));
    EXPECT_EQ(stored(), position(100));
    EXPECT_EQ(rig_->files("shop"), seal.complete);
    const RegistryContent expected{.seal = 1,
                                   .open = seal.open,
                                   .folders = seal.folders,
                                   .modes = seal.modes,
                                   .last_batch = "20261130T174500Z",
                                   .last_id = 3};
    EXPECT_EQ(content(), expected);
}

TEST_P(FileRegistryConformanceTest, ASealChangesOnlyWhatItNames) {
    const auto registry = opened();
    auto first = seal_at(100);
    first.open = {open_file(1, kOrders, 70), open_file(2, kHostile, 90)};
    first.folders = {{kOrders, "orders"}, {kHostile, "hostile"}};
    first.modes = {{kOrders, TableMode::pending_reload}, {kHostile, TableMode::reloading}};
    first.last_batch = "1";
    ASSERT_TRUE(commit(*registry, first));
    auto second = seal_at(200);
    second.open = {open_file(2, kHostile, 99)};
    second.closed = {1};
    second.modes = {{kOrders, TableMode::streaming}};
    second.complete = {complete_file(kOrders, "1")};
    ASSERT_TRUE(commit(*registry, second));
    ASSERT_TRUE(commit(*registry, seal_at(300)));
    EXPECT_EQ(registry->seal_number(), 3U);
    EXPECT_EQ(stored(), position(300));
    EXPECT_EQ(rig_->files("shop"), second.complete);
    const auto left = content();
    EXPECT_EQ(left.seal, 3U);
    EXPECT_EQ(left.open, second.open);
    EXPECT_EQ(left.folders.size(), 2U);
    EXPECT_EQ(left.modes,
              (std::vector<std::pair<TableId, TableMode>>{{kHostile, TableMode::reloading}}));
    EXPECT_EQ(left.last_batch, "1");
    EXPECT_EQ(left.last_id, 2U);
}

TEST_P(FileRegistryConformanceTest, AReloadIsFoundUntilItIsOver) {
    const ReloadOperation ordered{.table = kHostile,
                                  .ordered_by = "EXPORT_START reload-0-10",
                                  .requested_at = {1'800'000'000'123'457},
                                  .start_lsn = Lsn{0x1'0000'0010},
                                  .is_new = true};
    ReloadOperation other = ordered;
    other.table = kOrders;
    other.ordered_by = "request s-1";
    other.start_lsn = {};
    RegistrySeal first = seal_at(100);
    first.reloads = {ordered, other};
    const auto registry = opened();
    ASSERT_TRUE(commit(*registry, first));
    ReloadOperation running = ordered;
    running.is_new = false;
    running.state = ReloadState::running;
    running.started_at = {1'800'000'001'000'000};
    ReloadOperation failed = other;
    failed.is_new = false;
    failed.state = ReloadState::failed;
    failed.finished_at = {1'800'000'002'000'000};
    failed.problem = "it's \"gone\"";
    RegistrySeal second = seal_at(200);
    second.reloads = {running, failed};
    ASSERT_TRUE(commit(*registry, second));
    // The table may be ordered again at once.
    ReloadOperation complete = running;
    complete.state = ReloadState::complete;
    complete.finished_at = {1'800'000'003'000'000};
    complete.end_lsn = Lsn{0x2'0000'0000};
    complete.rows = 5'000'000'000;
    ReloadOperation again = other;
    again.ordered_by = "request s-2";
    RegistrySeal third = seal_at(300);
    third.reloads = {complete, again};
    RegistryContent left = content();
    ASSERT_EQ(left.reloads.size(), 1U);
    EXPECT_EQ(left.reloads[0].table, kHostile);
    EXPECT_EQ(left.reloads[0].state, ReloadState::running);
    EXPECT_EQ(left.reloads[0].ordered_by, ordered.ordered_by);
    EXPECT_EQ(left.reloads[0].requested_at, ordered.requested_at);
    EXPECT_EQ(left.reloads[0].start_lsn, ordered.start_lsn);
    const auto next = opened();
    ASSERT_TRUE(commit(*next, third));
    left = content();
    ASSERT_EQ(left.reloads.size(), 1U);
    EXPECT_EQ(left.reloads[0].table, kOrders);
    EXPECT_EQ(left.reloads[0].ordered_by, "request s-2");
    EXPECT_EQ(left.reloads[0].start_lsn, Lsn{});
}

TEST_P(FileRegistryConformanceTest, ALargeSealIsCommittedWhole) {
    auto seal = seal_at(100);
    for (std::uint64_t i = 1; i <= 5'000; ++i) {
        const TableId table{"public", "t" + std::to_string(i)};
        seal.open.push_back(open_file(i, table, i));
        seal.complete.push_back(complete_file(table, "1"));
        seal.folders.emplace_back(table, table.name);
    }
    const auto registry = opened();
    const auto committed = commit(*registry, seal);
    ASSERT_TRUE(committed) << describe(committed.error());
    EXPECT_EQ(rig_->files("shop").size(), 5'000U);
    const auto found = content();
    EXPECT_EQ(found.open, seal.open);
    EXPECT_EQ(found.folders.size(), 5'000U);
}

TEST_P(FileRegistryConformanceTest, WhoHasBeenTakenOverCommitsNothingMore) {
    const auto former = opened();
    ASSERT_TRUE(commit(*former, seal_at(100)));
    const auto next = opened();
    auto seal = seal_at(200);
    seal.complete = {complete_file(kOrders, "1")};
    const auto refused = commit(*former, seal);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::position);
    EXPECT_EQ(refused.error().next, Error::Next::retry);
    EXPECT_FALSE(commit(*former, seal)) << "it gives the Error again";
    EXPECT_FALSE(load(*former));
    EXPECT_EQ(stored(), position(100));
    EXPECT_TRUE(rig_->files("shop").empty());
    EXPECT_TRUE(commit(*next, seal));
    EXPECT_EQ(rig_->files("shop"), seal.complete);
}

TEST_P(FileRegistryConformanceTest, WhatIsSentBeforeItIsTakenOverIsSeenOrNeverCommitted) {
    const auto former = opened();
    auto seal = seal_at(100);
    seal.complete = {complete_file(kOrders, "1")};
    ASSERT_TRUE(former->commit(seal));
    const auto found = content();
    const auto outcome = saved(*former);
    EXPECT_EQ(found.seal, outcome ? 1U : 0U);
    EXPECT_EQ(rig_->files("shop").size(), found.seal);
}

TEST_P(FileRegistryConformanceTest, ACommitThatIsLostBeforeItArrivesChangesNothing) {
    const auto registry = opened();
    ASSERT_TRUE(commit(*registry, seal_at(100)));
    rig_->loses_next_commit(false);
    auto seal = seal_at(200);
    seal.complete = {complete_file(kOrders, "1")};
    const auto lost = commit(*registry, seal);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().next, Error::Next::retry);
    EXPECT_FALSE(registry->commit(seal)) << "it gives the Error again";
    EXPECT_EQ(content().seal, 1U);
    EXPECT_EQ(stored(), position(100));
    EXPECT_TRUE(rig_->files("shop").empty());
}

TEST_P(FileRegistryConformanceTest, ACommitThatIsLostAfterItArrivedIsFoundByTheNext) {
    const auto registry = opened();
    rig_->loses_next_commit(true);
    auto seal = seal_at(200);
    seal.complete = {complete_file(kOrders, "1")};
    const auto lost = commit(*registry, seal);
    ASSERT_FALSE(lost);
    EXPECT_EQ(lost.error().next, Error::Next::retry);
    EXPECT_EQ(content().seal, 1U);
    EXPECT_EQ(stored(), position(200));
    EXPECT_EQ(rig_->files("shop"), seal.complete);
}

TEST_P(FileRegistryConformanceTest, NoPathIsRegisteredTwice) {
    const auto registry = opened();
    auto seal = seal_at(100);
    seal.complete = {complete_file(kOrders, "1")};
    ASSERT_TRUE(commit(*registry, seal));
    seal.position = position(200);
    const auto refused = commit(*registry, seal);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_EQ(stored(), position(100));
    EXPECT_EQ(rig_->files("shop").size(), 1U);
}

TEST_P(FileRegistryConformanceTest, OneFolderIsTwoTablesOnlyInTwoSchemas) {
    const auto registry = opened();
    auto seal = seal_at(100);
    seal.folders = {{{"a", "t"}, "t"}, {{"b", "t"}, "t"}};
    ASSERT_TRUE(commit(*registry, seal));
    seal.position = position(200);
    seal.folders = {{{"a", "u"}, "t"}};
    const auto refused = commit(*registry, seal);
    ASSERT_FALSE(refused);
    EXPECT_THAT(refused.error().what, ::testing::HasSubstr("the folder of another"));
    EXPECT_EQ(stored(), position(100));
}

TEST_P(FileRegistryConformanceTest, ASealThatIsNotSoundIsRefusedUntouched) {
    const auto registry = opened();
    auto seal = seal_at(100);
    seal.open = {open_file(1, kOrders, 70)};
    seal.closed = {1};
    EXPECT_FALSE(registry->commit(seal));
    EXPECT_TRUE(commit(*registry, seal_at(100)));
}

TEST_P(FileRegistryConformanceTest, PipelinesShareARegistryAndNothingInIt) {
    const auto shop = opened();
    const auto bank = opened("bank");
    auto seal = seal_at(100);
    seal.open = {open_file(1, kOrders, 70)};
    seal.complete = {complete_file(kOrders, "1")};
    ASSERT_TRUE(commit(*shop, seal));
    seal.position.pipeline = "bank";
    seal.position.resume_at = Lsn{500};
    ASSERT_TRUE(commit(*bank, seal)) << "the same path in another pipeline";
    EXPECT_EQ(stored(), position(100));
    EXPECT_EQ(content("bank").seal, 1U);
    EXPECT_EQ(rig_->files("bank"), seal.complete);
}

TEST_P(FileRegistryConformanceTest, PositionsAreSealedAndNotSaved) {
    const auto registry = opened();
    const auto refused = registry->positions().save(position(100));
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::internal);
    EXPECT_EQ(stored(), std::nullopt);
}

TEST_P(FileRegistryConformanceTest, NothingIsCommittedBeforeItIsOpen) {
    const auto registry = rig_->make("shop");
    EXPECT_FALSE(registry->commit(seal_at(100)));
    EXPECT_EQ(stored(), std::nullopt);
}

TEST_P(FileRegistryConformanceTest, APositionIsForgotten) {
    const auto running = opened();
    ASSERT_TRUE(commit(*running, seal_at(100)));
    const auto registry = rig_->make("shop");
    ASSERT_TRUE(registry->positions().forget());
    ASSERT_TRUE(saved(*registry));
    EXPECT_EQ(stored(*registry), std::nullopt);
    EXPECT_EQ(stored(), std::nullopt);
    EXPECT_FALSE(commit(*running, seal_at(200))) << "who had it is fenced off";
    EXPECT_EQ(stored(), std::nullopt);
}

TEST_P(FileRegistryConformanceTest, AMissingRegistryIsReportedAndCreated) {
    rig_->remove();
    const auto registry = rig_->make("shop");
    const auto missing = load(*registry);
    ASSERT_TRUE(missing) << describe(missing.error());
    EXPECT_TRUE((*missing)->store_is_missing);
    registry->positions().create();
    EXPECT_EQ(stored(*registry), std::nullopt);
    ASSERT_TRUE(open(*registry));
    EXPECT_TRUE(commit(*registry, seal_at(100)));
    EXPECT_EQ(stored(), position(100));
}

TEST_P(FileRegistryConformanceTest, OneThatIsThereIsLeftAsItIs) {
    ASSERT_TRUE(commit(*opened(), seal_at(100)));
    const auto registry = rig_->make("shop");
    registry->positions().create();
    EXPECT_EQ(stored(*registry), position(100));
}

// As the pipeline does: the sink is open before it is decided whether the store may be created.
TEST_P(FileRegistryConformanceTest, OneThatIsMissingWhenItIsOpenedIsTakenOverWhenItIsCreated) {
    rig_->remove();
    const auto registry = rig_->make("shop");
    const auto found = open(*registry);
    ASSERT_TRUE(found) << describe(found.error());
    EXPECT_TRUE((*found)->missing);
    const auto missing = load(*registry);
    ASSERT_TRUE(missing) << describe(missing.error());
    EXPECT_TRUE((*missing)->store_is_missing) << "it was not made by opening it";
    EXPECT_FALSE(registry->commit(seal_at(100)));
    registry->positions().create();
    EXPECT_EQ(stored(*registry), std::nullopt);
    const auto committed = commit(*registry, seal_at(100));
    ASSERT_TRUE(committed) << describe(committed.error());
    EXPECT_EQ(stored(), position(100));
}

TEST_P(FileRegistryConformanceTest, OneThatAnotherInstanceMadeMeanwhileIsNotTakenFromIt) {
    rig_->remove();
    const auto registry = rig_->make("shop");
    ASSERT_TRUE(open(*registry));
    const auto other = rig_->make("shop");
    other->positions().create();
    ASSERT_TRUE(load(*other));
    ASSERT_TRUE(open(*other));
    ASSERT_TRUE(commit(*other, seal_at(100)));
    const auto refused = load(*registry);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::retry);
    EXPECT_TRUE(commit(*other, seal_at(200)));
}

TEST_P(FileRegistryConformanceTest, WhatWeMayNotMakeSomebodyElseHasToMake) {
    rig_->remove();
    rig_->may_be_made(false);
    const auto registry = rig_->make("shop");
    registry->positions().create();
    const auto refused = load(*registry);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_FALSE(refused.error().hint.empty());
    const auto next = load(*rig_->make("shop"));
    ASSERT_TRUE(next) << describe(next.error());
    EXPECT_TRUE((*next)->store_is_missing);
}

INSTANTIATE_TEST_SUITE_P(Simulated, FileRegistryConformanceTest, testing::ValuesIn(kSimulated),
                         [](const auto& kind) { return kind.param.name; });
INSTANTIATE_TEST_SUITE_P(Postgres, FileRegistryConformanceTest, testing::ValuesIn(postgres()),
                         [](const auto& kind) { return kind.param.name; });

}  // namespace
}  // namespace pgc
