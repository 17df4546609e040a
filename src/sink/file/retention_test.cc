#include "sink/file/retention.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sink/file/layout.h"
#include "sink/file/simulated_disk.h"
#include "support/eventually.h"
#include "support/fake_file_index.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;

constexpr const char* kRetained = "/files";

// A disk and an index that the test looks at while the thread uses them.
struct Shared {
    std::mutex mutex;
    SimulatedDisk disk;
    FakeFileIndex index;
};

// The index of the thread: one call at a time beside the test.
class LockedIndex final : public FileIndex {
public:
    explicit LockedIndex(Shared& shared) : shared_(shared) {}
    template <typename Call>
    auto with(Call call) {
        const std::lock_guard lock(shared_.mutex);
        return call(shared_.index);
    }
    Result<IndexState> state() override {
        return with([](FakeFileIndex& index) { return index.state(); });
    }
    Result<std::vector<IndexedFile>> files(std::uint64_t after, std::size_t most) override {
        return with([&](FakeFileIndex& index) { return index.files(after, most); });
    }
    Result<std::vector<std::string>> registered(const std::vector<std::string>& paths) override {
        return with([&](FakeFileIndex& index) { return index.registered(paths); });
    }
    Result<std::vector<OldBatch>> removable(const RetentionRule& rule, std::size_t most) override {
        return with([&](FakeFileIndex& index) { return index.removable(rule, most); });
    }
    Result<void> remove(const std::vector<std::string>& paths, bool only_loaded,
                        const std::string& why) override {
        return with([&](FakeFileIndex& index) { return index.remove(paths, only_loaded, why); });
    }
    std::string where() const override { return shared_.index.where(); }

private:
    Shared& shared_;
};

class FileRetentionTest : public testing::Test {
protected:
    // The disk is made by the test and given away: the thread alone uses it then.
    void put(int count) {
        ASSERT_TRUE(disk_->make_folder(hidden_folder(kRetained)));
        for (int i = 0; i < count; ++i) {
            const std::string folder = "t/" + std::to_string(100'000 + i);
            ASSERT_TRUE(disk_->make_folder(std::string{kRetained} + "/" + folder));
            shared_.index.add({.table = {"public", "t"},
                               .batch = std::to_string(100'000 + i),
                               .path = folder + "/streaming.csv",
                               .bytes = 10,
                               .closed_at = {}});
        }
    }
    void begin(FileRetentionConfig config) {
        retention_ = std::make_unique<FileRetention>(FileRetention::Deps{
            .config = config,
            .root = kRetained,
            .make_index = [this](Waiter&, const std::atomic<bool>&,
                                 int) { return std::make_unique<LockedIndex>(shared_); },
            .disk = std::move(disk_),
            .clock = clock_,
            .metrics = metrics_,
            .logger = {},
            .pauses = {.first = 0ms, .every = 5ms, .between = 1ms}});
    }
    std::size_t rows() {
        const std::lock_guard lock(shared_.mutex);
        return shared_.index.rows.size();
    }

    SystemClock clock_;
    Metrics metrics_{"test"};
    Shared shared_;
    std::unique_ptr<SimulatedDisk> disk_ = std::make_unique<SimulatedDisk>();
    std::unique_ptr<FileRetention> retention_;
};

TEST_F(FileRetentionTest, WhatIsTooMuchGoesPieceByPiece) {
    put(250);
    begin({.batches = 3});
    EXPECT_TRUE(eventually([&] { return rows() == 3; }));
    EXPECT_TRUE(
        eventually([&] { return metrics_.counter(Metric::files_removed_total).value() == 247; }));
    EXPECT_EQ(metrics_.counter(Metric::files_removed_bytes_total).value(), 2470U);
    const std::lock_guard lock(shared_.mutex);
    EXPECT_EQ(shared_.index.rows.front().file.batch, "100247") << "the newest stay";
    EXPECT_EQ(shared_.index.why, "all but 3 batches of a table");
}

TEST_F(FileRetentionTest, WhatFailsIsTriedAgain) {
    put(5);
    shared_.index.fails = stop(Error::Category::permission, "permission denied");
    begin({.age = 1h});
    auto& errors = metrics_.counter(Metric::errors_total, {"permission"});
    EXPECT_TRUE(eventually([&] { return errors.value() > 2; }));
    EXPECT_EQ(rows(), 5U);
    {
        const std::lock_guard lock(shared_.mutex);
        shared_.index.fails.reset();
    }
    EXPECT_TRUE(eventually([&] { return rows() == 0; }));
}

TEST_F(FileRetentionTest, ItEndsWhileItWaits) {
    put(1);
    begin({.batches = 1});
    retention_.reset();
    EXPECT_EQ(rows(), 1U);
}

TEST(FileRetentionConfigTest, ARuleSaysWhatIsConfigured) {
    const WallTime now{7'200'000'000};
    EXPECT_FALSE(FileRetentionConfig{.only_loaded = true}.is_on());
    const FileRetentionConfig both{.age = 1h, .batches = 7, .only_loaded = true};
    EXPECT_TRUE(both.is_on());
    const RetentionRule rule = both.rule(now);
    EXPECT_EQ(rule.closed_before, WallTime{3'600'000'000});
    EXPECT_EQ(rule.keep, 7U);
    EXPECT_TRUE(rule.only_loaded);
    EXPECT_EQ(both.text(), "older than 1 h; all but 7 batches of a table; loaded");
    EXPECT_FALSE((FileRetentionConfig{.batches = 7}.rule(now).closed_before));
}

}  // namespace
}  // namespace pgc
