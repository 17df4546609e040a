// What a start finds, and what is closed in which order: cases that chance does not meet often
// (file_set_property_test.cc).
#include "sink/file/file_set.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "core/own_messages.h"
#include "sink/file/simulated_disk.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

// What a registry would have of one pipeline.
struct Registered {
    RegistryContent content;
    std::vector<CompleteFile> complete;

    void commit(const RegistrySeal& seal) {
        ++content.seal;
        for (const OpenFile& open : seal.open) {
            std::erase_if(content.open, [&](const OpenFile& one) { return one.id == open.id; });
            content.open.push_back(open);
            content.last_id = std::max(content.last_id, open.id);
        }
        for (const std::uint64_t id : seal.closed) {
            std::erase_if(content.open, [&](const OpenFile& one) { return one.id == id; });
            content.last_id = std::max(content.last_id, id);
        }
        content.folders.insert(content.folders.end(), seal.folders.begin(), seal.folders.end());
        if (!seal.last_batch.empty()) content.last_batch = seal.last_batch;
        complete.insert(complete.end(), seal.complete.begin(), seal.complete.end());
    }
};

class FileSetTest : public testing::Test {
protected:
    FileSetTest() {
        config_.root = "data";
        config_.pipeline = "shop";
        config_.compression = Compression::none;
        config_.extension = "csv";
        config_.form = "plain";
        config_.heading = [](const Relation& relation) { return relation.columns[0].name; };
    }

    Result<void> start() {
        files_.reset();
        files_ = std::make_unique<FileSet>(config_, disk_, clock_);
        const auto locked = files_->lock();
        if (!locked) return std::unexpected(locked.error());
        return files_->recover(registered_.content);
    }
    void write(const std::string& line, Lsn commit, const std::string& column = "a") {
        RelationPtr& relation = relations_[column];
        if (relation == nullptr) {
            auto type = std::make_shared<Type>();
            type->name = "text";
            Relation made;
            made.schema = "public";
            made.name = "t";
            made.columns = {{.name = column, .type = type}};
            relation = slots_.make(std::move(made));
        }
        RecordBatch batch;
        batch.relations.push_back(relation);
        batch.records.push_back({.relation = relation.get(),
                                 .value = line,
                                 .commit_lsn = commit,
                                 .ordinal = ++ordinal_});
        ASSERT_TRUE(files_->write(batch));
    }
    Result<RegistrySeal> moved(Lsn resume_at, Position within = {}) {
        return files_->seal({.pipeline = "shop", .resume_at = resume_at, .within = within},
                            registered_.content.seal + 1);
    }
    void seal(Lsn resume_at, Position within = {}) {
        const auto done = moved(resume_at, within);
        ASSERT_TRUE(done) << describe(done.error());
        registered_.commit(*done);
        ASSERT_TRUE(files_->sealed());
    }
    std::string content(const CompleteFile& file) const {
        return disk_.content("data/" + file.path).value_or("(none)");
    }

    ManualClock clock_;
    FileSinkConfig config_;
    SimulatedDisk disk_;
    Registered registered_;
    RelationSlots slots_;
    std::map<std::string, RelationPtr> relations_;
    std::uint64_t ordinal_ = 0;
    std::unique_ptr<FileSet> files_;
};

// Every role may send them, for as many names as it likes.
TEST_F(FileSetTest, StatementsOfAllOpenBatchesAreBoundedAsTheyAreWritten) {
    config_.captures = [](const TableId&) { return true; };
    ASSERT_TRUE(start());
    std::string text;
    for (int i = 0; i < 8000; ++i) text += "\\u0001";
    std::size_t bytes = 0;
    for (int round = 0; round < 20; ++round) {
        for (int i = 0; i < 50; ++i) {
            const std::string content = fmt::format(
                R"({{"command":"X","object_type":"table","schema":"s","name":"n{}","statement":"{}"}})",
                (round * 50) + i, text);
            RecordBatch batch;
            batch.messages.push_back({.commit_lsn = Lsn{10},
                                      .ordinal = ++ordinal_,
                                      .committed_at = clock_.wall(),
                                      .transactional = true,
                                      .prefix = kDdlMessages,
                                      .content = content});
            ASSERT_TRUE(files_->write(batch));
        }
        seal(Lsn{20});
    }
    for (const OpenFile& open : registered_.content.open) bytes += open.details.size();
    EXPECT_EQ(registered_.content.open.size(), 1000U) << "each line is there";
    EXPECT_LT(bytes, FileSet::kDdl_open_max + (std::size_t{1} << 20));
    EXPECT_GT(bytes, FileSet::kDdl_open_max / 2) << "as many texts as there is room for";
}

TEST_F(FileSetTest, ARootOfAnotherPipelineIsLeftAsItIs) {
    ASSERT_TRUE(start());
    write("1", Lsn{10});
    seal(Lsn{20});
    clock_.advance(5min);
    seal(Lsn{20});
    write("2", Lsn{30});
    seal(Lsn{40});
    const auto before = disk_.tree();
    const Registered theirs = std::exchange(registered_, {});
    config_.pipeline = "bank";
    const auto refused = start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::position);
    EXPECT_THAT(describe(refused.error()), HasSubstr("shop"));
    EXPECT_EQ(disk_.tree(), before);

    config_.pipeline = "shop";
    registered_ = theirs;
    ASSERT_TRUE(start());
    clock_.advance(5min);
    seal(Lsn{40});
    ASSERT_EQ(registered_.complete.size(), 2U);
    EXPECT_EQ(content(registered_.complete[0]), "a\n1\n");
    EXPECT_EQ(content(registered_.complete[1]), "a\n2\n");
}

TEST_F(FileSetTest, ARootIsAPipelinesBeforeItsFirstSeal) {
    ASSERT_TRUE(start());
    config_.pipeline = "bank";
    EXPECT_FALSE(start());
}

TEST_F(FileSetTest, BesideAnotherRegistryWhatWasCommittedStays) {
    ASSERT_TRUE(start());
    write("1", Lsn{10});
    seal(Lsn{20});
    clock_.advance(5min);
    seal(Lsn{20});
    ASSERT_EQ(registered_.complete.size(), 1U);
    const Registered whole = std::exchange(registered_, {});  // it was begun again
    const auto refused = start();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::position);
    EXPECT_THAT(describe(refused.error()), HasSubstr("closing.json"));
    EXPECT_EQ(content(whole.complete[0]), "a\n1\n");

    ASSERT_TRUE(disk_.remove("data/.pg-capture/closing.json"));
    ASSERT_TRUE(start()) << "as the hint says";
    EXPECT_EQ(content(whole.complete[0]), "a\n1\n");
}

// A seal in its midst closes the part with the old columns before, or with, the one that goes on.
TEST_F(FileSetTest, TheFilesOfATransactionThatChangesTheColumnsAreClosedInTheirOrder) {
    config_.rows_max = 3;
    ASSERT_TRUE(start());
    write("1", Lsn{10});
    write("2", Lsn{20}, "a");
    for (const char* line : {"3", "4", "5"}) write(line, Lsn{20}, "b");
    seal(Lsn{15}, {Lsn{20}, ordinal_});
    for (const char* line : {"6", "7"}) write(line, Lsn{20}, "b");
    seal(Lsn{25});
    clock_.advance(5min);
    seal(Lsn{25});
    std::string lines;
    std::string last;
    for (std::size_t i = 0; i < registered_.complete.size(); ++i) {
        const CompleteFile& file = registered_.complete[i];
        EXPECT_LT(last, file.batch);
        last = file.batch;
        lines += content(file) + "|";
        EXPECT_EQ(file.cut, i + 1 < registered_.complete.size());
    }
    EXPECT_EQ(lines, "a\n1\n2\n|b\n3\n4\n5\n|b\n6\n7\n|");
}

TEST_F(FileSetTest, ATransactionAsLargeAsABatchIsCutThoughItBeginsBehindOtherRows) {
    config_.rows_max = 3;
    ASSERT_TRUE(start());
    write("1", Lsn{10});
    for (const char* line : {"2", "3", "4"}) write(line, Lsn{20});
    seal(Lsn{15}, {Lsn{20}, ordinal_});
    EXPECT_TRUE(registered_.complete.empty()) << "it might have ended there";
    for (const char* line : {"5", "6"}) write(line, Lsn{20});
    seal(Lsn{15}, {Lsn{20}, ordinal_});
    ASSERT_EQ(registered_.complete.size(), 1U);
    EXPECT_EQ(content(registered_.complete[0]), "a\n1\n2\n3\n4\n5\n6\n");
    EXPECT_TRUE(registered_.complete[0].cut);
}

TEST_F(FileSetTest, LinesOfAnotherFormGoIntoAnotherFile) {
    ASSERT_TRUE(start());
    write("1", Lsn{10});
    seal(Lsn{20});
    config_.form = "with quotes";
    ASSERT_TRUE(start());
    write("'2'", Lsn{30});
    seal(Lsn{40});
    ASSERT_EQ(registered_.complete.size(), 1U);
    clock_.advance(5min);
    seal(Lsn{40});
    ASSERT_EQ(registered_.complete.size(), 2U);
    EXPECT_EQ(content(registered_.complete[0]), "a\n1\n");
    EXPECT_EQ(content(registered_.complete[1]), "a\n'2'\n");
    EXPECT_FALSE(registered_.complete[0].cut);
}

}  // namespace
}  // namespace pgc
