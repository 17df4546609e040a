// A table as it was at some position of the stream. Immutable: a change of the table
// makes a new Relation, and rows point to the one that was in force for them.
//
// A batch keeps the relations of its rows alive. Whoever keeps something of one for longer copies
// it, or holds its RelationPtr.
#pragma once

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/ids.h"
#include "core/value.h"

namespace pgc {

// Which part of a changed row's former state the server logs.
enum class ReplicaIdentity : char { key = 'd', nothing = 'n', full = 'f', index = 'i' };

struct Column {
    std::string name;
    TypePtr type;
    std::int32_t modifier = -1;  // PostgreSQL's typmod
    bool identity = false;       // part of the replica identity: sent in key-only old rows
    bool captured = true;        // false: excluded by configuration, never shown
    // What only the catalog says, which may be of another time than the rows: NULLs are possible
    // in a column that is not nullable.
    bool nullable = true;
    bool generated = false;            // computed from other columns
    std::string default_expression{};  // SQL, names with their schema; none: empty
    std::string comment{};
};

struct Relation {
    // Dense number of this version, from RelationSlots: whoever has decided something for a
    // relation keeps it at this index (by_slot.h). Another one may have it once this is gone.
    std::uint32_t slot = 0;
    // No other relation of an attempt has it.
    std::uint64_t serial = 0;
    Oid oid;
    std::string schema;
    std::string name;
    ReplicaIdentity identity = ReplicaIdentity::key;
    std::string comment;
    std::vector<Column> columns;  // in the order in which cells come
    // Indexes in `columns` of the primary key's, in its order; where there is none, or where old
    // rows don't have all of it, of the replica identity's; empty for a keyless table.
    std::vector<std::uint32_t> key;
    // Indexes of the columns that the configuration names as the key of this table's records, in
    // the order in which they stand there; empty: it names none. Nothing but the records' key goes
    // by it: rows are found by `key`.
    std::vector<std::uint32_t> message_key{};
    // Indexes of the columns of a unique index, in its order, that make the records' key for want
    // of a primary key; empty: none does. None of them may be NULL, and each comes with every old
    // row. Nothing else goes by it either.
    std::vector<std::uint32_t> unique_key{};
};

using RelationPtr = std::shared_ptr<const Relation>;

// Makes relations, each with a slot and a serial: one for all who make some in an attempt, the
// source and the transforms after it. A slot is free again when the relation is destroyed; copies
// of a Relation don't hold it.
//
// Threads: one, the pipeline's. The last pointer to a relation may be let go of on any, and after
// this was destroyed.
class RelationSlots {
public:
    RelationSlots();

    RelationPtr make(Relation relation);

private:
    class FreeSlots;
    struct Made;

    std::shared_ptr<FreeSlots> free_;
    std::uint64_t made_ = 0;
};

// The columns (their indexes) that make a record's key, one after the other: those of
// `message_key`, else of `unique_key`; where there are none the primary key's, where the server
// sends all of them with every old row; else those of the replica identity, because a removal could
// not be given the key of its row otherwise. None when one of them is not captured: rows that
// differ only there would become one.
template <typename Each>
void for_each_key_column(const Relation& relation, Each&& each) {
    const auto& chosen = relation.message_key.empty() ? relation.unique_key : relation.message_key;
    if (!chosen.empty()) {
        for (const std::uint32_t place : chosen) each(place);
        return;
    }
    const auto captured = [&](std::uint32_t place) { return relation.columns[place].captured; };
    const bool always_sent = relation.identity != ReplicaIdentity::index ||
                             std::ranges::all_of(relation.key, [&](std::uint32_t place) {
                                 return relation.columns[place].identity;
                             });
    if (always_sent) {
        if (!std::ranges::all_of(relation.key, captured)) return;
        for (const std::uint32_t place : relation.key) each(place);
        return;
    }
    const auto is_broken = [](const Column& column) { return column.identity && !column.captured; };
    if (std::ranges::any_of(relation.columns, is_broken)) return;
    for (std::uint32_t place = 0; place < relation.columns.size(); ++place) {
        if (relation.columns[place].identity) each(place);
    }
}
std::vector<std::uint32_t> record_key(const Relation& relation);

// "schema.name", for people.
inline std::string qualified_name(const Relation& relation) {
    return relation.schema + "." + relation.name;
}
// As it stands in SQL, in double quotes.
std::string sql_name(const Relation& relation);

}  // namespace pgc
