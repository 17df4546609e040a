// Small files that must survive a crash: read whole, replaced whole.
//
// replace() returns only when the new content is on the disk under its name, and
// never leaves a half-written file under that name: temporary file, write, fsync,
// rename, fsync of the directory. Files are created with mode 600.
//
// The temporary file (NAME.new-RANDOM) is always a new one: whatever stands there under its
// name, a link somebody laid, a file of another process, is neither followed nor written to.
// What a crash left of it is removed when the same name is next replaced, an hour later or more.
#pragma once

#include <cstddef>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pgc {

// What errno says of "cannot VERB PATH", with the hint that goes with it.
Error file_failure(std::string_view verb, const std::string& path);

class Files {
public:
    Files() = default;
    Files(const Files&) = delete;
    Files& operator=(const Files&) = delete;
    virtual ~Files() = default;

    // Nothing when there is no such file. A file beyond kRead_max is an Error: it can't be
    // one of ours, and some (/dev/zero) never end.
    static constexpr std::size_t kRead_max = std::size_t{16} << 20;
    [[nodiscard]] virtual Result<std::optional<std::string>> read(const std::string& path) = 0;
    [[nodiscard]] virtual Result<void> replace(const std::string& path,
                                               std::string_view content) = 0;
    // The same, as long as what stands there now is `expected` (none: no such file); false, and
    // nothing is done, when it is something else. Of processes that use this on one file none
    // overwrites what it has not seen, whenever it is stopped and wakes up again: they take turns
    // by a lock on the directory. Where the file system knows no such locks, somebody's write may
    // go unseen in the instant between the look and the renaming.
    [[nodiscard]] virtual Result<bool> exchange(const std::string& path,
                                                const std::optional<std::string>& expected,
                                                std::string_view content) = 0;
    // That there is no such file is fine. Gone for good when it returns.
    [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;
    // Creates the directory with mode 700, and those above it, where they are missing.
    [[nodiscard]] virtual Result<void> make_directory(const std::string& path) = 0;
};

// Threads: any.
class SystemFiles final : public Files {
public:
    Result<std::optional<std::string>> read(const std::string& path) override;
    Result<void> replace(const std::string& path, std::string_view content) override;
    Result<bool> exchange(const std::string& path, const std::optional<std::string>& expected,
                          std::string_view content) override;
    Result<void> remove(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override;

private:
    bool sweeps_first(const std::string& path);
    Result<std::string> write_beside(const std::string& path, std::string_view content);

    std::mutex mutex_;
    // Protected by mutex_: paths beside which left-over temporary files were looked for.
    std::set<std::string> swept_;
};

// The fake: a disk in memory on which the next calls can be made to fail.
class SimulatedFiles final : public Files {
public:
    Result<std::optional<std::string>> read(const std::string& path) override;
    Result<void> replace(const std::string& path, std::string_view content) override;
    Result<bool> exchange(const std::string& path, const std::optional<std::string>& expected,
                          std::string_view content) override;
    Result<void> remove(const std::string& path) override;
    Result<void> make_directory(const std::string& path) override;

    void fail_next_reads(int count) noexcept { failing_reads_ = count; }
    void fail_next_replaces(int count) noexcept { failing_replaces_ = count; }
    void fail_next_directories(int count) noexcept { failing_directories_ = count; }

private:
    std::map<std::string, std::string> files_;
    int failing_reads_ = 0;
    int failing_replaces_ = 0;
    int failing_directories_ = 0;
};

}  // namespace pgc
