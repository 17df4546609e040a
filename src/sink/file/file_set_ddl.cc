// What FileSet does with DDL and with the small files that belong to a batch.
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "core/own_messages.h"
#include "sink/file/disk_error.h"
#include "sink/file/file_set.h"

namespace pgc {

// Those that come before a record, or all; false: there was none.
bool FileSet::take_messages(const RecordBatch& batch, std::size_t& next, const Record* before) {
    const std::size_t first = next;
    for (; next < batch.messages.size(); ++next) {
        const OwnMessage& message = batch.messages[next];
        if (before != nullptr && Position{message.commit_lsn, message.ordinal} >
                                     Position{before->commit_lsn, before->ordinal}) {
            break;
        }
        take_message(message);
    }
    return next > first;
}

void FileSet::take_message(const OwnMessage& message) {
    if (message.prefix != kDdlMessages) return;
    auto statement = read_ddl_message(message);
    if (!statement) return;
    const bool of_table = statement->concerns_a_table();
    if (of_table && !config_.captures(statement->object)) return;
    ddl_bytes_ += statement->bytes();
    if (ddl_bytes_ > kDdl_texts_max) statement->leave_out_text();
    ddl_.push_back(ddl_event(*statement));
    if (!of_table) return;
    Table& entry = table(statement->object);
    if (entry.ddl == nullptr) {
        entry.ddl = &make_file(entry.id, FileKind::ddl,
                               {.name = std::string{kDdlName}, .heading = {}, .schemas = {}});
    }
    const bool too_much = entry.ddl->ddl_bytes() > kDdl_texts_max ||
                          open_ddl_bytes_ + statement->bytes() > kDdl_open_max;
    if (too_much) statement->leave_out_text();
    open_ddl_bytes_ += statement->bytes();
    entry.ddl->note_ddl(std::move(*statement));
    if (is_full(*entry.ddl)) note_due_at(clock_.wall());
}

// The table's next row has come.
void FileSet::adopt_ddl(Table& table, TableFile& file) {
    for (DdlStatement& statement : table.ddl->take_ddl()) file.note_ddl(std::move(statement));
    table.ddl->given_up = true;
    table.ddl = nullptr;
    if (is_full(file)) note_due_at(clock_.wall());
}

// The small files that belong to a batch.
Result<void> FileSet::describe(const TableFile& file, const CompleteFile& whole) {
    const auto write = [&](std::string_view name, std::string_view text) {
        return disk_.replace(file.folder() + "/" + std::string{name}, text);
    };
    const std::vector<DdlStatement>& ddl = file.details().ddl;
    if (!ddl.empty()) {
        if (auto made = disk_.make_folder(file.folder()); !made) return made;
        if (auto done = write(kDdlName, ddl_text(ddl)); !done) return done;
    }
    const bool has_rows = file.kind() != FileKind::ddl;
    if (has_rows) {
        if (auto done = write(kSchemaName, schema_text(whole, file.details())); !done) return done;
    }
    const auto beside = ddl.empty() ? std::nullopt : std::optional{ddl_file(whole, ddl)};
    return write(kManifestName,
                 manifest_text(
                     has_rows ? &whole : nullptr, beside ? &*beside : nullptr,
                     {.pipeline = config_.pipeline, .url = config_.url, .seal = checkpoint_.seal}));
}

// First what comes first for whoever loads it.
void FileSet::add_complete(RegistrySeal& seal, const TableFile& file, CompleteFile whole) {
    if (whole.has_ddl) seal.complete.push_back(ddl_file(whole, file.details().ddl));
    if (file.kind() != FileKind::ddl) seal.complete.push_back(std::move(whole));
}

}  // namespace pgc
