// Every query and command of a snapshot: plain functions to text.
//
// Each begins with a comment that names it. Catalog names need no schema: pgclient/session.h pins
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
// shown_name, bytes, filter, above (of what is shown: catalog/lineage.h).
std::string snapshot_tables_query(int version, const std::vector<std::string>& publications);

struct OpeningOfTable {
    std::string_view snapshot;  // exported
    const TableAddress& table;
    Duration statement_timeout{0};  // zero: none
};
// Ends what there was before, then reads in the snapshot and keeps the table as it is. One row:
// same (the table has not been rewritten, renamed or dropped since the snapshot), and after it
// a NULL for each column that it has now: their Rows::fields are what the answer is about. Nothing
// but a parsed query shows the present, the catalog's rows being those of the snapshot.
std::string open_table_command(const OpeningOfTable& opening);

// Somebody's text is a condition, and nothing else, if the server takes both of these, each sent by
// itself as one statement. One has it between parentheses, the other between brackets: a text that
// closes what it did not open ("true) UNION ALL SELECT … WHERE (true") can't fit into both. Only
// then may it stand in a COPY.
std::string check_condition_query(const TableAddress& table, std::string_view condition);
std::string check_expression_query(const TableAddress& table, std::string_view condition);

// One row for each published column, in order: name, type, modifier,
// is_identity, and of the table identity, rows (an estimate, -1: unknown), pages. $-less: `shown`
// is what rows come as.
std::string snapshot_columns_query(int version, const std::vector<std::string>& publications,
                                   const TableAddress& table, const TableAddress& shown);

// The table as it was in the snapshot, and how to order it by its key. One row for each of its
// columns: number, name, type, modifier (of a domain: of its base). Of those in `key`, the names of
// the key's columns, if an index of `shown` makes just these unique: type_name, collation, less,
// at_most, equal, at_least, greater (as OrderedColumn), and what distinguishes this order from
// another, empty for the usual one.
std::string snapshot_order_query(int version, const TableAddress& table, const TableAddress& shown,
                                 std::span<const std::string> key);

// Rows with a column for each of the key's: the keys that cut the table into about `parts`
// parts of equal size, by a sample of `percent` of its pages.
std::string split_query(const TableAddress& table, std::span<const OrderedColumn> key,
                        std::uint32_t parts, double percent);

// What one COPY reads.
struct CopyTask {
    const TableAddress& table;
    std::span<const std::string> columns;
    std::string condition{};  // empty: all rows
    std::string order{};      // order_list(); empty: as they lie
    std::uint64_t limit = 0;  // 0: none
    CopyForm form = CopyForm::binary;
};
std::string copy_command(const CopyTask& task);

// Rows whose places lie in pages [from, upto); no `upto`: to the end. 14 and later.
std::string pages_condition(std::uint32_t from, std::optional<std::uint32_t> upto);

}  // namespace pgc
