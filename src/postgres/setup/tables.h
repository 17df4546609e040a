// The database's tables, and which of them the filters choose.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "core/name_pattern.h"
#include "core/relation.h"
#include "pgclient/link.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/catalog/lineage.h"

namespace pgc {

struct TableInfo {
    Oid oid;
    std::string schema;
    std::string name;
    bool partitioned = false;  // a root or a middle: holds no rows itself
    bool permanent = true;     // false: unlogged, whose changes are not in the log
    bool partition = false;    // of the partitioned table `parent`
    Oid parent;
    bool has_children = false;  // partitions or heirs
    ReplicaIdentity identity = ReplicaIdentity::key;
    bool keyed = false;             // has the index its identity speaks of: the primary key, mostly
    bool readable = false;          // by us
    std::uint32_t attached_by = 0;  // the transaction that made a partition of it
    bool owned = false;             // by us
    bool rewritten = false;         // its rows don't lie where they lay when it was created

    // UPDATE and DELETE can say which row they mean. Without it the server refuses them
    // as soon as the table is in a publication that publishes them.
    bool identifiable() const noexcept {
        return identity == ReplicaIdentity::full || (identity != ReplicaIdentity::nothing && keyed);
    }
};

[[nodiscard]] Result<std::vector<TableInfo>> read_tables(const Rows& rows);

// The partitioned tables above each table, in the order of `tables`.
std::vector<Lineage> lineages(const std::vector<TableInfo>& tables);

// The tables to be named in a publication so that it publishes exactly what the filter
// means, in the order of `tables`:
//
//   - What the filter means: catalog/lineage.h.
//   - Servers from 13 on take partitioned tables. One that matches is named in place of its
//     partitions, so that later partitions belong at once; but where one of them is
//     excluded (and rows don't come under the root's name) they are named one by one.
//   - `apart`: so they are where some have a replica identity and some have none. Where rows come
//     under the root's name, all go by the one that has none.
//   - Unlogged tables are never meant.
struct ChosenTable {
    const TableInfo* table = nullptr;
    // A publication that publishes updates would make the server refuse them on this one, or on a
    // partition of it.
    bool inserts_only = false;
};
std::vector<ChosenTable> chosen_tables(const std::vector<TableInfo>& tables,
                                       const TableFilter& filter, int server_version, bool via_root,
                                       bool apart = true);

// The tables holding rows that the filter means and whose changes would not be captured:
// `published` has neither the table itself nor one above it, or one above it whose name the
// filter does not mean, under which they would come. `published` are quoted names
// ("schema"."name").
std::vector<const TableInfo*> uncovered_tables(const std::vector<TableInfo>& tables,
                                               const TableFilter& filter,
                                               const std::vector<std::string>& published);

// The tables holding rows that the stream shows, under their own name or the one of a table above
// them, and that the filter means under that. `published` as above.
struct Publishing {
    const std::vector<std::string>& published;
    bool all = false;       // every table
    bool via_root = false;  // partitions come under their root's name
    // It is published whatever is above it.
    std::function<bool(const TableInfo&)> by_itself{};
};
CoveredTables covered_tables(const std::vector<TableInfo>& tables, const TableFilter& filter,
                             const Publishing& publishing);

}  // namespace pgc
