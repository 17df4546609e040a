#include "sink/file/table_file.h"

#include <algorithm>
#include <utility>

#include "base/crc32c.h"

namespace pgc {

TableFile::TableFile(OpenFile state, FileDetails details, std::string folder)
    : state_(std::move(state)),
      details_(std::move(details)),
      folder_(std::move(folder)),
      taken_(state_.bytes > 0),
      exists_(state_.bytes > 0) {
    state_.details = {};  // details_ has them
    for (const DdlStatement& statement : details_.ddl) ddl_bytes_ += statement.bytes();
    // What was registered may be visible and not durable yet: it is synced with the next seal.
    if (state_.bytes > 0 || details_.heading.empty()) return;
    buffer_ = details_.heading;
    buffer_ += '\n';
    changed_ = true;
}

void TableFile::add(std::string_view line, Lsn commit) {
    buffer_ += line;
    buffer_ += '\n';
    ++buffered_rows_;
    if (!buffered_first_) buffered_first_ = commit;
    buffered_first_ = std::min(buffered_first_, commit);
    buffered_last_ = std::max(buffered_last_, commit);
    changed_ = true;
}

void TableFile::note_schema(SchemaVersion version) {
    if (!details_.schemas.empty() && details_.schemas.back().columns == version.columns) return;
    details_.schemas.push_back(std::move(version));
    changed_ = true;
}

void TableFile::note_ddl(DdlStatement statement) {
    if (kind() == FileKind::ddl) {
        if (!state_.first_lsn) state_.first_lsn = statement.commit_lsn;
        state_.last_lsn = std::max(state_.last_lsn, statement.commit_lsn);
    }
    ddl_bytes_ += statement.bytes();
    details_.ddl.push_back(std::move(statement));
    changed_ = true;
}

std::vector<DdlStatement> TableFile::take_ddl() {
    ddl_bytes_ = 0;
    return std::exchange(details_.ddl, {});
}

Result<void> TableFile::open(Disk& disk) {
    if (file_ != nullptr) return {};
    const std::string path = folder_ + "/" + name();
    if (!exists_) {
        if (auto made = disk.make_folder(folder_); !made) return made;
    }
    auto file = exists_ ? disk.append(path, state_.bytes) : disk.create(path);
    if (!file) return std::unexpected(std::move(file.error()));
    file_ = std::move(*file);
    exists_ = true;
    return {};
}

FilePiece TableFile::take(std::string room) {
    FilePiece piece{.text = std::exchange(buffer_, std::move(room)),
                    .rows = std::exchange(buffered_rows_, 0),
                    .first = std::exchange(buffered_first_, {}),
                    .last = std::exchange(buffered_last_, {})};
    taken_ = true;
    return piece;
}

Result<void> TableFile::append(Disk& disk, const FilePiece& piece, std::string_view compressed) {
    if (auto opened = open(disk); !opened) return opened;
    synced_ = false;
    if (auto written = file_->write(compressed); !written) return written;
    state_.bytes += compressed.size();
    plain_bytes += piece.text.size();
    written_bytes += compressed.size();
    state_.crc32c = crc32c(state_.crc32c, compressed);
    state_.rows += piece.rows;
    if (piece.first) {
        state_.first_lsn = state_.first_lsn ? std::min(state_.first_lsn, piece.first) : piece.first;
        state_.last_lsn = std::max(state_.last_lsn, piece.last);
    }
    return {};
}

Result<void> TableFile::sync(Disk& disk) {
    if (synced_ || kind() == FileKind::ddl) return {};
    const bool had_descriptor = has_descriptor();
    // A file of which nothing is written yet has a name all the same: an empty table's.
    if (auto opened = open(disk); !opened) return opened;
    if (auto done = file_->sync(); !done) return done;
    if (!had_descriptor) let_go();
    if (!named_) {
        if (auto done = disk.sync_folder(folder_); !done) return done;
        named_ = true;
    }
    synced_ = true;
    return {};
}

OpenFile TableFile::note() {
    changed_ = false;
    OpenFile noted = state_;
    noted.details = write_details(details_);
    return noted;
}

}  // namespace pgc
