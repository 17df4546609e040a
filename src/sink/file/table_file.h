// One file of a table that is being written: lines, compressed piece by piece, and what is known of
// them.
//
//   add() ─▶ buffer ──take()──▶ a piece ─▶ compressed (piece_writer.h) ──append()──▶ disk
//                                                                       ──sync()──▶ durable
//
// A file is a row of pieces, each a whole member of gzip or frame of zstd, which every reader takes
// for one file. So nothing of a compressor has to be kept for each of ten thousand tables, and a
// crash can cut the file behind any piece. The descriptor may be let go at any time, and is opened
// again when it is needed.
//
// Threads: one at a time, of the worker's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "sink/file/contents.h"
#include "sink/file/disk.h"
#include "sink/file_registry/registry.h"

namespace pgc {

// Lines of one file that are compressed together.
struct FilePiece {
    std::string text;
    std::uint64_t rows = 0;
    Lsn first;  // of their commits
    Lsn last;
};

class TableFile {
public:
    // A new one: `state` has no bytes. `folder` is its own.
    TableFile(OpenFile state, FileDetails details, std::string folder);

    std::uint64_t id() const noexcept { return state_.id; }
    const TableId& table() const noexcept { return state_.table; }
    FileKind kind() const noexcept { return state_.kind; }
    const std::string& folder() const noexcept { return folder_; }
    const std::string& name() const noexcept { return details_.name; }
    // As far as it was appended to, without details.
    const OpenFile& state() const noexcept { return state_; }
    const FileDetails& details() const noexcept { return details_; }
    std::size_t buffered() const noexcept { return buffer_.size(); }
    // Something came since noted().
    bool changed() const noexcept { return changed_; }
    // All that was appended, and the name.
    bool is_durable() const noexcept { return synced_; }
    bool has_descriptor() const noexcept { return file_ != nullptr; }

    // A line of a row; the heading is one of none.
    void add(std::string_view line, Lsn commit);
    // The table has these columns from here on; the heading is the same.
    void note_schema(SchemaVersion version);
    // What changed the table before its next row. One of the kind ddl consists of it, and has no
    // bytes before its batch is closed.
    void note_ddl(DdlStatement statement);
    std::vector<DdlStatement> take_ddl();
    std::size_t ddl_bytes() const noexcept { return ddl_bytes_; }

    // It has something to take: lines, or, of one that ended empty, what makes it a valid file.
    bool has_piece() const noexcept { return !buffer_.empty() || (ended && !taken_); }
    // What was collected since the last one, for `room`, which is empty and may have memory.
    FilePiece take(std::string room);
    // Puts the piece that was taken next onto the disk, as `compressed`.
    [[nodiscard]] Result<void> append(Disk& disk, const FilePiece& piece,
                                      std::string_view compressed);
    // All that was appended is durable, the file's name included. Leaves a descriptor only where
    // there was one.
    [[nodiscard]] Result<void> sync(Disk& disk);
    void let_go() noexcept { file_.reset(); }
    // The state is about to be registered.
    OpenFile note();

    std::optional<std::uint64_t> serial;  // Relation::serial of the one that was noted last
    bool superseded = false;              // another file has the table's newer rows
    bool ended = false;                   // nothing more comes: the snapshot has read the table
    bool given_up = false;                // it is not to be published
    std::string snapshot;                 // of one that ended: the snapshot's id
    Lsn as_of;                            // likewise: where it may say that there are no rows

    // Of this process: what was compressed, and what it became.
    std::uint64_t plain_bytes = 0;
    std::uint64_t written_bytes = 0;

private:
    [[nodiscard]] Result<void> open(Disk& disk);

    OpenFile state_;
    FileDetails details_;
    const std::string folder_;
    std::string buffer_;
    std::size_t ddl_bytes_ = 0;
    std::uint64_t buffered_rows_ = 0;
    Lsn buffered_first_;
    Lsn buffered_last_;
    std::unique_ptr<DiskFile> file_;
    bool taken_;           // a piece, if only once
    bool exists_;          // it has a name in its folder
    bool named_ = false;   // durably
    bool synced_ = false;  // since the last write
    bool changed_ = false;
};

}  // namespace pgc
