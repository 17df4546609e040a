// What the file sink asks of a file system, and nothing more.
//
// Visible is not durable. A call that changes something shows it to every process at once; a power
// cut takes it back unless this header says "durable when it returns", or until it was synced:
//   bytes of a file                 DiskFile::sync()
//   the name that create() made     sync_folder() of the folder it is in
//   the new name after rename()     sync_folder() of the folder that `to` is in. Until then a crash
//                                   leaves the old name or the new one, never both, never neither
// The end of a process takes nothing back. So after one that was killed, what is visible may still
// not be durable: whoever relies on it syncs it first.
//
// Errors have the category storage, name the path and carry the system's own text. Those that may
// pass by themselves (a full disk, an I/O error) are to be retried, the others stop. After an Error
// the call was not carried out, with two exceptions that are said below: write() and sync().
//
// Links: the last part of a path is never followed where something is created, opened or removed.
//
// Threads: several at once, as long as they are at different files and folders; one that is not for
// that says so. Locks have one at a time. Files and locks end before their Disk.
// tests/conformance/disk_test.cc asks all of this of every Disk.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"

namespace pgc {

// Who may read and write what is created. The umask does not matter.
struct DiskModes {
    static constexpr std::int64_t kAs_it_is = -1;

    unsigned file = 0600;
    unsigned folder = 0700;
    std::int64_t uid = kAs_it_is;
    std::int64_t gid = kAs_it_is;
};

// A file that is open for appending.
class DiskFile {
public:
    DiskFile() = default;
    DiskFile(const DiskFile&) = delete;
    DiskFile& operator=(const DiskFile&) = delete;
    virtual ~DiskFile() = default;

    // Appends all of `bytes`. After an Error some of them may be there.
    [[nodiscard]] virtual Result<void> write(std::string_view bytes) = 0;
    // What was written is durable. After an Error this object is not to be used any more: the
    // system may have dropped what was written since the last sync(), and another sync() would
    // succeed without it. Disk::append() at a size that was synced starts over.
    [[nodiscard]] virtual Result<void> sync() = 0;
};

// Held until it is destroyed.
class DiskLock {
public:
    DiskLock() = default;
    DiskLock(const DiskLock&) = delete;
    DiskLock& operator=(const DiskLock&) = delete;
    virtual ~DiskLock() = default;
};

class Disk {
public:
    Disk() = default;
    Disk(const Disk&) = delete;
    Disk& operator=(const Disk&) = delete;
    virtual ~Disk() = default;

    // A new file. An Error if there is anything under that name.
    [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> create(const std::string& path) = 0;
    // A file that exists, cut to `size`. An Error of the category position if it is shorter: bytes
    // that somebody relied on are gone. The cut is durable with the next sync().
    [[nodiscard]] virtual Result<std::unique_ptr<DiskFile>> append(const std::string& path,
                                                                   std::uint64_t size) = 0;

    // The folder and those above it. What exists keeps its mode. Durable when it returns, even if
    // it was an earlier, killed process that made it.
    [[nodiscard]] virtual Result<void> make_folder(const std::string& path) = 0;

    // A file or a folder with what is in it, within one file system. An Error if there is anything
    // under `to`. Where the file system can't promise that by itself we look first: there must be
    // no other writer.
    [[nodiscard]] virtual Result<void> rename(const std::string& from, const std::string& to) = 0;

    // What was created, renamed and removed in it is durable.
    [[nodiscard]] virtual Result<void> sync_folder(const std::string& path) = 0;

    // A small file. Nothing: there is no such file. Beyond kRead_max: an Error.
    static constexpr std::size_t kRead_max = std::size_t{16} << 20;
    [[nodiscard]] virtual Result<std::optional<std::string>> read(const std::string& path) = 0;

    // What of a file of any size stands from `offset` on, `most` bytes at most; none: it ends
    // there. Nothing: there is no such file.
    [[nodiscard]] virtual Result<std::optional<std::string>> read_part(const std::string& path,
                                                                       std::uint64_t offset,
                                                                       std::size_t most) = 0;

    // Puts a file with `content` there, whether there is one or not. Readers find the old content
    // or the new one, whole. Durable when it returns. A crash may leave `path` + kReplacement
    // beside it, which the next replace() of the same path takes away.
    static constexpr std::string_view kReplacement = ".new";
    [[nodiscard]] virtual Result<void> replace(const std::string& path,
                                               std::string_view content) = 0;

    // A file, or a folder with what is in it. That there is nothing is fine. Durable when it
    // returns. After an Error a part of a folder may be gone.
    [[nodiscard]] virtual Result<void> remove(const std::string& path) = 0;

    // The names of what is in it, sorted. No such folder: none.
    [[nodiscard]] virtual Result<std::vector<std::string>> list(const std::string& path) = 0;

    // Of a file. Nothing: there is no such file.
    [[nodiscard]] virtual Result<std::optional<std::uint64_t>> size(const std::string& path) = 0;

    // Locks the file `path`, which is created where it is missing and stays. Never waits; null:
    // somebody else has it, of this process or another.
    [[nodiscard]] virtual Result<std::unique_ptr<DiskLock>> lock(const std::string& path) = 0;
};

}  // namespace pgc
