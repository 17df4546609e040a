// Keys of rows as SQL texts, and the ranges of keys in which a table is read.
//
// A key is the text form of each of its columns, in the key's order: what stands between
// quotes in SQL, where the server takes it for a value of the column's type. So keys are
// compared by nobody but the server, in its own order.
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

// "k" > '5' AND "k" <= '9'; ("a", "b") > ('1', 'x') …; empty without bounds. `casts`: for each
// column the type its text has to be called, or nothing where the server finds that by itself.
std::string condition(const KeyRange& range, std::span<const std::string> columns,
                      std::span<const std::string> casts = {});
// "a", "b"
std::string column_list(std::span<const std::string> columns);

}  // namespace pgc
