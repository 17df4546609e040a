// Removes batches that are not needed any more: out of the registry, then off the disk.
//
//   removing.json ─▶ rows out of the registry ─▶ folders off the disk ─▶ removing.json gone
//
// In this order a loader never sees a row whose file is gone. A crash leaves removing.json, and
// finish() of whoever comes next takes away the folders in it of which nothing is registered any
// more. The others stay: that they were to go is forgotten.
//
// One process at a time removes files of a root: it holds clean.lock. Whoever writes files there
// need not end for it: what is registered is not touched by the sink any more.
//
// Blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "sink/file/disk.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

struct CleanResult {
    std::uint64_t batches = 0;
    std::uint64_t files = 0;
    std::uint64_t bytes = 0;
};

class FileCleaner {
public:
    // How many batches go at a time.
    static constexpr std::size_t kPiece = 100;

    // Both outlive it. `root` as the sink has it.
    FileCleaner(std::string root, FileIndex& index, Disk& disk);
    ~FileCleaner();

    // False: another process is removing files. Held until unlock(), or for as long as this lives.
    [[nodiscard]] Result<bool> lock();
    [[nodiscard]] Result<void> unlock();

    // What a process before this one left half done. Requires: the lock.
    [[nodiscard]] Result<void> finish();
    // Of what is registered. `why`, for the audit. A batch that has a file that is not loaded stays
    // where `only_loaded` says so, whatever it was a moment ago. Requires: finish().
    [[nodiscard]] Result<CleanResult> remove(const std::vector<OldBatch>& batches, bool only_loaded,
                                             const std::string& why);

private:
    // What of a folder is registered, or was.
    struct Going {
        std::string folder{};
        std::vector<std::string> paths{};
        std::uint64_t bytes = 0;
    };
    static std::string text_of(const std::vector<Going>& all);
    static std::optional<std::vector<Going>> read(std::string_view text);
    [[nodiscard]] Result<CleanResult> remove_folders(const std::vector<Going>& all);

    const std::string root_;
    FileIndex& index_;
    Disk& disk_;
    std::unique_ptr<DiskLock> lock_;
};

// A path below the root that leads nowhere else, and not into what is ours alone.
bool is_sound_below_root(std::string_view path) noexcept;

}  // namespace pgc
