#include "sink/file/file_set.h"

#include <fmt/core.h>

#include <algorithm>
#include <set>
#include <utility>

#include "sink/file/disk_error.h"

namespace pgc {
namespace {

// A batch that could not be closed in the midst of a transaction is looked at again after this.
constexpr std::int64_t kLookAgain_us = 1'000'000;

bool is_row(const Record& record) noexcept {
    return record.destination == Destination::own && record.relation != nullptr && record.has_value;
}

Error no_place_for_dead_letters() {
    return stop(Error::Category::internal,
                "a record that could not be written as it is has no place among files");
}

Result<void> first_failure(std::vector<Result<void>>& done) {
    const auto failed = std::ranges::find_if(done, [](const Result<void>& one) { return !one; });
    return failed == done.end() ? Result<void>{} : std::move(*failed);
}

std::string_view word_for(FileKind kind) {
    return kFileKinds.word(kind);
}

}  // namespace

FileSet::FileSet(const FileSinkConfig& config, Disk& disk, const Clock& clock,
                 std::unique_ptr<TaskPool> pool)
    : config_(config),
      disk_(disk),
      clock_(clock),
      pool_(pool != nullptr ? std::move(pool) : std::make_unique<InTurn>()),
      pieces_(config, disk, *pool_,
              [this](const TableFile& file) {
                  if (is_full(file)) note_due_at(clock_.wall());
              }),
      layout_(config.layout),
      folders_(layout_) {}

Result<bool> FileSet::lock() {
    if (lock_ != nullptr) return true;
    if (auto made = disk_.make_folder(open_files_folder(config_.root)); !made) {
        return std::unexpected(std::move(made.error()));
    }
    auto lock = disk_.lock(lock_path(config_.root));
    if (!lock) return std::unexpected(std::move(lock.error()));
    lock_ = std::move(*lock);
    return lock_ != nullptr;
}

// -- writing --------------------------------------------------------------------------------

Result<void> FileSet::write(const RecordBatch& batch) {
    const FileKind kind = batch.lane == kSnapshotLane ? FileKind::full_reload : FileKind::streaming;
    const Relation* relation = nullptr;
    TableFile* file = nullptr;
    std::size_t next_message = 0;
    for (const Record& record : batch.records) {
        if (record.destination == Destination::dead_letters) {
            return std::unexpected(no_place_for_dead_letters());
        }
        if (!is_row(record)) continue;
        if (take_messages(batch, next_message, &record)) relation = nullptr;
        if (record.relation != relation) {
            relation = record.relation;
            file = &file_for(route(*relation), kind, record.commit_lsn);
        }
        file->add(record.value, record.commit_lsn);
        buffered_ += record.value.size() + 1;
        if (file->buffered() >= PieceWriter::kPiece_bytes) {
            buffered_ -= std::min(buffered_, file->buffered());
            if (auto done = pieces_.take(*file); !done) return done;
        }
    }
    take_messages(batch, next_message, nullptr);
    return buffered_ > kBuffered_max ? flush_all() : Result<void>{};
}

FileSet::Route& FileSet::route(const Relation& relation) {
    if (Route* const known = routes_.find(relation)) return *known;
    return *routes_.keep(relation, {.serial = relation.serial,
                                    .table = &table({relation.schema, relation.name}),
                                    .heading = config_.heading(relation),
                                    .schema = schema_version(relation, Lsn{})});
}

FileSet::Table& FileSet::table(const TableId& id) {
    Table& table = tables_[id];
    table.id = id;
    return table;
}

// One whose heading is another needs another file: no reader expects two in one.
TableFile& FileSet::file_for(Route& route, FileKind kind, Lsn commit) {
    Table& table = *route.table;
    TableFile*& file = kind == FileKind::full_reload ? table.full_reload : table.streaming;
    if (file != nullptr && file->details().heading != route.heading) {
        file->superseded = true;
        if (kind == FileKind::streaming) note_due_at(clock_.wall());
        file = nullptr;
    }
    if (file == nullptr) {
        file = &make_file(table.id, kind,
                          {.name = name_of(kind), .heading = route.heading, .form = config_.form});
    }
    if (file->serial != route.serial) {
        file->serial = route.serial;
        SchemaVersion schema = route.schema;
        schema.from = commit;
        file->note_schema(std::move(schema));
    }
    if (kind == FileKind::streaming && table.ddl != nullptr) adopt_ddl(table, *file);
    return *file;
}

TableFile& FileSet::make_file(const TableId& table, FileKind kind, FileDetails details) {
    OpenFile state{.id = ++last_id_,
                   .table = table,
                   .kind = kind,
                   .first_lsn = {},
                   .last_lsn = {},
                   .opened_at = clock_.wall(),
                   .details = {}};
    auto file = std::make_unique<TableFile>(std::move(state), std::move(details),
                                            open_file_folder(config_.root, last_id_));
    TableFile& made = *file;
    buffered_ += made.buffered();
    files_.emplace(made.id(), std::move(file));
    if (kind != FileKind::full_reload) note_due_at(due_at(made));
    return made;
}

std::string FileSet::name_of(FileKind kind) const {
    return fmt::format("{}.{}{}", word_for(kind), config_.extension,
                       extension(config_.compression));
}

Result<void> FileSet::end_table(const SnapshotTableEnd& table) {
    const TableId id{table.schema, table.name};
    Table& entry = this->table(id);
    if (table.whole && entry.full_reload == nullptr && table.relation != nullptr) {
        file_for(route(*table.relation), FileKind::full_reload, Lsn{});
    }
    for (const auto& [number, file] : files_) {
        if (file->kind() != FileKind::full_reload || file->table() != id) continue;
        if (!file->ended) {
            file->snapshot = table.id;
            file->as_of = table.as_of;
        }
        file->ended = true;
        file->given_up = file->given_up || !table.whole;
    }
    entry.full_reload = nullptr;
    reloads_.table_ended(table, clock_.wall());
    note_due_at(clock_.wall());
    return {};
}

// What is there of the table, or of all, is left of a snapshot that was given up, or begins again.
void FileSet::give_up_rest(const TableId* only) {
    for (const auto& [number, file] : files_) {
        const bool rest = file->kind() == FileKind::full_reload && !file->ended;
        if (!rest || (only != nullptr && file->table() != *only)) continue;
        file->given_up = true;
        table(file->table()).full_reload = nullptr;
    }
}

void FileSet::change_reload(const ReloadChange& change) {
    using Step = ReloadChange::Step;
    const TableId id{change.schema, change.name};
    if (change.step == Step::voided) return give_up_rest(&id);
    if (change.step == Step::restored && !change.half_read) give_up_rest(nullptr);
    if (reloads_.take(change, clock_.wall())) note_due_at(clock_.wall());
}

Result<void> FileSet::flush_all() {
    for (const auto& [id, file] : files_) {
        if (file->given_up || !file->has_piece()) continue;
        if (auto done = pieces_.take(*file); !done) return done;
    }
    buffered_ = 0;
    return pieces_.write();
}

// -- sealing --------------------------------------------------------------------------------

WallTime FileSet::due_at(const TableFile& file) const noexcept {
    const std::int64_t every =
        std::chrono::duration_cast<std::chrono::microseconds>(config_.interval).count();
    return {(file.state().opened_at.unix_us / every + 1) * every};
}

bool FileSet::is_full(const TableFile& file, std::uint64_t batches) const noexcept {
    if (file.kind() == FileKind::full_reload) return false;
    const OpenFile& state = file.state();
    return (config_.bytes_max > 0 && state.bytes / batches >= config_.bytes_max) ||
           (config_.rows_max > 0 && state.rows / batches >= config_.rows_max) ||
           file.ddl_bytes() / batches >= kDdl_bytes_max;
}

bool FileSet::is_due(const TableFile& file, WallTime now) const noexcept {
    if (file.kind() == FileKind::full_reload) return file.ended;
    // A clock that went back does not keep it open for longer.
    const bool in_time = now >= file.state().opened_at && now < due_at(file);
    return file.superseded || is_full(file) || !in_time;
}

// A transaction is not cut, unless it is larger than a batch may be, or goes on in another file.
// Where other rows are before it in its file, it is if that is as large as two.
bool FileSet::may_close(const TableFile& file, const StoredPosition& position) const noexcept {
    if (file.kind() == FileKind::full_reload || !is_within(file, position)) return true;
    if (file.superseded) return goes_on(file);
    return is_full(file, file.state().first_lsn == file.state().last_lsn ? 1 : 2);
}

// A file that was begun later has rows of its last transaction.
bool FileSet::goes_on(const TableFile& file) const noexcept {
    return std::ranges::any_of(files_, [&](const auto& entry) {
        const TableFile& other = *entry.second;
        return other.id() > file.id() && other.table() == file.table() &&
               other.kind() == file.kind() && other.state().rows > 0 &&
               other.state().first_lsn <= file.state().last_lsn;
    });
}

bool FileSet::closes(const TableFile& file, const StoredPosition& position, WallTime now) const {
    if (!is_due(file, now) || !may_close(file, position)) return false;
    if (file.kind() != FileKind::ddl) return true;
    // Batches rise: the rows that came before it are in an earlier one.
    const auto at = tables_.find(file.table());
    const TableFile* const rows = at == tables_.end() ? nullptr : at->second.streaming;
    return rows == nullptr || closes(*rows, position, now);
}

bool FileSet::is_within(const TableFile& file, const StoredPosition& position) noexcept {
    return position.within != Position{} && file.state().last_lsn == position.within.commit;
}

CompleteFile FileSet::complete(const TableFile& file, const StoredPosition& position,
                               const std::string& batch, WallTime now) {
    const OpenFile& state = file.state();
    const bool cut = file.kind() == FileKind::streaming &&
                     (is_within(file, position) || (file.superseded && goes_on(file)));
    const Lsn none = file.as_of ? file.as_of : position.resume_at;
    return {.table = file.table(),
            .kind = file.kind(),
            .batch = batch,
            .path = path_of(file, batch, state.last_lsn ? state.last_lsn : none),
            .begin_lsn = state.first_lsn ? state.first_lsn : none,
            .end_lsn = state.last_lsn ? state.last_lsn : none,
            .rows = state.rows,
            .bytes = state.bytes,
            .crc32c = state.crc32c,
            .has_ddl = !file.details().ddl.empty(),
            .cut = cut,
            .closed_at = now,
            .snapshot = file.snapshot};
}

std::string FileSet::path_of(const TableFile& file, const std::string& batch, Lsn end) {
    return layout_.folder({.database = config_.database,
                           .schema = file.table().schema,
                           .folder = folders_.of(file.table()),
                           .name = batch,
                           .end_lsn = end,
                           .sequence = file.id()}) +
           "/" + file.name();
}

Result<RegistrySeal> FileSet::seal(const StoredPosition& position, std::uint64_t number) {
    if (auto done = flush_all(); !done) return std::unexpected(std::move(done.error()));
    RegistrySeal seal{.position = position};
    const WallTime now = clock_.wall();
    Closing closing{.seal = number, .moves = {}};
    std::map<TableId, std::string> names;  // the last one that was given out in this seal
    std::vector<Unsynced> unsynced;
    bool postponed = false;
    next_due_.reset();
    open_ddl_bytes_ = 0;
    checkpoint_ = {.pipeline = config_.pipeline,
                   .seal = number,
                   .complete = position.resume_at,
                   .written_at = now};
    for (const auto& [id, file] : files_) {
        if (file->given_up) {
            seal.closed.push_back(id);
            leftovers_.push_back(file->folder());
            continue;
        }
        if (!closes(*file, position, now)) {
            postponed = postponed || is_due(*file, now);
            keep_open(*file, seal);
            if (!file->is_durable()) unsynced.push_back({file.get(), std::nullopt});
            continue;
        }
        if (names.empty() || names.contains(file->table())) {
            last_batch_ = batch_name(now, last_batch_);
        }
        names[file->table()] = last_batch_;
        CompleteFile whole = complete(*file, position, last_batch_, now);
        closing.moves.push_back(
            {.from = relative_open_folder(id), .to = parent_folder(whole.path)});
        seal.closed.push_back(id);
        unsynced.push_back({file.get(), std::move(whole)});
    }
    if (postponed) note_due_at({now.unix_us + kLookAgain_us});
    if (auto done = make_durable(unsynced); !done) {
        return std::unexpected(std::move(done.error()));
    }
    for (Unsynced& one : unsynced) {
        if (one.complete) add_complete(seal, *one.file, std::move(*one.complete));
    }
    if (auto done = move(closing); !done) return std::unexpected(std::move(done.error()));
    closing_ = seal.closed;
    seal.folders = folders_.take_new();
    seal.ddl = std::exchange(ddl_, {});
    ddl_bytes_ = 0;
    if (!names.empty()) seal.last_batch = last_batch_;
    reloads_.add_to(seal, now);
    return seal;
}

void FileSet::keep_open(TableFile& file, RegistrySeal& seal) {
    if (file.kind() != FileKind::full_reload) {
        note_due_at(due_at(file));
        checkpoint_.complete = std::min(checkpoint_.complete, file.state().first_lsn);
    }
    open_ddl_bytes_ += file.ddl_bytes();
    if (file.changed()) seal.open.push_back(file.note());
}

Result<void> FileSet::make_durable(const std::vector<Unsynced>& files) {
    std::vector<Result<void>> done(files.size());
    pool_->for_each(files.size(), [&](std::size_t, std::size_t i) {
        done[i] = files[i].file->sync(disk_);
        if (done[i] && files[i].complete) done[i] = describe(*files[i].file, *files[i].complete);
    });
    return first_failure(done);
}

Result<void> FileSet::move(const Closing& closing) {
    if (closing.moves.empty()) return {};
    if (auto done = disk_.replace(closing_path(config_.root), write_closing(closing)); !done) {
        return done;
    }
    std::set<std::string> parents{open_files_folder(config_.root)};
    for (const FolderMove& move : closing.moves) {
        const std::string to = config_.root + "/" + move.to;
        if (auto done = disk_.make_folder(parent_folder(to)); !done) return done;
        if (auto done = disk_.rename(config_.root + "/" + move.from, to); !done) return done;
        parents.insert(parent_folder(to));
    }
    return sync_folders(parents);
}

Result<void> FileSet::sync_folders(const std::set<std::string>& folders) {
    const std::vector<std::string> all(folders.begin(), folders.end());
    std::vector<Result<void>> done(all.size());
    pool_->for_each(all.size(),
                    [&](std::size_t, std::size_t i) { done[i] = disk_.sync_folder(all[i]); });
    return first_failure(done);
}

Result<void> FileSet::sealed() {
    for (const std::uint64_t id : std::exchange(closing_, {})) {
        const auto at = files_.find(id);
        if (at == files_.end()) continue;
        Table& entry = table(at->second->table());
        if (entry.streaming == at->second.get()) entry.streaming = nullptr;
        if (entry.full_reload == at->second.get()) entry.full_reload = nullptr;
        if (entry.ddl == at->second.get()) entry.ddl = nullptr;
        pieces_.forget(*at->second);
        plain_bytes_ += at->second->plain_bytes;
        written_bytes_ += at->second->written_bytes;
        files_.erase(at);
    }
    for (const std::string& folder : std::exchange(leftovers_, {})) {
        if (auto done = disk_.remove(folder); !done) return done;
    }
    return disk_.replace(config_.root + "/" + std::string{kCheckpointName},
                         checkpoint_text(checkpoint_));
}

FilesInUse FileSet::in_use() const {
    FilesInUse use{.rows_of = {}, .plain_bytes = plain_bytes_, .written_bytes = written_bytes_};
    std::map<TableId, std::uint64_t> rows;
    for (const auto& [id, file] : files_) {
        use.plain_bytes += file->plain_bytes;
        use.written_bytes += file->written_bytes;
        if (std::ranges::binary_search(closing_, id)) continue;
        ++use.open;
        use.bytes += file->state().bytes;
        use.rows += file->state().rows;
        if (file->state().rows > 0) rows[file->table()] += file->state().rows;
    }
    use.rows_of.assign(rows.begin(), rows.end());
    return use;
}

void FileSet::note_due_at(WallTime at) noexcept {
    next_due_ = next_due_ ? std::min(*next_due_, at) : at;
}

}  // namespace pgc
