#include "cli/files_listing.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <utility>

#include "cli/table.h"
#include "observe/json_text.h"
#include "observe/status_line.h"
#include "observe/wall_text.h"
#include "sink/file_registry/checksum.h"

namespace pgc {
namespace {

// Members of one JSON object.
class JsonObject {
public:
    JsonObject& text(std::string_view name, std::string_view value) {
        next();
        append_json_field(out_, name, value);
        return *this;
    }
    JsonObject& number(std::string_view name, std::uint64_t value) {
        next();
        out_ += fmt::format("\"{}\":{}", name, value);
        return *this;
    }
    JsonObject& flag(std::string_view name, bool value) {
        next();
        out_ += fmt::format("\"{}\":{}", name, value);
        return *this;
    }
    JsonObject& table(const TableId& table) {
        return text("schema", table.schema).text("table", table.name);
    }
    std::string take() && { return std::move(out_ += '}'); }

private:
    void next() {
        if (out_.size() > 1) out_ += ',';
    }
    std::string out_ = "{";
};

std::string json_list(std::string_view name, const std::vector<std::string>& objects) {
    return fmt::format("{{\"{}\":[{}]}}\n", name, fmt::join(objects, ","));
}

std::string as_object(const IndexedFile& one) {
    const CompleteFile& file = one.file;
    JsonObject object;
    object.number("id", one.id)
        .table(file.table)
        .text("type", kFileKinds.word(file.kind))
        .text("batch", file.batch)
        .text("path", file.path)
        .text("begin_lsn", to_string(file.begin_lsn))
        .text("end_lsn", to_string(file.end_lsn))
        .number("rows", file.rows)
        .number("bytes", file.bytes)
        .text("checksum", checksum_text(file.crc32c))
        .flag("has_ddl", file.has_ddl)
        .flag("cut", file.cut)
        .text("closed_at", time_text(file.closed_at))
        .text("registered_at", time_text(one.registered_at))
        .flag("loaded", one.loaded);
    if (one.loaded_at) object.text("loaded_at", time_text(*one.loaded_at));
    return std::move(object).take();
}

std::string loaded_text(std::uint64_t files, std::uint64_t not_loaded) {
    if (not_loaded == 0) return "yes";
    return not_loaded == files ? "no" : fmt::format("{} of {}", files - not_loaded, files);
}

}  // namespace

std::string table_text(const TableId& table) {
    return printable(table.schema + "." + table.name);
}

std::string time_text(WallTime at) {
    std::string text;
    append_wall_time(text, at);
    return text;
}

void FilesList::add(const IndexedFile& file) {
    const std::string& path = file.file.path;
    switch (by_) {
        case FilesListing::file: files_.push_back(file); return;
        case FilesListing::batch:
            add_to(sums_[{file.file.table, path.substr(0, path.rfind('/'))}], file);
            return;
        case FilesListing::table: add_to(sums_[{file.file.table, {}}], file); return;
    }
}

void FilesList::add_to(Sum& sum, const IndexedFile& one) {
    const CompleteFile& file = one.file;
    if (sum.files == 0) sum.oldest = sum.newest = file.closed_at;
    if (sum.batch != file.batch) ++sum.batches;  // batches of a table are registered in order
    sum.table = file.table;
    sum.batch = file.batch;
    sum.folder = file.path.substr(0, file.path.rfind('/'));
    ++sum.files;
    if (!one.loaded) ++sum.not_loaded;
    sum.rows += file.rows;
    sum.bytes += file.bytes;
    sum.last_lsn = std::max(sum.last_lsn, file.end_lsn);
    sum.oldest = std::min(sum.oldest, file.closed_at);
    sum.newest = std::max(sum.newest, file.closed_at);
}

std::vector<std::vector<std::string>> FilesList::file_rows() const {
    std::vector<std::vector<std::string>> rows{
        {"TABLE", "TYPE", "ROWS", "SIZE", "END LSN", "CLOSED", "LOADED", "PATH"}};
    for (const IndexedFile& one : files_) {
        const CompleteFile& file = one.file;
        rows.push_back({table_text(file.table), std::string{kFileKinds.word(file.kind)},
                        grouped(file.rows), readable_bytes(file.bytes), to_string(file.end_lsn),
                        time_text(file.closed_at), one.loaded ? "yes" : "no",
                        printable(file.path)});
    }
    return rows;
}

std::vector<std::vector<std::string>> FilesList::batch_rows() const {
    std::vector<std::vector<std::string>> rows{
        {"TABLE", "BATCH", "FILES", "ROWS", "SIZE", "END LSN", "CLOSED", "LOADED", "FOLDER"}};
    for (const auto& [key, sum] : sums_) {
        rows.push_back({table_text(sum.table), printable(sum.batch), grouped(sum.files),
                        grouped(sum.rows), readable_bytes(sum.bytes), to_string(sum.last_lsn),
                        time_text(sum.newest), loaded_text(sum.files, sum.not_loaded),
                        printable(sum.folder)});
    }
    return rows;
}

std::vector<std::vector<std::string>> FilesList::table_rows() const {
    std::vector<std::vector<std::string>> rows{
        {"TABLE", "BATCHES", "FILES", "ROWS", "SIZE", "END LSN", "OLDEST", "NEWEST", "NOT LOADED"}};
    for (const auto& [key, sum] : sums_) {
        rows.push_back({table_text(sum.table), grouped(sum.batches), grouped(sum.files),
                        grouped(sum.rows), readable_bytes(sum.bytes), to_string(sum.last_lsn),
                        time_text(sum.oldest), time_text(sum.newest), grouped(sum.not_loaded)});
    }
    return rows;
}

std::string FilesList::as_text() const {
    if (files_.empty() && sums_.empty()) return "No such file is registered.\n";
    switch (by_) {
        case FilesListing::file: return aligned(file_rows());
        case FilesListing::batch: return aligned(batch_rows());
        case FilesListing::table: return aligned(table_rows());
    }
    return {};
}

std::string FilesList::as_json() const {
    std::vector<std::string> objects;
    for (const IndexedFile& one : files_) objects.push_back(as_object(one));
    for (const auto& [key, sum] : sums_) {
        JsonObject object;
        object.table(sum.table);
        if (by_ == FilesListing::batch) {
            object.text("batch", sum.batch).text("folder", sum.folder);
        } else {
            object.number("batches", sum.batches);
        }
        object.number("files", sum.files)
            .number("not_loaded", sum.not_loaded)
            .number("rows", sum.rows)
            .number("bytes", sum.bytes)
            .text("end_lsn", to_string(sum.last_lsn))
            .text("oldest_closed_at", time_text(sum.oldest))
            .text("newest_closed_at", time_text(sum.newest));
        objects.push_back(std::move(object).take());
    }
    const bool by_batch = by_ == FilesListing::batch;
    return json_list(by_ == FilesListing::file ? "files"
                     : by_batch                ? "batches"
                                               : "tables",
                     objects);
}

std::string batches_text(const std::vector<OldBatch>& batches) {
    std::vector<std::vector<std::string>> rows{
        {"TABLE", "BATCH", "FILES", "ROWS", "SIZE", "CLOSED", "LOADED", "FOLDER"}};
    for (const OldBatch& batch : batches) {
        rows.push_back({table_text(batch.table), printable(batch.batch),
                        grouped(batch.paths.size()), grouped(batch.rows),
                        readable_bytes(batch.bytes), time_text(batch.closed_at),
                        batch.loaded ? "yes" : "no", printable(batch.folder)});
    }
    return aligned(rows);
}

std::string batches_json(const std::vector<OldBatch>& batches) {
    std::string out = "[";
    for (const OldBatch& batch : batches) {
        if (out.size() > 1) out += ',';
        JsonObject object;
        object.table(batch.table)
            .text("batch", batch.batch)
            .text("folder", batch.folder)
            .number("files", batch.paths.size())
            .number("rows", batch.rows)
            .number("bytes", batch.bytes)
            .text("closed_at", time_text(batch.closed_at))
            .flag("loaded", batch.loaded);
        out += std::move(object).take();
    }
    return out + "]";
}

}  // namespace pgc
