// What `sink: file` has written, kept in a database: the files that are complete, the state of
// those that are still open, and the position that goes with both.
//
// A seal commits all of it in one transaction, so files, their rows and the position never
// disagree: the sink syncs its open files, renames what is complete, commits the seal, and only
// then may the slot be confirmed. After a crash the registry says how long each open file is to be,
// and where the stream continues; what is on disk beyond that goes, and comes again.
//
// Who opens a registry takes it over: the instance before can commit nothing more (its generation
// is not the registry's any more). That holds for the registry alone. Files are not fenced by it: a
// lock on their folder has to be taken before open(), and held, or two instances would cut each
// other's files.
//
// Threads: one, the pipeline's.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "base/words.h"
#include "core/store.h"

namespace pgc {

enum class FileKind : std::uint8_t { streaming, full_reload, ddl };
inline constexpr auto kFileKinds = words_for<FileKind>({{"streaming", FileKind::streaming},
                                                        {"full_reload", FileKind::full_reload},
                                                        {"ddl", FileKind::ddl}});

// What a table's files are at the moment.
enum class TableMode : std::uint8_t { streaming, pending_reload, reloading };
inline constexpr auto kTableModes =
    words_for<TableMode>({{"streaming", TableMode::streaming},
                          {"pending_reload", TableMode::pending_reload},
                          {"reloading", TableMode::reloading}});

struct TableId {
    std::string schema;
    std::string name;
    auto operator<=>(const TableId&) const = default;
};

// One that is being written, as of the seal.
struct OpenFile {
    std::uint64_t id = 0;  // unique in the pipeline, for ever; rises
    TableId table;
    FileKind kind = FileKind::streaming;
    std::uint64_t bytes = 0;
    std::uint64_t rows = 0;
    std::uint32_t crc32c = 0;
    Lsn first_lsn;  // of commits
    Lsn last_lsn;
    WallTime opened_at;
    std::string details;  // whatever the sink needs to continue it; UTF-8 without NUL
    bool operator==(const OpenFile&) const = default;
};

// One that is complete and where loaders find it.
struct CompleteFile {
    TableId table;
    FileKind kind = FileKind::streaming;
    std::string batch;  // the batch's name, as 20261130T174500Z
    std::string path;   // below the root; unique in the pipeline
    Lsn begin_lsn;      // the commits of its rows are from here
    Lsn end_lsn;        // to here, both included
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
    std::uint32_t crc32c = 0;
    bool has_ddl = false;  // its batch saw DDL
    bool cut = false;      // its last transaction continues in the next batch
    WallTime closed_at;
    std::string snapshot{};  // of a full_reload: the id of its snapshot, which is not registered
    bool operator==(const CompleteFile&) const = default;
};

// A statement that changed a definition.
struct DdlEvent {
    WallTime happened_at;
    Lsn commit_lsn;
    std::string object_type;  // "table", as the server calls it
    TableId object;
    std::string command;                     // "ALTER TABLE"
    std::optional<std::string> statement{};  // what was sent; none: it is not recorded
    bool operator==(const DdlEvent&) const = default;
};

// A reload of a table. One that is not over is unique by its table and who ordered it.
enum class ReloadState : std::uint8_t { requested, running, complete, failed };
inline constexpr auto kReloadStates = words_for<ReloadState>({{"requested", ReloadState::requested},
                                                              {"running", ReloadState::running},
                                                              {"complete", ReloadState::complete},
                                                              {"failed", ReloadState::failed}});
struct ReloadOperation {
    TableId table;
    std::string ordered_by;  // "request s-1": how, and the snapshot's id
    ReloadState state = ReloadState::requested;
    WallTime requested_at{};
    WallTime started_at{};   // none: not yet
    WallTime finished_at{};  // likewise
    Lsn start_lsn{};         // where it was ordered
    Lsn end_lsn{};           // the rows are as of this one or before; none: there are none
    std::uint64_t rows = 0;
    std::string problem{};
    bool is_new = false;  // the registry has not seen it
    bool operator==(const ReloadOperation&) const = default;
};
constexpr bool is_over(ReloadState state) noexcept {
    return state == ReloadState::complete || state == ReloadState::failed;
}

// What one transaction of the registry commits. A table is named once in `folders` and `modes`, an
// open file once in `open`; one that is in `closed` is not in `open`.
struct RegistrySeal {
    StoredPosition position;
    std::vector<CompleteFile> complete;
    std::vector<OpenFile> open;                            // new or changed since the last seal
    std::vector<std::uint64_t> closed;                     // ids of those that are open no more
    std::vector<std::pair<TableId, std::string>> folders;  // newly taken
    std::vector<std::pair<TableId, TableMode>> modes;      // changed
    std::vector<ReloadOperation> reloads;                  // new or changed
    std::vector<DdlEvent> ddl;
    std::string last_batch;  // the newest batch name given out; empty: as it was
};

// Whether a seal is as described; an Error is a bug of its maker's.
[[nodiscard]] Result<void> require_sound(const RegistrySeal& seal);

// What the seals so far add up to.
struct RegistryContent {
    bool missing = false;        // there is no registry; then nothing else is said
    std::uint64_t seal = 0;      // the number of the last one; 0: there was none
    std::vector<OpenFile> open;  // by id
    std::vector<std::pair<TableId, std::string>> folders;
    std::vector<std::pair<TableId, TableMode>> modes;  // of those that are not `streaming`
    std::vector<ReloadOperation> reloads;  // that are not over, by table and who ordered them
    std::string last_batch;
    std::uint64_t last_id = 0;  // the largest that was ever in a seal's `open` or `closed`
    bool operator==(const RegistryContent&) const = default;
};

class FileRegistry {
public:
    FileRegistry() = default;
    FileRegistry(const FileRegistry&) = delete;
    FileRegistry& operator=(const FileRegistry&) = delete;
    virtual ~FileRegistry() = default;

    // Goes on connecting and taking over; nothing while that is under way. What it then gives is
    // as of the moment from which on nobody else can commit. Given once; not to be called again
    // after that. One that is missing is not made here, for whether that is right is for the
    // owner to say, who knows the slot: positions().create() makes it, and the load() after that
    // takes it over. An older version of it is brought up to date, or is an Error that says how, if
    // this one may not do so.
    [[nodiscard]] virtual Result<std::optional<RegistryContent>> open() = 0;

    // Begins to commit; one at a time, and after open(). How it went is what positions().saved()
    // says. Its number is the last one's and 1: seal_number().
    [[nodiscard]] virtual Result<void> commit(const RegistrySeal& seal) = 0;
    // Of the last seal that is committed.
    virtual std::uint64_t seal_number() const noexcept = 0;

    // load() reads the position, before open() too; after it, it gives what this registry knows
    // to be committed. save() is an Error: commit() takes its place. saved() goes on committing;
    // true: that is done, and durable. An Error: it failed, or nobody knows whether it arrived.
    // Then nothing more can be done with this registry: the next one finds out when it opens.
    // Category::position with Next::retry: somebody else has taken it over.
    virtual PositionStore& positions() = 0;

    // Between two commits: its server has closed the connection, or said something that nobody
    // asked for. A commit finds out what it was.
    virtual bool is_disturbed() const noexcept = 0;

    // What open() or a commit waits for.
    virtual void wants(Wants& wants) const = 0;
    // The database it is in, for errors: no secrets.
    virtual std::string where() const = 0;
    // What it has been waiting for noticeably long, in the words of `status`; else empty.
    virtual std::string waits_for() const = 0;
};

}  // namespace pgc
