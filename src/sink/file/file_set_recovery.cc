// What FileSet does with what a process before it left: moves of a seal that was not committed are
// undone, open files are cut to what the registry has of them.
#include <fmt/core.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>

#include "sink/file/closing.h"
#include "sink/file/disk_error.h"
#include "sink/file/file_set.h"
#include "sink/file/root_owner.h"

namespace pgc {
namespace {

// Rows of it were registered, and confirmed to the source: they come no more by themselves.
Error shorter(const OpenFile& open, const std::string& path, std::optional<std::uint64_t> size) {
    return stop(Error::Category::position,
                fmt::format("an open file is {}, but the registry has {} bytes of it",
                            size ? fmt::format("{} bytes long", *size) : "gone", open.bytes))
        .at(path)
        .with_hint(fmt::format(
            "put the folder back as it was; or go on without it, after which {} rows of {}.{} are "
            "missing in the files until a snapshot of the table has been taken: DELETE FROM "
            "cdc_registry.batch_progress WHERE id = {}",
            open.rows, open.table.schema, open.table.name, open.id));
}

// It does not have the seal before either: what it says of these files is worth nothing.
Error older_registry(const std::string& path, std::uint64_t closing, std::uint64_t seal) {
    return stop(Error::Category::position,
                fmt::format("files were moved for seal {}, and the registry is at {}: it is older "
                            "than they are, or another one",
                            closing, seal))
        .at(path)
        .with_hint(
            "connect to the registry that goes with this root, or restore it; or give the "
            "pipeline another file.root. If the registry was begun again on purpose, remove "
            "this file: the batches that are there stay, and are not registered");
}

}  // namespace

Result<void> FileSet::recover(const RegistryContent& content) {
    if (auto ours = claim_root(disk_, config_, clock_.wall()); !ours) return ours;
    last_id_ = content.last_id;
    last_batch_ = content.last_batch;
    folders_.restore(content.folders);
    reloads_.restore(content);
    if (auto done = undo_moves(content.seal); !done) return done;
    if (auto done = remove_unknown(content); !done) return done;
    for (const OpenFile& open : content.open) {
        if (auto done = restore(open); !done) return done;
    }
    return {};
}

// A seal that the registry does not have did not happen.
Result<void> FileSet::undo_moves(std::uint64_t seal) {
    const std::string path = closing_path(config_.root);
    auto text = disk_.read(path);
    if (!text) return std::unexpected(std::move(text.error()));
    if (!*text) return {};
    const auto closing = read_closing(**text);
    if (!closing) {
        return std::unexpected(
            stop(Error::Category::position, "what the last process was about to move can't be read")
                .at(path)
                .with_hint("put the file back from a copy; it is small, and only "
                           "pg-capture writes it"));
    }
    if (closing->seal <= seal) return {};
    if (closing->seal > seal + 1) return std::unexpected(older_registry(path, closing->seal, seal));
    std::set<std::string> parents;
    for (const FolderMove& move : closing->moves) {
        const std::string from = config_.root + "/" + move.from;
        const std::string to = config_.root + "/" + move.to;
        const auto moved = disk_.list(to);
        if (!moved) return std::unexpected(moved.error());
        if (moved->empty()) continue;
        if (auto done = disk_.rename(to, from); !done) return done;
        parents.insert(parent_folder(to));
        parents.insert(parent_folder(from));
        for (const std::string_view name : {kSchemaName, kManifestName, kDdlName}) {
            if (auto done = disk_.remove(from + "/" + std::string{name}); !done) return done;
        }
    }
    if (auto done = sync_folders(parents); !done) return done;
    return disk_.remove(path);
}

Result<void> FileSet::remove_unknown(const RegistryContent& content) {
    const std::string folder = open_files_folder(config_.root);
    const auto names = disk_.list(folder);
    if (!names) return std::unexpected(names.error());
    std::set<std::string> known;
    for (const OpenFile& open : content.open) known.insert(std::to_string(open.id));
    for (const std::string& name : *names) {
        if (known.contains(name)) continue;
        if (auto done = disk_.remove(folder + "/" + name); !done) return done;
    }
    return {};
}

Result<void> FileSet::restore(const OpenFile& open) {
    auto details = read_details(open.details);
    const std::string folder = open_file_folder(config_.root, open.id);
    if (!details) {
        return std::unexpected(
            stop(Error::Category::position, "what the registry says of an open file can't be read")
                .at(fmt::format("cdc_registry.batch_progress, id {}", open.id)));
    }
    if (open.kind == FileKind::ddl) {
        auto file = std::make_unique<TableFile>(open, std::move(*details), folder);
        table(open.table).ddl = file.get();
        note_due_at(due_at(*file));
        files_.emplace(open.id, std::move(file));
        return {};
    }
    const std::string path = folder + "/" + details->name;
    const auto size = disk_.size(path);
    if (!size) return std::unexpected(size.error());
    if (!*size || **size < open.bytes) return std::unexpected(shorter(open, path, *size));
    auto file = std::make_unique<TableFile>(open, std::move(*details), folder);
    Table& entry = table(open.table);
    TableFile*& current = open.kind == FileKind::full_reload ? entry.full_reload : entry.streaming;
    if (current != nullptr) current->superseded = true;
    current = file.get();
    // Written with other settings: it is closed as it is.
    const std::string& form = file->details().form;
    if (file->name() != name_of(open.kind) || (!form.empty() && form != config_.form)) {
        file->superseded = true;
        current = nullptr;
    }
    if (open.kind == FileKind::streaming) note_due_at(due_at(*file));
    files_.emplace(open.id, std::move(file));
    return {};
}

}  // namespace pgc
