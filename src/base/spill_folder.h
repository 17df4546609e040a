// Files that hold for a while what does not belong into memory, and need not outlive a crash: not
// synced, mode 600, gone with the process or at the next prepare().
//
// Names are drawn at random, once in the life of the folder's owner. So one of two processes with
// the same folder that was stopped, and wakes up when the other has removed its files, finds that
// they are gone, and never writes into the other's.
//
// Nothing is followed: not a link in the place of the folder, nor one in that of a file. Errors are
// of category storage. What was written is read only by who wrote it.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "base/descriptor.h"
#include "base/error.h"

namespace pgc {

class SpillFolder {
public:
    // A number that is not given twice.
    using File = std::uint64_t;

    SpillFolder() = default;
    SpillFolder(const SpillFolder&) = delete;
    SpillFolder& operator=(const SpillFolder&) = delete;
    virtual ~SpillFolder() = default;

    virtual std::string path() const = 0;
    // Makes the folder with mode 700, removes what is left in it, and tries whether a file can be
    // written there. To be called before create().
    [[nodiscard]] virtual Result<void> prepare() = 0;
    // Removes what is left, if the folder is there.
    virtual void sweep() noexcept = 0;

    [[nodiscard]] virtual Result<File> create() = 0;
    // All of `bytes`, from the byte `at` on.
    [[nodiscard]] virtual Result<void> write(File file, std::uint64_t at,
                                             std::string_view bytes) = 0;
    // As many bytes as are there, up to `to`; none: its end.
    [[nodiscard]] virtual Result<std::size_t> read(File file, std::uint64_t at,
                                                   std::span<char> to) = 0;
    // What is after `size` is given back.
    [[nodiscard]] virtual Result<void> truncate(File file, std::uint64_t size) = 0;
    virtual void remove(File file) noexcept = 0;
};

// Whether files could be written in a folder of this name, as far as can be seen without making it.
[[nodiscard]] Result<void> may_become_spill_folder(const std::string& path);

class SystemSpillFolder final : public SpillFolder {
public:
    explicit SystemSpillFolder(std::string path) : path_(std::move(path)) {}

    std::string path() const override { return path_; }
    Result<void> prepare() override;
    void sweep() noexcept override;
    Result<File> create() override;
    Result<void> write(File file, std::uint64_t at, std::string_view bytes) override;
    Result<std::size_t> read(File file, std::uint64_t at, std::span<char> to) override;
    Result<void> truncate(File file, std::uint64_t size) override;
    void remove(File file) noexcept override;

private:
    std::string name_of(File file) const;
    // The one that was used last stays open.
    [[nodiscard]] Result<int> opened(File file);

    const std::string path_;
    std::uint64_t run_ = 0;  // a random number, in the names; 0: none yet
    File next_ = 1;
    std::unique_ptr<const Descriptor> folder_;
    std::unique_ptr<const Descriptor> open_;
    File open_file_ = 0;
};

// The fake: in memory, and with as much room as is said.
class SimulatedSpillFolder final : public SpillFolder {
public:
    std::string path() const override { return "/simulated/spill"; }
    Result<void> prepare() override;
    void sweep() noexcept override { files_.clear(); }
    Result<File> create() override;
    Result<void> write(File file, std::uint64_t at, std::string_view bytes) override;
    Result<std::size_t> read(File file, std::uint64_t at, std::span<char> to) override;
    Result<void> truncate(File file, std::uint64_t size) override;
    void remove(File file) noexcept override { files_.erase(file); }

    void fail_next_prepares(int count) noexcept { failing_prepares_ = count; }
    void fail_next_reads(int count) noexcept { failing_reads_ = count; }
    void room(std::size_t bytes) noexcept { room_ = bytes; }
    const std::map<File, std::string>& files() const noexcept { return files_; }
    std::size_t writes() const noexcept { return writes_; }

private:
    std::size_t used() const noexcept;

    std::map<File, std::string> files_;
    File next_ = 1;
    std::size_t room_ = ~std::size_t{0};
    std::size_t writes_ = 0;
    int failing_prepares_ = 0;
    int failing_reads_ = 0;
};

}  // namespace pgc
