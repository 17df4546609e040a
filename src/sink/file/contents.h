// What the small files of a batch say: schema.yml, manifest.json; and checkpoint.json at the root.
// docs/reference/files.md describes them for loaders. Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/lsn.h"
#include "core/relation.h"
#include "sink/file/ddl.h"
#include "sink/file_registry/registry.h"

namespace pgc {

// The columns of a table from a commit on.
struct SchemaVersion {
    struct Column {
        std::string name;
        std::string type;  // as SQL has it: "numeric(10,2)"
        bool nullable = true;
        bool key = false;
        bool operator==(const Column&) const = default;
    };
    Lsn from;
    std::vector<Column> columns;
};
SchemaVersion schema_version(const Relation& relation, Lsn from);

// What of a file outlives a crash beside its length: OpenFile::details.
struct FileDetails {
    std::string name;  // in its folder
    std::string heading;
    std::vector<SchemaVersion> schemas;
    std::vector<DdlStatement> ddl{};  // what changed the table since the batch before
    std::string form{};  // how its lines are written (FileSinkConfig); empty: nobody knows
};
std::string write_details(const FileDetails& details);
// Nothing if it isn't one that was written here.
std::optional<FileDetails> read_details(std::string_view text);

std::string schema_text(const CompleteFile& file, const FileDetails& details);
struct ManifestContext {
    std::string_view pipeline;
    std::string_view url;    // what loaders call the root, with a '/' at its end; empty: nothing
    std::uint64_t seal = 0;  // the number of the one that registers the files
};
// Of a batch with rows, with DDL, or with both; null: it has no such file.
std::string manifest_text(const CompleteFile* rows, const CompleteFile* ddl,
                          const ManifestContext& context);

struct FilesCheckpoint {
    std::string pipeline;
    std::uint64_t seal = 0;
    Lsn complete;  // every change that committed before is in a batch that loaders can see
    WallTime written_at;
};
std::string checkpoint_text(const FilesCheckpoint& checkpoint);

}  // namespace pgc
