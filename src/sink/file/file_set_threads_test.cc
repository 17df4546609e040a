// On a real disk, with threads that compress and sync: each table's rows are in its batches once,
// in order, and a batch is whole when the seal is made.
#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sink/file/disk_error.h"
#include "sink/file/file_set.h"
#include "sink/file/system_disk.h"
#include "support/simulated_time.h"

namespace pgc {
namespace {

class FileSetThreadsTest : public testing::Test {
protected:
    static constexpr std::size_t kTables = 30;

    FileSetThreadsTest() {
        std::string pattern = (std::filesystem::temp_directory_path() / "pgc-set-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
        clock_.advance(std::chrono::hours{24 * 365});
        config_.root = folder_ + "/files";
        config_.pipeline = "p";
        config_.extension = "csv";
        config_.heading = [](const Relation&) { return std::string{"v"}; };
        auto type = std::make_shared<Type>();
        type->name = "text";
        for (std::size_t i = 0; i < kTables; ++i) {
            Relation made;
            made.schema = "public";
            made.name = "t" + std::to_string(i);
            made.columns = {{.name = "v", .type = type}};
            relations_.push_back(slots_.make(std::move(made)));
        }
        files_ = std::make_unique<FileSet>(config_, disk_, clock_, std::make_unique<ThreadPool>(4));
    }
    ~FileSetThreadsTest() override {
        files_.reset();
        std::filesystem::remove_all(folder_);
    }

    // One row of each table and many of the first.
    void write(std::uint64_t commit) {
        std::vector<std::pair<std::size_t, std::string>> rows;
        for (std::size_t i = 0; i < kTables; ++i) rows.emplace_back(i, line(commit, i));
        for (std::size_t i = 0; i < 200; ++i) rows.emplace_back(0, line(commit, 1000 + i));
        RecordBatch batch;
        for (const auto& [table, text] : rows) {
            if (batch.relations.empty() || batch.relations.back() != relations_[table]) {
                batch.relations.push_back(relations_[table]);
            }
            batch.records.push_back({.relation = relations_[table].get(),
                                     .value = text,
                                     .commit_lsn = Lsn{commit},
                                     .ordinal = 1});
            written_[relations_[table]->name] += text + "\n";
        }
        ASSERT_TRUE(files_->write(batch));
    }
    static std::string line(std::uint64_t commit, std::size_t number) {
        return std::to_string(commit) + "," + std::to_string(number) +
               ",a row with so much text that pieces of it are full now and then";
    }
    void seal(std::uint64_t number, Lsn at) {
        StoredPosition position{.pipeline = "p", .resume_at = at};
        auto seal = files_->seal(position, number);
        ASSERT_TRUE(seal) << describe(seal.error());
        for (const CompleteFile& file : seal->complete) {
            const std::string path = config_.root + "/" + file.path;
            EXPECT_EQ(std::filesystem::file_size(path), file.bytes) << path;
            EXPECT_TRUE(std::filesystem::exists(parent_folder(path) + "/manifest.json")) << path;
            const std::string text = content(path);
            ASSERT_TRUE(text.starts_with("v\n")) << path;
            loaded_[file.table.name] += text.substr(2);
        }
        ASSERT_TRUE(files_->sealed());
    }
    static std::string content(const std::string& path) {
        const gzFile in = gzopen(path.c_str(), "rb");
        std::string text;
        std::array<char, 65536> chunk;
        for (int got = 0; (got = gzread(in, chunk.data(), std::size(chunk))) > 0;) {
            text.append(chunk.data(), static_cast<std::size_t>(got));
        }
        EXPECT_EQ(gzclose(in), Z_OK) << path;
        return text;
    }

    std::string folder_;
    FileSinkConfig config_;
    SimulatedClock clock_;
    SystemDisk disk_;
    RelationSlots slots_;
    std::vector<RelationPtr> relations_;
    std::unique_ptr<FileSet> files_;
    std::map<std::string, std::string> written_;
    std::map<std::string, std::string> loaded_;
};

TEST_F(FileSetThreadsTest, RowsAreInBatchesOnceAndInOrder) {
    ASSERT_TRUE(*files_->lock());
    ASSERT_TRUE(files_->recover({}));
    std::uint64_t commit = 10;
    for (std::uint64_t number = 1; number <= 6; ++number) {
        for (int i = 0; i < 40; ++i) write(commit += 10);
        if (number % 2 == 0) clock_.advance(std::chrono::minutes{6});
        seal(number, Lsn{commit + 1});
    }
    EXPECT_EQ(loaded_.size(), kTables);
    EXPECT_EQ(loaded_, written_);
}

}  // namespace
}  // namespace pgc
