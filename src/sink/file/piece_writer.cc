#include "sink/file/piece_writer.h"

#include <algorithm>
#include <utility>

namespace pgc {

PieceWriter::PieceWriter(const FileSinkConfig& config, Disk& disk, TaskPool& pool,
                         Appended appended)
    : config_(config),
      disk_(disk),
      pool_(pool),
      appended_(std::move(appended)),
      compressors_(pool.lanes()) {}

Result<void> PieceWriter::take(TableFile& file) {
    std::string room;
    if (file.buffered() >= kPiece_bytes && !rooms_.empty()) {
        room = std::move(rooms_.back());
        rooms_.pop_back();
    }
    if (used_ == pending_.size()) pending_.emplace_back();
    Pending& one = pending_[used_++];
    one.file = &file;
    one.piece = file.take(std::move(room));
    pending_bytes_ += one.piece.text.size();
    return is_enough() ? write() : Result<void>{};
}

// With one lane nothing is gained by waiting.
bool PieceWriter::is_enough() const noexcept {
    const std::size_t lanes = pool_.lanes();
    return used_ >= kPieces_max || lanes < 2 || pending_bytes_ >= 2 * lanes * kPiece_bytes;
}

Result<void> PieceWriter::write() {
    pool_.for_each(
        used_, [this](std::size_t lane, std::size_t number) { compress(lane, pending_[number]); });
    pending_bytes_ = 0;
    const std::size_t used = std::exchange(used_, 0);
    for (std::size_t i = 0; i < used; ++i) {
        if (auto done = append(pending_[i]); !done) return done;
    }
    return {};
}

void PieceWriter::compress(std::size_t lane, Pending& one) {
    auto& compressor = compressors_[lane];
    if (compressor == nullptr) compressor = make_compressor(config_.compression, config_.level);
    one.compressed.clear();
    compressor->compress(one.piece.text, one.compressed);
}

Result<void> PieceWriter::append(Pending& one) {
    const bool had_descriptor = one.file->has_descriptor();
    if (auto done = one.file->append(disk_, one.piece, one.compressed); !done) return done;
    if (!had_descriptor) {
        if (with_descriptor_.size() >= kDescriptors_max) {
            for (TableFile* file : std::exchange(with_descriptor_, {})) file->let_go();
        }
        with_descriptor_.push_back(one.file);
    }
    appended_(*one.file);
    keep_room(std::move(one.piece.text));
    if (one.compressed.capacity() > kKept_bytes_max) one.compressed = {};
    return {};
}

void PieceWriter::keep_room(std::string text) {
    const bool fits = text.capacity() >= kPiece_bytes && text.capacity() <= kKept_bytes_max;
    if (!fits || rooms_.size() >= 2 * pool_.lanes()) return;
    text.clear();
    rooms_.push_back(std::move(text));
}

void PieceWriter::forget(const TableFile& file) {
    std::erase(with_descriptor_, &file);
}

}  // namespace pgc
