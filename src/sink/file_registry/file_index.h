// The registry of files for whoever does not write them: commands that show, prove and remove, and
// retention. What is asked here changes no position and takes nothing over.
//
// remove() takes rows out of the registry, never files off the disk: sink/file/cleaner.h has the
// order in which both have to go.
//
// Blocks. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "core/name_pattern.h"
#include "sink/file_registry/registry.h"

namespace pgc {

struct IndexedFile {
    std::uint64_t id = 0;  // rises with the seals
    CompleteFile file{};
    WallTime registered_at{};
    bool loaded = false;
    std::optional<WallTime> loaded_at{};
    bool operator==(const IndexedFile&) const = default;
};

// As of the last seal.
struct IndexState {
    std::uint64_t seal = 0;  // 0: there was none
    Lsn resume_at{};
    std::vector<OpenFile> open{};  // by id
};

// Which batches may go. Those that were closed before, and those beyond the newest so many of their
// table; where neither is said, all. Never one with a file that is not loaded, if that is asked
// for.
struct RetentionRule {
    std::optional<WallTime> closed_before{};
    std::optional<std::uint64_t> keep{};
    bool only_loaded = false;
    std::vector<NamePattern> tables{};  // schema and name; none: all tables

    bool says_nothing() const noexcept { return !closed_before && !keep && !only_loaded; }
};

// A batch whose files lie in one folder.
struct OldBatch {
    TableId table{};
    std::string batch{};
    std::string folder{};              // below the root
    std::vector<std::string> paths{};  // of its registered files, likewise
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    WallTime closed_at{};
    bool loaded = false;
};

class FileIndex {
public:
    FileIndex() = default;
    FileIndex(const FileIndex&) = delete;
    FileIndex& operator=(const FileIndex&) = delete;
    virtual ~FileIndex() = default;

    // An Error of the category position if there is no registry, or one of a newer version.
    [[nodiscard]] virtual Result<IndexState> state() = 0;
    // By id, those after `after`; fewer than `most`: these are the last.
    [[nodiscard]] virtual Result<std::vector<IndexedFile>> files(std::uint64_t after,
                                                                 std::size_t most) = 0;
    // Those of these paths that are registered, sorted. What a remove() does that is under way, of
    // whatever process, is waited for.
    [[nodiscard]] virtual Result<std::vector<std::string>> registered(
        const std::vector<std::string>& paths) = 0;

    // The oldest first, at most so many. Requires: the rule says something.
    [[nodiscard]] virtual Result<std::vector<OldBatch>> removable(const RetentionRule& rule,
                                                                  std::size_t most) = 0;
    // These files are registered no more, but for those that are not loaded, if `only_loaded`.
    // Noted in the audit with `why`. After an Error of the category connection nobody knows whether
    // they are; after any other they are as they were.
    [[nodiscard]] virtual Result<void> remove(const std::vector<std::string>& paths,
                                              bool only_loaded, const std::string& why) = 0;

    // The database it is in, for errors: no secrets.
    virtual std::string where() const = 0;
};

}  // namespace pgc
