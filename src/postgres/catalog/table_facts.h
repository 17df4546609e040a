// What only the catalog knows of a table and its columns' types.
//
// A Relation message names columns, their type OIDs and which of them are the replica
// identity; not the primary key, not what the types are. One query brings the rest:
// the key's columns in its order, what it is a partition of, and every type asked for together with
// the types it is made of (elements, bases, subtypes, attributes), however deep.
//
// The catalog is today's, the stream may be older: the table or the types may be gone,
// renamed or changed. Missing rows are no error here.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "postgres/catalog/lineage.h"
#include "postgres/link/link.h"
#include "postgres/types/type_map.h"

namespace pgc {

struct TableFacts {
    std::vector<std::string> primary_key;     // columns, in the key's order
    std::vector<std::string> identity_index;  // of REPLICA IDENTITY USING INDEX, likewise
    std::vector<CatalogType> types;           // those asked for and what they are made of
    bool exists = false;                      // the table is in the catalog
    Lineage above{};                          // of the table
};

// The text for servers of this version (as 150018): $1 is the table's OID, $2 an array of
// type OIDs in text form. To be answered in text form.
std::string table_facts_query(int server_version);

std::vector<std::optional<std::string>> table_facts_parameters(Oid table,
                                                               std::span<const Oid> types);

// Reads the answer. An Error, category server, says that the answer is not of this query.
[[nodiscard]] Result<TableFacts> read_table_facts(const Rows& rows);

}  // namespace pgc
