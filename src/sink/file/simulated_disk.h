// The fake: a disk in memory that knows what is durable, for tests and the simulation.
//
// crash() is a power cut. It keeps what sink/file/disk.h promises and decides the rest by chance:
//   bytes     of what was written to a file since its last sync(), a prefix; then perhaps zeros or
//             garbage, up to the size it had
//   names     each create() and rename() whose folder was not synced is kept or taken back, but no
//             name stands for two things; what a lost folder held is lost with it
// A sync() that fails drops what it should have written, as Linux does: the bytes read as zeros
// from then on, and the next sync() succeeds.
//
// Faults stay until they are taken back. A call that fails does nothing, but for write() on a full
// disk, which writes what fits, and sync().
//
// Threads: one at a time, whatever the files.
//
// Paths are taken as they are, from "/" or not: "a/b" and "/a/b" are the same. There are no links
// and no modes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/random.h"
#include "sink/file/disk.h"

namespace pgc {

enum class DiskCall : std::uint8_t {
    create,
    append,
    write,
    sync,
    make_folder,
    rename,
    sync_folder,
    read,
    replace,
    remove,
    list,
    size,
    lock,
};
std::string_view name(DiskCall call) noexcept;

class SimulatedDisk final : public Disk {
public:
    SimulatedDisk();
    ~SimulatedDisk() override;

    Result<std::unique_ptr<DiskFile>> create(const std::string& path) override;
    Result<std::unique_ptr<DiskFile>> append(const std::string& path, std::uint64_t size) override;
    Result<void> make_folder(const std::string& path) override;
    Result<void> rename(const std::string& from, const std::string& to) override;
    Result<void> sync_folder(const std::string& path) override;
    Result<std::optional<std::string>> read(const std::string& path) override;
    Result<std::optional<std::string>> read_part(const std::string& path, std::uint64_t offset,
                                                 std::size_t most) override;
    Result<void> replace(const std::string& path, std::string_view content) override;
    Result<void> remove(const std::string& path) override;
    Result<std::vector<std::string>> list(const std::string& path) override;
    Result<std::optional<std::uint64_t>> size(const std::string& path) override;
    Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override;

    // A power cut. Files and locks of before it may be destroyed later; their calls fail.
    void crash(Random& random);
    // One that keeps nothing it did not promise.
    void crash_and_lose_unsynced();
    // The process ended, the machine goes on: locks are free, nothing is lost.
    void end_process();

    // The next `count` calls of this kind after `after` more fail with this error number.
    void fail_next(DiskCall call, int code, unsigned count = 1, unsigned after = 0);
    // Each call of this kind fails by chance. `random` outlives this; 0 percent takes it back.
    void fail_sometimes(DiskCall call, int code, unsigned percent, Random& random);
    // All files together hold this many bytes at most: beyond it ENOSPC. None: without end.
    void set_capacity(std::optional<std::uint64_t> bytes) { capacity_ = bytes; }
    std::uint64_t used() const;
    void set_read_only(bool read_only) { read_only_ = read_only; }
    // Called before each call does anything, with its path. May throw, as a crash of the
    // simulation.
    void set_observer(std::function<void(DiskCall, const std::string& path)> observer) {
        observer_ = std::move(observer);
    }

    // What is visible now, faults or not. Nothing: there is no such file.
    std::optional<std::string> content(const std::string& path) const;
    // All files with their content; folders end in "/" and have none. Without the first "/".
    std::map<std::string, std::string> tree() const;

private:
    class File;
    class Lock;
    using NodeId = std::uint64_t;
    static constexpr NodeId kRoot = 0;

    // An entry: `name` in a folder.
    struct Place {
        NodeId folder = 0;
        std::string name;

        bool operator==(const Place&) const = default;
    };

    // A file or a folder. It has one name at a time (there are no hard links), so that what a crash
    // does to names is a choice for each node: where it is, or where it durably was.
    struct Node {
        bool folder = false;
        Place now;
        std::optional<Place> durable;  // none: a crash may take it away altogether

        std::string bytes;
        std::string durable_bytes;
        std::size_t same =
            0;  // so many of their first bytes no append() has cut off since the sync()
    };

    struct Fault {
        int code = 0;
        unsigned after = 0;
        unsigned count = 0;
        unsigned percent = 0;
        Random* random = nullptr;

        bool strikes() {
            if (random != nullptr) return random->chance(percent);
            if (count == 0) return false;
            if (after > 0) {
                --after;
                return false;
            }
            --count;
            return true;
        }
    };

    std::optional<int> refusal(DiskCall call, const std::string& path);
    std::optional<NodeId> child(NodeId folder, std::string_view name) const;
    Result<NodeId, int> find(std::string_view path) const;
    Result<Place, int> place_of(std::string_view path) const;
    NodeId add(bool folder, Place place);
    void erase(NodeId id);
    bool is_inside(NodeId id, NodeId folder) const;
    std::string path_of(NodeId id) const;

    Result<void> write(NodeId id, std::uint64_t life, const std::string& path,
                       std::string_view bytes);
    Result<void> sync(NodeId id, std::uint64_t life, const std::string& path);
    void unlock(NodeId id, std::uint64_t life);

    void crash_names(const std::function<bool()>& keeps);
    void crash_bytes(Random* random);

    std::map<NodeId, Node> nodes_;
    NodeId last_id_ = 0;
    std::uint64_t life_ = 1;  // of the process: files and locks of an earlier one are dead
    std::set<NodeId> locked_;

    std::map<DiskCall, std::vector<Fault>> faults_;
    std::optional<std::uint64_t> capacity_;
    bool read_only_ = false;
    std::function<void(DiskCall, const std::string& path)> observer_;
};

}  // namespace pgc
