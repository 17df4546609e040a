// On a real disk and with threads: what several lanes compress is in each file once, in order.
#include "sink/file/piece_writer.h"

#include <gtest/gtest.h>
#include <unistd.h>
#include <zlib.h>

#include <array>
#include <cstdlib>
#include <filesystem>
#include <iterator>
#include <memory>
#include <string>
#include <vector>

#include "sink/file/system_disk.h"

namespace pgc {
namespace {

class PieceWriterTest : public testing::Test {
protected:
    PieceWriterTest() {
        std::string pattern =
            (std::filesystem::temp_directory_path() / "pgc-pieces-XXXXXX").string();
        folder_ = ::mkdtemp(pattern.data());
    }
    ~PieceWriterTest() override { std::filesystem::remove_all(folder_); }

    static OpenFile open_file(std::uint64_t id) {
        OpenFile open;
        open.id = id;
        open.table = {"public", "t" + std::to_string(id)};
        return open;
    }
    TableFile& make_file(std::uint64_t id) {
        files_.push_back(std::make_unique<TableFile>(
            open_file(id),
            FileDetails{.name = "streaming.csv.gz", .heading = "heading", .schemas = {}},
            folder_ + "/" + std::to_string(id)));
        written_.emplace_back("heading\n");
        return *files_.back();
    }
    void add(std::size_t file, const std::string& line) {
        files_[file]->add(line, Lsn{10});
        written_[file] += line + "\n";
    }
    // As any reader of gzip has it.
    std::string content(std::size_t file) const {
        const std::string path = files_[file]->folder() + "/" + files_[file]->name();
        const gzFile in = gzopen(path.c_str(), "rb");
        std::string text;
        std::array<char, 65536> chunk;
        for (int got = 0; (got = gzread(in, chunk.data(), std::size(chunk))) > 0;) {
            text.append(chunk.data(), static_cast<std::size_t>(got));
        }
        EXPECT_EQ(gzclose(in), Z_OK) << path;
        return text;
    }
    static std::size_t descriptors() {
        using std::filesystem::directory_iterator;
        return static_cast<std::size_t>(
            std::distance(directory_iterator{"/proc/self/fd"}, directory_iterator{}));
    }

    std::string folder_;
    FileSinkConfig config_;
    SystemDisk disk_;
    ThreadPool pool_{3};
    std::size_t appended_ = 0;
    PieceWriter writer_{config_, disk_, pool_, [this](const TableFile&) { ++appended_; }};
    std::vector<std::unique_ptr<TableFile>> files_;
    std::vector<std::string> written_;
};

TEST_F(PieceWriterTest, PiecesOfOneFileAndOfManyAreAppendedInTheirOrder) {
    for (std::uint64_t id = 1; id <= 5; ++id) make_file(id);
    std::size_t taken = 0;
    for (int i = 0; i < 120'000; ++i) {
        // The first table has half of the rows.
        const std::size_t file = i % 2 == 0 ? 0 : static_cast<std::size_t>(i) % 5;
        add(file, "row " + std::to_string(i) + " of a table with some text in it");
        if (files_[file]->buffered() < PieceWriter::kPiece_bytes) continue;
        ASSERT_TRUE(writer_.take(*files_[file]));
        ++taken;
    }
    ASSERT_GT(taken, 10U);
    for (const auto& file : files_) {
        if (!file->has_piece()) continue;
        ASSERT_TRUE(writer_.take(*file));
    }
    ASSERT_TRUE(writer_.write());
    EXPECT_EQ(appended_, taken + 5);
    for (std::size_t i = 0; i < files_.size(); ++i) {
        EXPECT_EQ(content(i), written_[i]) << i;
        const std::string path = files_[i]->folder() + "/" + files_[i]->name();
        EXPECT_EQ(std::filesystem::file_size(path), files_[i]->state().bytes);
    }
}

TEST_F(PieceWriterTest, HoweverManyFilesThereAreFewDescriptorsAreOpen) {
    const std::size_t before = descriptors();
    const std::size_t many = 3 * PieceWriter::kDescriptors_max;
    for (std::uint64_t id = 1; id <= many; ++id) make_file(id);
    for (int round = 0; round < 3; ++round) {
        for (std::size_t i = 0; i < many; ++i) {
            add(i, "round " + std::to_string(round));
            ASSERT_TRUE(writer_.take(*files_[i]));
        }
        ASSERT_TRUE(writer_.write());
        EXPECT_LE(descriptors(), before + PieceWriter::kDescriptors_max + 1);
        for (const auto& file : files_) ASSERT_TRUE(file->sync(disk_));
        EXPECT_LE(descriptors(), before + PieceWriter::kDescriptors_max + 1);
    }
    for (std::size_t i = 0; i < many; ++i) ASSERT_EQ(content(i), written_[i]) << i;
}

TEST_F(PieceWriterTest, AFileThatEndedWithoutARowIsOneOfGzipAllTheSame) {
    TableFile& file = make_file(1);
    ASSERT_TRUE(writer_.take(file));
    ASSERT_TRUE(writer_.write());
    TableFile empty{open_file(2),
                    FileDetails{.name = "full_reload.jsonl.gz", .heading = {}, .schemas = {}},
                    folder_ + "/2"};
    EXPECT_FALSE(empty.has_piece());
    empty.ended = true;
    ASSERT_TRUE(empty.has_piece());
    ASSERT_TRUE(writer_.take(empty));
    ASSERT_TRUE(writer_.write());
    EXPECT_FALSE(empty.has_piece()) << "once";
    EXPECT_GT(empty.state().bytes, 0U);
    EXPECT_EQ(content(0), "heading\n");
}

}  // namespace
}  // namespace pgc
