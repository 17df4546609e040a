// The registered files as text and as JSON: one by one, or added up by batch or table. Pure.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "cli/files_commands.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

class FilesList {
public:
    explicit FilesList(FilesListing by) : by_(by) {}

    // In the order of their ids.
    void add(const IndexedFile& file);

    // For people; of no files, one sentence.
    std::string as_text() const;
    // {"files":[…]}, {"batches":[…]} or {"tables":[…]}
    std::string as_json() const;

private:
    // A batch, or a table.
    struct Sum {
        TableId table;
        std::string batch;
        std::string folder;
        std::uint64_t files = 0;
        std::uint64_t not_loaded = 0;
        std::uint64_t rows = 0;
        std::uint64_t bytes = 0;
        std::uint64_t batches = 0;
        Lsn last_lsn;
        WallTime oldest;
        WallTime newest;
    };
    void add_to(Sum& sum, const IndexedFile& file);
    std::vector<std::vector<std::string>> file_rows() const;
    std::vector<std::vector<std::string>> batch_rows() const;
    std::vector<std::vector<std::string>> table_rows() const;

    const FilesListing by_;
    std::vector<IndexedFile> files_;
    std::map<std::pair<TableId, std::string>, Sum> sums_;  // by folder; of a table, by none
};

// Batches that may be removed, for people.
std::string batches_text(const std::vector<OldBatch>& batches);
std::string batches_json(const std::vector<OldBatch>& batches);

// "public.orders", fit for a terminal.
std::string table_text(const TableId& table);
std::string time_text(WallTime at);

}  // namespace pgc
