#include "sink/file/verifier.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cerrno>
#include <functional>
#include <string>
#include <vector>

#include "base/crc32c.h"
#include "sink/file/closing.h"
#include "sink/file/compressor.h"
#include "sink/file/contents.h"
#include "sink/file/layout.h"
#include "sink/file/simulated_disk.h"
#include "support/fake_file_index.h"

namespace pgc {
namespace {

using Kind = FileDifference::Kind;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr const char* kVerified = "/files";

class FileVerifierTest : public testing::Test {
protected:
    FileVerifierTest() {
        EXPECT_TRUE(disk_.make_folder(hidden_folder(kVerified)));
        put("orders", 1);
        put("orders", 2);
        put("users", 1);
        index_.now = {.seal = 7, .resume_at = Lsn{100}, .open = {}};
        checkpoint(7, 100);
    }

    static std::string path(const std::string& below) {
        return std::string{kVerified} + "/" + below;
    }

    // A batch that is what it is said to be, registered or not.
    CompleteFile put(const std::string& table, int number, bool registers = true) {
        const std::string batch = "2026113" + std::to_string(number) + "T000000Z";
        std::string bytes;
        const auto compressor = make_compressor(Compression::gzip, 0);
        compressor->compress("_op,v\nINSERT,\"1\n", bytes);
        compressor->compress("\"\nINSERT,2\n", bytes);
        CompleteFile file{.table = {"public", table},
                          .batch = batch,
                          .path = table + "/" + batch + "/streaming.csv.gz",
                          .begin_lsn = Lsn{1},
                          .end_lsn = Lsn{2},
                          .rows = 2,
                          .bytes = bytes.size(),
                          .crc32c = crc32c(0, bytes),
                          .closed_at = {number}};
        const std::string folder = path(table + "/" + batch);
        EXPECT_TRUE(disk_.make_folder(folder));
        EXPECT_TRUE(disk_.replace(folder + "/streaming.csv.gz", bytes));
        EXPECT_TRUE(disk_.replace(folder + "/schema.yml", "x"));
        EXPECT_TRUE(disk_.replace(folder + "/manifest.json",
                                  manifest_text(&file, nullptr, {.pipeline = "shop"})));
        if (registers) index_.add(file);
        return file;
    }
    void checkpoint(std::uint64_t seal, std::uint64_t complete, const char* pipeline = "shop") {
        EXPECT_TRUE(
            disk_.replace(path("checkpoint.json"), checkpoint_text({.pipeline = pipeline,
                                                                    .seal = seal,
                                                                    .complete = Lsn{complete},
                                                                    .written_at = {}})));
    }
    OpenFile open_file(std::uint64_t id, const std::string& bytes) {
        const std::string folder = open_file_folder(kVerified, id);
        EXPECT_TRUE(disk_.make_folder(folder));
        EXPECT_TRUE(disk_.replace(folder + "/streaming.csv.gz", bytes));
        return {
            .id = id,
            .table = {"public", "orders"},
            .bytes = bytes.size(),
            .crc32c = crc32c(0, bytes),
            .first_lsn = {},
            .last_lsn = {},
            .opened_at = {},
            .details = write_details({.name = "streaming.csv.gz", .heading = {}, .schemas = {}})};
    }

    VerifyReport verify(FileVerifier::Options options = {}) {
        FileVerifier verifier{kVerified, "shop", index_, disk_, std::move(options)};
        auto report = verifier.verify();
        EXPECT_TRUE(report) << describe(report.error());
        return report ? std::move(*report) : VerifyReport{};
    }
    // "kind path" of each.
    std::vector<std::string> differences(FileVerifier::Options options = {}) {
        std::vector<std::string> found;
        for (const FileDifference& one : verify(std::move(options)).differences) {
            found.push_back(std::string{kFileDifferences.word(one.kind)} + " " + one.path);
            EXPECT_FALSE(one.what.empty());
        }
        return found;
    }
    void rewrite(const std::string& below, const std::string& bytes) {
        ASSERT_TRUE(disk_.replace(path(below), bytes));
    }
    std::string content(const std::string& below) { return *disk_.content(path(below)); }

    SimulatedDisk disk_;
    FakeFileIndex index_;
    const std::string first_ = "orders/20261131T000000Z/streaming.csv.gz";
};

TEST_F(FileVerifierTest, WhatIsAsRegisteredIsCounted) {
    std::size_t steps = 0;
    const VerifyReport report = verify({.tables = {}, .progress = [&](const auto&) { ++steps; }});
    EXPECT_THAT(report.differences, IsEmpty());
    EXPECT_EQ(report.files, 3U);
    EXPECT_EQ(report.rows, 6U);
    EXPECT_EQ(steps, 3U);
}

TEST_F(FileVerifierTest, AFileThatIsGoneIsMissing) {
    ASSERT_TRUE(disk_.remove(path(first_)));
    EXPECT_THAT(differences(), ElementsAre("missing " + first_));
    EXPECT_THAT(differences({.content = false, .tables = {}, .progress = {}}),
                ElementsAre("missing " + first_));
}

TEST_F(FileVerifierTest, WhatBelongsToABatchIsMissedToo) {
    ASSERT_TRUE(disk_.remove(path("users/20261131T000000Z/manifest.json")));
    ASSERT_TRUE(disk_.remove(path("orders/20261132T000000Z/schema.yml")));
    EXPECT_THAT(differences(), ElementsAre("missing orders/20261132T000000Z/streaming.csv.gz",
                                           "missing users/20261131T000000Z/streaming.csv.gz"));
}

TEST_F(FileVerifierTest, AnotherLengthIsSeenWithoutReading) {
    rewrite(first_, content(first_) + "x");
    EXPECT_THAT(differences({.content = false, .tables = {}, .progress = {}}),
                ElementsAre("size " + first_));
}

TEST_F(FileVerifierTest, AFlippedBitChangesTheChecksumAndMoreThanThat) {
    std::string bytes = content(first_);
    bytes[bytes.size() - 5] ^= 1;  // of the checksum in the last member
    rewrite(first_, bytes);
    EXPECT_THAT(differences({.content = false, .tables = {}, .progress = {}}), IsEmpty());
    EXPECT_THAT(differences(), ElementsAre("checksum " + first_, "content " + first_));
}

TEST_F(FileVerifierTest, RowsAreCounted) {
    index_.rows[0].file.rows = 3;
    EXPECT_THAT(differences(), ElementsAre("rows " + first_, "manifest " + first_));
}

TEST_F(FileVerifierTest, AManifestMayHaveAnAddressBeforeThePath) {
    rewrite("orders/20261131T000000Z/manifest.json",
            manifest_text(&index_.rows[0].file, nullptr,
                          {.pipeline = "shop", .url = "s3://warehouse/", .seal = 7}));
    EXPECT_THAT(differences(), testing::IsEmpty());
}

TEST_F(FileVerifierTest, AManifestOfSomethingElseIsNamed) {
    const CompleteFile other = put("orders", 3, false);
    index_.add(other);
    rewrite("orders/20261133T000000Z/manifest.json",
            manifest_text(&index_.rows[0].file, nullptr, {.pipeline = "shop"}));
    rewrite("users/20261131T000000Z/manifest.json", "{");
    EXPECT_THAT(differences(), ElementsAre("manifest users/20261131T000000Z/streaming.csv.gz",
                                           "manifest orders/20261133T000000Z/streaming.csv.gz"));
}

TEST_F(FileVerifierTest, AFolderThatNobodyRegisteredIsNamed) {
    put("orders", 9, false);
    put("deleted", 1, false);
    ASSERT_TRUE(disk_.make_folder(path("lost+found")));
    rewrite("orders/notes.txt", "a loader's own");
    EXPECT_THAT(differences(), ElementsAre("unregistered deleted/20261131T000000Z",
                                           "unregistered orders/20261139T000000Z"));
}

TEST_F(FileVerifierTest, AFolderThatIsBeingMovedIsNoStranger) {
    put("orders", 9, false);
    const Closing closing{
        .seal = 8, .moves = {{.from = ".pg-capture/open/1", .to = "orders/20261139T000000Z"}}};
    rewrite(".pg-capture/closing.json", write_closing(closing));
    const VerifyReport report = verify();
    EXPECT_THAT(report.differences, IsEmpty());
    EXPECT_THAT(report.under_way, ElementsAre("orders/20261139T000000Z"));
    index_.now.seal = 8;  // committed, and it is not in it
    EXPECT_THAT(differences(), ElementsAre("unregistered orders/20261139T000000Z"));
}

TEST_F(FileVerifierTest, AFolderThatIsBeingRemovedIsNoStranger) {
    put("orders", 9, false);
    rewrite(".pg-capture/removing.json",
            R"({"folders":[{"folder":"orders/20261139T000000Z","paths":[]}]})");
    EXPECT_THAT(differences(), IsEmpty());
}

TEST_F(FileVerifierTest, WhatIsRegisteredOrRemovedMeanwhileIsNoDifference) {
    const CompleteFile late = put("orders", 9, false);
    ASSERT_TRUE(disk_.remove(path(first_)));
    int steps = 0;
    index_.step = [&] {
        // After the page was read: another process removes the one, and registers the other.
        if (++steps != 3) return;
        std::erase_if(index_.rows, [&](const auto& one) { return one.file.path == first_; });
        index_.add(late);
    };
    EXPECT_THAT(differences(), IsEmpty());
    EXPECT_GT(steps, 3);
}

TEST_F(FileVerifierTest, AnOpenFileHasWhatIsCertainAtLeast) {
    index_.now.open = {open_file(1, "certain"), open_file(2, "certain"), open_file(3, "certain"),
                       open_file(4, "certain")};
    rewrite(".pg-capture/open/1/streaming.csv.gz", "certain, and more");
    rewrite(".pg-capture/open/2/streaming.csv.gz", "cert");
    rewrite(".pg-capture/open/3/streaming.csv.gz", "CERTAIN");
    ASSERT_TRUE(disk_.remove(path(".pg-capture/open/4")));
    EXPECT_THAT(differences(),
                ElementsAre("open_file .pg-capture/open/2", "open_file .pg-capture/open/3",
                            "open_file .pg-capture/open/4"));
    EXPECT_THAT(differences({.content = false, .tables = {}, .progress = {}}),
                ElementsAre("open_file .pg-capture/open/2", "open_file .pg-capture/open/4"));
}

TEST_F(FileVerifierTest, TheCheckpointSaysNoMoreThanTheRegistry) {
    for (const auto& spoil : std::vector<std::function<void()>>{
             [&] { checkpoint(8, 100); }, [&] { checkpoint(7, 101); },
             [&] { checkpoint(7, 100, "bank"); }, [&] { rewrite("checkpoint.json", "{}"); },
             [&] { ASSERT_TRUE(disk_.remove(path("checkpoint.json"))); }}) {
        spoil();
        EXPECT_THAT(differences(), ElementsAre("checkpoint checkpoint.json"));
    }
    checkpoint(6, 90);
    EXPECT_THAT(differences(), IsEmpty()) << "the process died before it wrote the next one";
}

TEST_F(FileVerifierTest, SomeTablesAloneCanBeAskedFor) {
    put("strange", 1, false);
    ASSERT_TRUE(disk_.remove(path(first_)));
    const auto only = [&](const char* pattern) {
        return differences({.tables = {*NamePattern::parse(pattern, 2)}, .progress = {}});
    };
    EXPECT_THAT(only("public.users"), IsEmpty());
    EXPECT_THAT(only("public.ord*"), ElementsAre("missing " + first_));
}

TEST_F(FileVerifierTest, APathOutOfTheRootIsNotFollowed) {
    index_.rows[0].file.path = "../secret";
    const VerifyReport report = verify({.tables = {*NamePattern::parse("*.orders", 2)}});
    ASSERT_EQ(report.differences.size(), 1U);
    EXPECT_THAT(report.differences[0].what, HasSubstr("out of the root"));
}

TEST_F(FileVerifierTest, OursAmongTheUnregisteredAreThoseWithOurManifest) {
    put("orders", 9, false);
    put("bank", 1, false);
    const CompleteFile of_bank{.batch = "20261131T000000Z"};
    rewrite("bank/20261131T000000Z/manifest.json",
            manifest_text(&of_bank, nullptr, {.pipeline = "bank"}));
    FileVerifier verifier{kVerified, "shop", index_, disk_, {}};
    EXPECT_THAT(*verifier.unregistered(true), ElementsAre("orders/20261139T000000Z"));
    EXPECT_EQ(verifier.unregistered(false)->size(), 2U);
}

TEST_F(FileVerifierTest, ADiskThatFailsIsAnErrorAndNoFinding) {
    disk_.fail_next(DiskCall::size, EIO);
    FileVerifier verifier{
        kVerified, "shop", index_, disk_, {.tables = {*NamePattern::parse("*.*", 2)}}};
    const auto report = verifier.verify();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().category, Error::Category::storage);
}

}  // namespace
}  // namespace pgc
