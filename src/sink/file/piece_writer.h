// What files have collected, on its way to the disk: compressed several pieces at a time, of one
// file or of many, and appended in the order in which it was taken.
//
//   take() ─▶ pending ──enough for all lanes──▶ compressed, a piece a lane ─▶ appended, one by one
//
// Bounded: two pieces a lane are pending, or one that is larger than that; and so many descriptors
// are open.
//
// Threads: one at a time, the worker's; compressing has the lanes of `pool`.
#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/error.h"
#include "sink/file/compressor.h"
#include "sink/file/config.h"
#include "sink/file/disk.h"
#include "sink/file/table_file.h"
#include "sink/file/task_pool.h"

namespace pgc {

class PieceWriter {
public:
    // Lines are compressed in pieces of this many bytes, or smaller ones.
    static constexpr std::size_t kPiece_bytes = std::size_t{256} << 10;
    static constexpr std::size_t kPieces_max = 64;
    static constexpr std::size_t kDescriptors_max = 128;

    using Appended = std::function<void(const TableFile&)>;

    // All references outlive it. `appended` is called when a piece of a file is on the disk.
    PieceWriter(const FileSinkConfig& config, Disk& disk, TaskPool& pool, Appended appended);

    // Takes what the file has collected. It lives until that is appended, and forget().
    [[nodiscard]] Result<void> take(TableFile& file);
    // Appends what was taken. After an Error what is pending is not to be relied on.
    [[nodiscard]] Result<void> write();
    // The file is about to be destroyed.
    void forget(const TableFile& file);

private:
    // Memory beyond this is not kept for the next piece.
    static constexpr std::size_t kKept_bytes_max = std::size_t{1} << 20;

    struct Pending {
        TableFile* file = nullptr;
        FilePiece piece;
        std::string compressed;
    };
    bool is_enough() const noexcept;
    void compress(std::size_t lane, Pending& one);
    [[nodiscard]] Result<void> append(Pending& one);
    void keep_room(std::string text);

    const FileSinkConfig& config_;
    Disk& disk_;
    TaskPool& pool_;
    const Appended appended_;
    std::vector<std::unique_ptr<Compressor>> compressors_;  // by lane, made when they are needed
    std::vector<Pending> pending_;
    std::size_t used_ = 0;  // the first of them; the others have memory
    std::size_t pending_bytes_ = 0;
    std::vector<std::string> rooms_;  // empty, with memory
    std::vector<TableFile*> with_descriptor_;
};

}  // namespace pgc
