// Removes old batches while the pipeline runs, as `file.retention` says: on a thread, with a
// connection and a disk of its own, so that no seal waits for it. A piece at a time, every minute,
// and one after the other while there is more.
//
// Belongs to the sink, which has it while it holds the lock of the root: an instance that stands by
// does not remove what another one writes on another machine.
//
// What goes wrong stops nothing: it is in the log and counted, and tried again a minute later.
#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "base/wake.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/file/cleaner.h"
#include "sink/file/disk.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

// All zero and false: nothing is removed.
struct FileRetentionConfig {
    Duration age{0};            // batches that were closed longer ago go; 0: however old
    std::uint64_t batches = 0;  // so many of each table stay; 0: however many
    bool only_loaded = false;   // and only what a loader has marked goes

    bool is_on() const noexcept { return age > Duration{0} || batches > 0; }
    // At that time.
    RetentionRule rule(WallTime now) const;
    // For the audit: "older than 7 days; all but 100 batches; loaded".
    std::string text() const;
};

class FileRetention {
public:
    static constexpr Duration kFirst = std::chrono::seconds{1};
    static constexpr Duration kEvery = std::chrono::minutes{1};
    static constexpr Duration kBetween = std::chrono::seconds{1};  // pieces of one round

    struct Pauses {
        Duration first = kFirst;
        Duration every = kEvery;
        Duration between = kBetween;
    };
    // Made on the thread, and goes with it. The index is not used any more once `ending` is true,
    // which is noticed when `wake` becomes readable.
    using MakeIndex = std::function<std::unique_ptr<FileIndex>(
        Waiter& waiter, const std::atomic<bool>& ending, int wake)>;

    struct Deps {
        FileRetentionConfig config;
        std::string root;
        MakeIndex make_index;
        std::unique_ptr<Disk> disk;
        const Clock& clock;  // these outlive it
        Metrics& metrics;
        Logger logger;
        Pauses pauses{};
    };
    // Begins.
    explicit FileRetention(Deps deps);
    FileRetention(const FileRetention&) = delete;
    FileRetention& operator=(const FileRetention&) = delete;
    // Ends it; waits for a call of the disk that is under way.
    ~FileRetention();

private:
    void run();
    // True: there is more.
    [[nodiscard]] Result<bool> remove_a_piece(FileIndex& index);
    [[nodiscard]] Result<bool> remove_with(FileCleaner& cleaner, FileIndex& index);
    void report(const Error& error);
    // False: it is to end.
    bool wait(Waiter& waiter, Duration pause);

    const Deps deps_;
    std::string last_error_;
    std::atomic<bool> ending_{false};
    Wake wake_;
    std::thread thread_;
};

}  // namespace pgc
