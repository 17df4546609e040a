// Where files are, below the root that the user names, with the layout they have by default
// (layout_template.h):
//
//   orders/20261130T174500Z/streaming.csv.gz     a batch of a table: a folder that appears whole
//                           schema.yml
//                           manifest.json
//                           ddl.sql              where the batch saw DDL
//   checkpoint.json                              everything before its LSN is complete
//   .pg-capture/open/17/streaming.csv.gz         file 17, which is being written
//   .pg-capture/closing.json                     the folders that a seal moves (closing.h)
//   .pg-capture/removing.json                    the folders that are being removed (cleaner.h)
//   .pg-capture/lock
//
// Names of batches rise, also when the clock goes back: a loader that reads names in order misses
// none. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "sink/file/layout_template.h"
#include "sink/file_registry/registry.h"

namespace pgc {

inline constexpr std::string_view kCheckpointName = "checkpoint.json";
inline constexpr std::string_view kManifestName = "manifest.json";
inline constexpr std::string_view kSchemaName = "schema.yml";

std::string hidden_folder(const std::string& root);
std::string open_files_folder(const std::string& root);
std::string open_file_folder(const std::string& root, std::uint64_t id);
std::string relative_open_folder(std::uint64_t id);  // below the root
std::string closing_path(const std::string& root);
std::string removing_path(const std::string& root);
std::string lock_path(const std::string& root);

// A name of a table as a folder's: letters, digits, '_', '-' and, but for the first, '.' stand as
// they are, other bytes as %XX. One that would be too long for a file system is cut and ends in a
// hash of all of it.
std::string folder_name(std::string_view name);

// What stands for each table in the layout. The first of a name has it for itself, the next is
// schema.name, where they would meet.
class TableFolders {
public:
    explicit TableFolders(LayoutTemplate layout) : layout_(std::move(layout)) {}

    // Where two of them would meet, which another layout had kept apart, the second gets another.
    void restore(const std::vector<std::pair<TableId, std::string>>& folders);
    // Taken by the first call for a table.
    const std::string& of(const TableId& table);
    // Those that were taken since it was asked last.
    std::vector<std::pair<TableId, std::string>> take_new() { return std::exchange(new_, {}); }

private:
    const LayoutTemplate layout_;
    std::map<TableId, std::string> folders_;
    std::set<std::string> places_;
    std::vector<std::pair<TableId, std::string>> new_;
};

// "20261130T174500Z"; above `last`, if need be by a second.
std::string batch_name(WallTime at, const std::string& last);

}  // namespace pgc
