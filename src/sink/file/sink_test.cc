#include "sink/file/sink.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <string>

#include "base/random.h"
#include "sink/file/simulated_disk.h"
#include "sink/file_registry/simulated_registry.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

class FileSinkTest : public testing::Test {
protected:
    FileSinkTest() {
        auto config = std::make_shared<FileSinkConfig>();
        config->root = "/files";
        config->pipeline = "p";
        config->compression = Compression::none;
        config_ = std::move(config);
        auto type = std::make_shared<Type>();
        type->name = "text";
        auto made = std::make_shared<Relation>();
        made->schema = "public";
        made->name = "t";
        made->columns = {{.name = "v", .type = type}};
        relation_ = made;
        sink_ = make();
    }

    std::unique_ptr<FileSink> make() {
        return std::make_unique<FileSink>(FileSink::Deps{
            .config = config_,
            .disk = disk_,
            .clock = clock_,
            .metrics = metrics_,
            .logger = {},
            .registry = std::make_unique<SimulatedFileRegistry>(server_, "p"),
            .worker = std::make_unique<SimulatedWorker>(clock_, [] { return 1ms; })});
    }
    bool open(FileSink& sink) {
        for (int i = 0; i < 100; ++i) {
            const auto opened = sink.open();
            EXPECT_TRUE(opened) << describe(opened.error());
            if (!opened || *opened) return opened.has_value();
            clock_.advance(10ms);
        }
        return false;
    }
    void write(std::string_view line, Position at, Lane lane = kStreamLane) {
        RecordBatchPtr batch = pool_.get();
        batch->lane = lane;
        batch->end = at;
        batch->relations.push_back(relation_);
        batch->records.push_back({.relation = relation_.get(),
                                  .value = batch->arena.copy(line),
                                  .commit_lsn = at.commit,
                                  .ordinal = at.ordinal});
        ASSERT_EQ(*sink_->offer(batch), Sink::Offer::accepted);
    }
    void begin_seal(Lsn at) {
        ASSERT_TRUE(sink_->seal({.pipeline = "p", .database = "db", .slot = "s", .resume_at = at}));
    }
    void end_seal() {
        for (int i = 0; i < 100; ++i) {
            const auto saved = sink_->positions()->saved();
            ASSERT_TRUE(saved) << describe(saved.error());
            if (*saved) return;
            clock_.advance(10ms);
        }
        FAIL() << "it is never sealed";
    }
    SnapshotTableEnd ended(bool whole) const {
        return {.id = "initial",
                .schema = "public",
                .name = "t",
                .relation = relation_,
                .whole = whole};
    }
    const SimulatedRegistryServer::Pipeline& registered() { return server_.pipeline("p"); }

    RecordPool pool_;
    ManualClock clock_;
    Metrics metrics_{"test"};
    Random random_{1};
    SimulatedDisk disk_;
    SimulatedRegistryServer server_{clock_, random_};
    std::shared_ptr<const FileSinkConfig> config_;
    RelationPtr relation_;
    std::unique_ptr<FileSink> sink_;
};

TEST_F(FileSinkTest, ABatchIsVisibleWithTheSealAfterItsTime) {
    ASSERT_TRUE(open(*sink_));
    write("1", {Lsn{10}, 1});
    begin_seal(Lsn{20});
    end_seal();
    EXPECT_TRUE(registered().complete.empty());
    EXPECT_EQ(registered().open.size(), 1U);
    EXPECT_LE(sink_->seal_at(), clock_.now() + 5min);
    clock_.advance(5min);
    EXPECT_LE(sink_->seal_at(), clock_.now());
    begin_seal(Lsn{30});
    end_seal();
    ASSERT_EQ(registered().complete.size(), 1U);
    const CompleteFile& file = registered().complete[0];
    EXPECT_EQ(disk_.content("/files/" + file.path), "1\n");
    EXPECT_EQ(file.rows, 1U);
    EXPECT_EQ(sink_->seal_at(), kNever) << "nothing is open";
}

// What the seal stores was written before: there the table is not read to its end.
TEST_F(FileSinkTest, ATableThatEndsDuringASealIsPartOfTheNextOne) {
    ASSERT_TRUE(open(*sink_));
    write("1", {Lsn{9}, 1}, kSnapshotLane);
    begin_seal(Lsn{20});
    sink_->table_ended(ended(true));
    end_seal();
    EXPECT_TRUE(registered().complete.empty());
    EXPECT_EQ(registered().open.size(), 1U);
    begin_seal(Lsn{20});
    end_seal();
    ASSERT_EQ(registered().complete.size(), 1U);
    EXPECT_EQ(registered().complete[0].kind, FileKind::full_reload);
}

TEST_F(FileSinkTest, ASnapshotThatIsGivenUpLeavesNoFile) {
    ASSERT_TRUE(open(*sink_));
    write("1", {Lsn{9}, 1}, kSnapshotLane);
    begin_seal(Lsn{20});
    end_seal();
    sink_->table_ended(ended(false));
    begin_seal(Lsn{20});
    end_seal();
    EXPECT_TRUE(registered().complete.empty());
    EXPECT_TRUE(registered().open.empty());
    for (const auto& [path, content] : disk_.tree()) {
        EXPECT_EQ(path.find("full_reload"), std::string::npos) << path;
    }
}

TEST_F(FileSinkTest, ATableWithoutRowsHasAFileAllTheSame) {
    ASSERT_TRUE(open(*sink_));
    sink_->table_ended(ended(true));
    begin_seal(Lsn{20});
    end_seal();
    ASSERT_EQ(registered().complete.size(), 1U);
    EXPECT_EQ(registered().complete[0].rows, 0U);
    EXPECT_EQ(disk_.content("/files/" + registered().complete[0].path), "");
}

// With the position: each step is sealed, or has not happened.
TEST_F(FileSinkTest, WhatATableIsAtIsSealedAndShown) {
    using Of = ReloadChange::Step;
    const ReloadChange ordered{.step = Of::ordered,
                               .id = "s-1",
                               .order = {.by = "request", .at = Lsn{5}},
                               .schema = "public",
                               .name = "t"};
    ASSERT_TRUE(open(*sink_));
    EXPECT_EQ(sink_->seal_at(), kNever);
    sink_->reload_changed(ordered);
    EXPECT_LE(sink_->seal_at(), clock_.now()) << "nobody waits for a row";
    EXPECT_TRUE(sink_->table_modes().empty()) << "not before it is sealed";
    begin_seal(Lsn{20});
    ReloadChange begun = ordered;
    begun.step = Of::begun;
    sink_->reload_changed(begun);
    end_seal();
    EXPECT_EQ(sink_->table_modes(), (TableModeWords{{"public.t", "pending_reload"}}));
    EXPECT_LE(sink_->seal_at(), clock_.now()) << "what came meanwhile is part of the next one";
    begin_seal(Lsn{20});
    end_seal();
    EXPECT_EQ(sink_->table_modes(), (TableModeWords{{"public.t", "reloading"}}));
    EXPECT_EQ(metrics_.gauge(Metric::table_mode, {"public.t"}).value(), 2);

    sink_.reset();  // killed
    sink_ = make();
    ASSERT_TRUE(open(*sink_));
    EXPECT_EQ(sink_->table_modes(), (TableModeWords{{"public.t", "reloading"}}));
    SnapshotTableEnd read = ended(true);
    read.id = "s-1";
    read.as_of = Lsn{9};
    sink_->table_ended(read);
    begin_seal(Lsn{30});
    end_seal();
    EXPECT_TRUE(sink_->table_modes().empty());
    ASSERT_EQ(registered().reloads.size(), 1U);
    EXPECT_EQ(registered().reloads[0].state, ReloadState::complete);
    EXPECT_EQ(registered().reloads[0].end_lsn, Lsn{9}) << "of a table without rows, too";
    ASSERT_EQ(registered().complete.size(), 1U);
    EXPECT_EQ(registered().complete[0].end_lsn, Lsn{9});
}

// Rows that were on their way when their snapshot was cancelled: older than the reload.
TEST_F(FileSinkTest, AReloadBeginsWithoutWhatIsLeftOfAnotherSnapshot) {
    ASSERT_TRUE(open(*sink_));
    sink_->table_ended(ended(false));
    write("old", {Lsn{5}, 1}, kSnapshotLane);
    begin_seal(Lsn{20});
    end_seal();
    ReloadChange begins{.step = ReloadChange::Step::voided,
                        .id = "s-1",
                        .order = {.by = "request", .at = Lsn{5}},
                        .schema = "public",
                        .name = "t"};
    sink_->reload_changed(begins);
    begins.step = ReloadChange::Step::begun;
    sink_->reload_changed(begins);
    write("new", {Lsn{25}, 1}, kSnapshotLane);
    SnapshotTableEnd read = ended(true);
    read.id = "s-1";
    sink_->table_ended(read);
    begin_seal(Lsn{30});
    end_seal();
    ASSERT_EQ(registered().complete.size(), 1U);
    EXPECT_EQ(disk_.content("/files/" + registered().complete[0].path), "new\n");
    EXPECT_EQ(registered().reloads.at(0).rows, 1U);
    EXPECT_TRUE(registered().open.empty());
}

// The stored position was reset, say: all of it comes again.
TEST_F(FileSinkTest, WhatIsHalfReadIsVoidWhereNoSnapshotGoesOn) {
    ASSERT_TRUE(open(*sink_));
    write("old", {Lsn{5}, 1}, kSnapshotLane);
    begin_seal(Lsn{20});
    end_seal();
    ASSERT_EQ(registered().open.size(), 1U);
    sink_->reload_changed({.step = ReloadChange::Step::restored, .half_read = true});
    begin_seal(Lsn{21});
    end_seal();
    EXPECT_EQ(registered().open.size(), 1U);
    sink_->reload_changed({.step = ReloadChange::Step::restored});
    begin_seal(Lsn{22});
    end_seal();
    EXPECT_TRUE(registered().open.empty());
    EXPECT_TRUE(registered().complete.empty());
}

// Its server may be the source's, and wait with its shutdown until all is confirmed.
TEST_F(FileSinkTest, ARegistryThatGoesAwayIsFoundOutAboutAtOnce) {
    ASSERT_TRUE(open(*sink_));
    EXPECT_EQ(sink_->seal_at(), kNever);
    server_.go_away(1min);
    EXPECT_LE(sink_->seal_at(), clock_.now());
    ASSERT_TRUE(sink_->seal({.pipeline = "p", .resume_at = Lsn{20}}));
    Result<bool> saved = false;
    for (int i = 0; i < 100 && saved && !*saved; ++i) {
        clock_.advance(10ms);
        saved = sink_->positions()->saved();
    }
    ASSERT_FALSE(saved);
    EXPECT_EQ(saved.error().next, Error::Next::retry);
}

TEST_F(FileSinkTest, WhatIsWrittenIsShownInMetrics) {
    ASSERT_TRUE(open(*sink_));
    write("1", {Lsn{10}, 1});
    write("2", {Lsn{11}, 1});
    begin_seal(Lsn{20});
    end_seal();
    const auto gauge = [&](Metric metric, Metrics::Labels labels = {}) {
        return metrics_.gauge(metric, labels).value();
    };
    EXPECT_EQ(gauge(Metric::files_open), 1);
    EXPECT_EQ(gauge(Metric::files_pending_rows), 2);
    EXPECT_EQ(gauge(Metric::files_pending_bytes), 4);
    EXPECT_EQ(gauge(Metric::compression_ratio), 1);
    EXPECT_EQ(gauge(Metric::table_pending_changes, {"public.t"}), 2);
    clock_.advance(5min);
    begin_seal(Lsn{30});
    end_seal();
    EXPECT_EQ(gauge(Metric::files_open), 0);
    EXPECT_EQ(gauge(Metric::files_pending_rows), 0);
    EXPECT_EQ(gauge(Metric::table_pending_changes, {"public.t"}), 0);
    EXPECT_EQ(metrics_.histogram(Metric::file_seal_seconds).counts().count(), 2U);
    EXPECT_EQ(metrics_.counter(Metric::files_written_total, {"streaming"}).value(), 1U);
}

TEST_F(FileSinkTest, ADiskThatDoesNotAnswerIsNamed) {
    Duration takes = 1ms;
    sink_ = std::make_unique<FileSink>(
        FileSink::Deps{.config = config_,
                       .disk = disk_,
                       .clock = clock_,
                       .metrics = metrics_,
                       .logger = {},
                       .registry = std::make_unique<SimulatedFileRegistry>(server_, "p"),
                       .worker = std::make_unique<SimulatedWorker>(clock_, [&] { return takes; })});
    ASSERT_TRUE(open(*sink_));
    takes = 20s;
    write("1", {Lsn{10}, 1});
    EXPECT_EQ(sink_->waits_for(), "");
    clock_.advance(7s);
    EXPECT_EQ(sink_->waits_for(), "the disk of /files: no answer for 7 s");
    clock_.advance(20s);
    ASSERT_TRUE(sink_->durable(kStreamLane));
    EXPECT_EQ(sink_->waits_for(), "");
}

TEST_F(FileSinkTest, RetentionBeginsWhenTheRootIsOurs) {
    int begun = 0;
    const auto with_retention = [&] {
        return std::make_unique<FileSink>(
            FileSink::Deps{.config = config_,
                           .disk = disk_,
                           .clock = clock_,
                           .metrics = metrics_,
                           .logger = {},
                           .registry = std::make_unique<SimulatedFileRegistry>(server_, "p"),
                           .worker = std::make_unique<SimulatedWorker>(clock_, [] { return 1ms; }),
                           .start_retention = [&]() -> std::unique_ptr<FileRetention> {
                               ++begun;
                               return nullptr;
                           }});
    };
    ASSERT_TRUE(open(*sink_));
    const auto second = with_retention();
    for (int i = 0; i < 300; ++i) {
        ASSERT_TRUE(second->open());
        clock_.advance(10ms);
    }
    EXPECT_EQ(begun, 0) << "another process has the root";
    sink_.reset();
    clock_.advance(2s);
    ASSERT_TRUE(open(*second));
    EXPECT_EQ(begun, 1);
}

TEST_F(FileSinkTest, ASecondProcessWaitsForTheLock) {
    ASSERT_TRUE(open(*sink_));
    const auto second = make();
    for (int i = 0; i < 300; ++i) {
        const auto opened = second->open();
        ASSERT_TRUE(opened);
        ASSERT_FALSE(*opened);
        clock_.advance(10ms);
    }
    EXPECT_THAT(second->waits_for(), testing::HasSubstr("another process has the lock"));
    sink_.reset();
    clock_.advance(2s);
    EXPECT_TRUE(open(*second));
}

}  // namespace
}  // namespace pgc
