// Every query and command of a snapshot: plain functions to text.
//
// Each begins with a comment that names it. Catalog names need no schema: session.h pins
// search_path. Versions as 150018.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/ids.h"
#include "core/relation.h"
#include "postgres/snapshot/copy_rows.h"
#include "postgres/snapshot/key.h"

namespace pgc {

// A table as it lies in the database. What a row is shown as may be another: a partition's is
// its root's where the publication says so.
struct TableAddress {
    Oid oid;
    std::string schema;
    std::string name;
    bool operator==(const TableAddress&) const = default;
};

std::string create_temporary_slot_command(int version, std::string_view slot);
std::string drop_slot_command(std::string_view slot);

// One row for each table that holds published rows: oid, schema, name, shown_oid, shown_schema,
// shown_name, bytes, filter.
std::string snapshot_tables_query(int version, std::string_view publication);

struct OpeningOfTable {
    std::string_view snapshot;  // exported
    const TableAddress& table;
    Duration statement_timeout{0};  // zero: none
};
// Ends what there was before, then reads in the snapshot and keeps the table as it is. One row:
// same (the table has not been rewritten, renamed or dropped since the snapshot).
std::string open_table_command(const OpeningOfTable& opening);

// To be sent by itself, as one statement: it is refused unless the text between the parentheses is
// a condition and nothing else. Only then may it stand in a COPY, which takes what follows.
std::string check_condition_query(const TableAddress& table, std::string_view condition);

// One row for each published column, in order: name, type, modifier, type_name,
// is_identity, and of the table identity, rows (an estimate, -1: unknown), pages. $-less: `shown`
// is what rows come as.
std::string snapshot_columns_query(int version, std::string_view publication,
                                   const TableAddress& table, const TableAddress& shown);

// Rows with a column for each of the key's: the keys that cut the table into about `parts`
// parts of equal size, by a sample of `percent` of its pages.
std::string split_query(const TableAddress& table, std::span<const std::string> key,
                        std::uint32_t parts, double percent);

// What one COPY reads.
struct CopyTask {
    const TableAddress& table;
    std::span<const std::string> columns;
    std::string condition{};               // empty: all rows
    std::span<const std::string> order{};  // by these columns; none: as they lie
    std::uint64_t limit = 0;               // 0: none
    CopyForm form = CopyForm::binary;
};
std::string copy_command(const CopyTask& task);

// Rows whose places lie in pages [from, upto); no `upto`: to the end. 14 and later.
std::string pages_condition(std::uint32_t from, std::optional<std::uint32_t> upto);

}  // namespace pgc
