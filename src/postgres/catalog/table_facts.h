// What only the catalog knows of a table and its columns' types.
//
// A Relation message names columns, their type OIDs and which of them are the replica
// identity; not the primary key, not what the types are. One query brings the rest:
// the key's columns in its order, those of unique indexes, which columns may be NULL, their
// defaults and comments, what it is a partition of, and every type asked for together with the
// types it is made of (elements, bases, subtypes, attributes), however deep.
//
// The catalog is today's, the stream may be older: the table or the types may be gone,
// renamed or changed. Missing rows are no error here. Nothing is locked, so nothing waits for
// whoever alters the table.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "pgclient/link.h"
#include "postgres/catalog/lineage.h"
#include "postgres/types/type_map.h"

namespace pgc {

// Why the publications that were asked about hold a table, today.
enum class Published : std::uint8_t {
    unknown,
    all,     // one of them is for all tables, or all of its schema
    listed,  // it, one above it, or the schema of one of those, is on a list
    no,      // not, or it is not there any more
};

struct ColumnFacts {
    std::string name;
    Oid type;
    bool nullable = true;  // neither it nor its domain is NOT NULL
    bool generated = false;
    std::string default_expression;  // none: empty. That of a domain is none of the column's.
    std::string comment;
};

struct TableFacts {
    std::vector<std::string> primary_key;     // columns, in the key's order
    std::vector<std::string> identity_index;  // of REPLICA IDENTITY USING INDEX, likewise
    std::vector<CatalogType> types;           // those asked for and what they are made of
    bool exists = false;                      // the table is in the catalog
    Lineage above{};                          // of the table
    Published published = Published::unknown;
    Lsn log_end{};                       // no earlier than all this was so; none: not known
    std::string comment{};               // of the table
    std::vector<ColumnFacts> columns{};  // in the table's order
    // Of a table without a primary key: the columns of each unique index that distinguishes its
    // rows (catalog/unique_indexes.h), best first.
    std::vector<std::vector<std::string>> unique_indexes{};
};

// The text for servers of this version (as 150018): $1 is the table's OID, $2 an array of
// type OIDs, $3 one of publications, in text form, $4 the schema that it is asked about as one of.
// To be answered in text form.
// `unique_indexes`: whether they are asked for, which takes the server as long as all the rest.
std::string table_facts_query(int server_version, bool unique_indexes);

std::vector<std::optional<std::string>> table_facts_parameters(
    Oid table, std::span<const Oid> types, std::span<const std::string> publications = {},
    std::string_view schema = {});

// Reads the answer. An Error, category server, says that the answer is not of this query.
[[nodiscard]] Result<TableFacts> read_table_facts(const Rows& rows);

}  // namespace pgc
