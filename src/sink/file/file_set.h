// All files of the sink, and how they become batches that loaders see.
//
//   write() ─▶ a file of each table ──seal()──▶ synced; what is due: moved to its place
//                                                  │ RegistrySeal
//                                                  ▼
//                                         committed by the registry ──▶ sealed(): checkpoint.json
//
// Why nothing is seen twice or half: a batch's folder is moved to its place only when all of it is
// synced, and the registry commits the batch together with the position. A process that dies in
// between leaves `closing.json`, which names the folders that were about to be moved for which
// seal. If the registry has that seal, they are where they belong; if not, they are moved back,
// cut to the length that the registry knows, and go on.
//
// Nothing here is given up for good before the registry knows it: whatever fails, the owner
// destroys this, and another one begins with recover().
//
// Marks of transactions, heartbeats and logical messages are left out: files have rows of tables.
// What messages of ours say of DDL goes into the registry, and is noted for the table: it belongs
// to the batch of the row that comes next, whose file keeps it among its details, or it is a batch
// of its own. Its text is written when the batch is closed.
//
// Threads: one at a time, the worker's. Blocks on the disk. Different files are compressed and
// synced at the same time, by the lanes of a TaskPool; when a call returns, all lanes are through.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "core/by_slot.h"
#include "core/record.h"
#include "core/snapshot.h"
#include "core/store.h"
#include "sink/file/closing.h"
#include "sink/file/config.h"
#include "sink/file/disk.h"
#include "sink/file/file_metrics.h"
#include "sink/file/layout.h"
#include "sink/file/layout_template.h"
#include "sink/file/piece_writer.h"
#include "sink/file/reload_book.h"
#include "sink/file/table_file.h"
#include "sink/file/task_pool.h"
#include "sink/file_registry/registry.h"

namespace pgc {

class FileSet {
public:
    // Beyond so many bytes of all tables together their pieces are smaller.
    static constexpr std::size_t kBuffered_max = std::size_t{16} << 20;
    // A batch with so much DDL is full.
    static constexpr std::size_t kDdl_bytes_max = std::size_t{1} << 20;
    // Beyond so much of it, between two seals or in a batch, the statements' texts are left out.
    static constexpr std::size_t kDdl_texts_max = std::size_t{8} << 20;
    // Likewise, of all batches that are open.
    static constexpr std::size_t kDdl_open_max = std::size_t{16} << 20;

    // All references outlive it. `pool`: what compresses and syncs; none: the caller's thread.
    FileSet(const FileSinkConfig& config, Disk& disk, const Clock& clock,
            std::unique_ptr<TaskPool> pool = nullptr);

    // Takes the lock of the root, for as long as this lives. False: another process has it.
    [[nodiscard]] Result<bool> lock();
    // What a process before us left, as the registry knows it. Requires: the lock.
    [[nodiscard]] Result<void> recover(const RegistryContent& content);

    [[nodiscard]] Result<void> write(const RecordBatch& batch);
    // A snapshot's rows of a table were all written, or are not to be.
    [[nodiscard]] Result<void> end_table(const SnapshotTableEnd& table);
    // A table is to be reloaded, or is not any more.
    void change_reload(const ReloadChange& change);

    // Makes everything durable, moves what is due, and says what the registry has to commit as
    // `number`.
    [[nodiscard]] Result<RegistrySeal> seal(const StoredPosition& position, std::uint64_t number);
    // That was committed.
    [[nodiscard]] Result<void> sealed();

    // As of the last seal().
    FilesInUse in_use() const;

    // When the next batch is due; none: none is open.
    std::optional<WallTime> next_due() const noexcept { return next_due_; }

private:
    struct Table {
        TableId id;
        TableFile* streaming = nullptr;
        TableFile* full_reload = nullptr;
        TableFile* ddl = nullptr;  // what changed it after its last row
    };
    // What is decided once for a version of a table.
    struct Route {
        std::uint64_t serial = 0;  // of the version
        Table* table = nullptr;
        std::string heading;
        SchemaVersion schema;
    };
    void give_up_rest(const TableId* only);
    Route& route(const Relation& relation);
    Table& table(const TableId& id);
    TableFile& file_for(Route& route, FileKind kind, Lsn commit);
    TableFile& make_file(const TableId& table, FileKind kind, FileDetails details);
    std::string name_of(FileKind kind) const;
    // file_set_ddl.cc
    bool take_messages(const RecordBatch& batch, std::size_t& next, const Record* before);
    void take_message(const OwnMessage& message);
    void adopt_ddl(Table& table, TableFile& file);
    [[nodiscard]] Result<void> describe(const TableFile& file, const CompleteFile& whole);

    [[nodiscard]] Result<void> flush_all();

    [[nodiscard]] Result<void> undo_moves(std::uint64_t seal);
    [[nodiscard]] Result<void> remove_unknown(const RegistryContent& content);
    [[nodiscard]] Result<void> restore(const OpenFile& open);

    WallTime due_at(const TableFile& file) const noexcept;
    // As large as so many batches may be.
    bool is_full(const TableFile& file, std::uint64_t batches = 1) const noexcept;
    bool is_due(const TableFile& file, WallTime now) const noexcept;
    bool may_close(const TableFile& file, const StoredPosition& position) const noexcept;
    bool closes(const TableFile& file, const StoredPosition& position, WallTime now) const;
    bool goes_on(const TableFile& file) const noexcept;
    // Its last rows are of a transaction of which more may come.
    static bool is_within(const TableFile& file, const StoredPosition& position) noexcept;
    CompleteFile complete(const TableFile& file, const StoredPosition& position,
                          const std::string& batch, WallTime now);
    std::string path_of(const TableFile& file, const std::string& batch, Lsn end);
    void keep_open(TableFile& file, RegistrySeal& seal);
    // A file that is not durable yet, or whose batch has to be described.
    struct Unsynced {
        TableFile* file = nullptr;
        std::optional<CompleteFile> complete{};
    };
    [[nodiscard]] Result<void> make_durable(const std::vector<Unsynced>& files);
    static void add_complete(RegistrySeal& seal, const TableFile& file, CompleteFile whole);
    [[nodiscard]] Result<void> move(const Closing& closing);
    [[nodiscard]] Result<void> sync_folders(const std::set<std::string>& folders);
    void note_due_at(WallTime at) noexcept;

    const FileSinkConfig& config_;
    Disk& disk_;
    const Clock& clock_;
    const std::unique_ptr<TaskPool> pool_;
    PieceWriter pieces_;
    std::unique_ptr<DiskLock> lock_;
    std::map<TableId, Table> tables_;
    BySlot<Route> routes_;
    std::map<std::uint64_t, std::unique_ptr<TableFile>> files_;  // in the order they were begun
    const LayoutTemplate layout_;
    TableFolders folders_;
    ReloadBook reloads_;
    std::uint64_t last_id_ = 0;
    std::string last_batch_;
    std::size_t buffered_ = 0;
    std::optional<WallTime> next_due_;

    std::vector<DdlEvent> ddl_;       // since the last seal
    std::size_t ddl_bytes_ = 0;       // of those
    std::size_t open_ddl_bytes_ = 0;  // of all files, counted with each seal

    // Of the seal that was not committed yet.
    std::vector<std::uint64_t> closing_;  // rising
    std::vector<std::string> leftovers_;  // folders nobody needs once it is
    FilesCheckpoint checkpoint_;
    // Of files that are not in files_ any more (TableFile).
    std::uint64_t plain_bytes_ = 0;
    std::uint64_t written_bytes_ = 0;
};

}  // namespace pgc
