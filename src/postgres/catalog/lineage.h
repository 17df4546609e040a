// What a table is a partition of, and whether the filters mean a table because of it.
//
// The one place where that is decided: for the stream, snapshots, publications and `check`.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "core/name_pattern.h"

namespace pgc {

struct TableName {
    std::string schema;
    std::string name;
    bool operator==(const TableName&) const = default;
};

// The partitioned tables above a table, nearest first; empty for one that is not a partition.
using Lineage = std::vector<TableName>;

// A table is meant if it matches itself, or if a partitioned table above it does. Its own
// exclusion always wins; an exclusion of a table above it says nothing about it.
bool filter_means(const TableFilter& filter, std::string_view schema, std::string_view name,
                  std::span<const TableName> above);

// Its own name alone decides, whatever is above it.
bool filter_decides(const TableFilter& filter, std::string_view schema, std::string_view name);

// A scalar subquery: the lineage of the table whose OID `oid` is, an expression of the outer
// query; as text for read_lineage(), null for none. `oid` uses no name
// that begins with "up".
std::string lineage_sql(std::string_view oid);

// Nothing when the text is not one of lineage_sql().
std::optional<Lineage> read_lineage(std::string_view text);

}  // namespace pgc
