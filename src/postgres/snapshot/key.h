// Keys of rows as SQL texts, and the ranges of keys in which a table is read.
//
// A key is the text form of each of its columns, in the key's order: what stands between
// quotes in SQL, where the server takes it for a value of the column's type. So keys are
// compared by nobody but the server, in its own order: that of the index that makes them unique,
// by its operators and in its collation. Any other order (the `>` that a search_path finds, a
// column's collation after it was altered) may take two keys for equal, or for the other way
// round, and rows between them are never read.
//
// Pure. Threads: any.
#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "core/change.h"
#include "core/value.h"

namespace pgc {

using Key = std::vector<std::string>;

// One column of a key, and how the index orders it. What is not a name stands ready for SQL.
struct OrderedColumn {
    struct Operators {
        std::string less = "OPERATOR(pg_catalog.<)";
        std::string at_most = "OPERATOR(pg_catalog.<=)";
        std::string equal = "OPERATOR(pg_catalog.=)";
        std::string at_least = "OPERATOR(pg_catalog.>=)";
        std::string greater = "OPERATOR(pg_catalog.>)";
        bool operator==(const Operators&) const = default;
    };
    std::string name;
    std::string type;         // what the text of a key is to be taken for
    std::string collation{};  // empty: its type has none
    Operators operators{};
};

// (after, upto]; an empty key is no bound. Or `upto` alone.
struct KeyRange {
    Key after;
    Key upto;
    bool alone = false;
    bool operator==(const KeyRange&) const = default;
};

// The text form of a value that came in text or in binary; nothing for a kind whose binary
// form we can't turn back into the server's text (see has_key_text()), null, or foreign bytes.
std::optional<std::string> key_text(const Type& type, const Cell& cell, Scratch& scratch);
// key_text() knows every value of this type, also in binary.
bool has_key_text(const Type& type) noexcept;

// "k" > '5'::integer AND …; ("a", "b") > ('1'::integer, 'x'::text) …, with the operators' whole
// names; empty without bounds.
std::string condition(const KeyRange& range, std::span<const OrderedColumn> columns);
// "a" USING <, "b" COLLATE "C" USING <, likewise: what stands after ORDER BY.
std::string order_list(std::span<const OrderedColumn> columns);
// "a", "b"
std::string column_list(std::span<const std::string> columns);

}  // namespace pgc
