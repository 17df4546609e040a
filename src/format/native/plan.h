// What is decided once for a version of a table: every constant part of its messages,
// escaped and joined, and for each column its reader and its writer.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/change.h"
#include "core/relation.h"
#include "format/native/value.h"
#include "format/options.h"

namespace pgc {

struct ColumnPlan {
    std::string name;  // `,"id":`
    ValuePlan value;
    TypePtr type;
    Reader read_text = nullptr;
    Reader read_binary = nullptr;
    bool captured = true;
    // Its readers fill more of a Value than the scalar members: it is reset before each.
    bool compound = false;
};

struct KeyColumn {
    std::uint32_t column = 0;  // its place in the relation
    std::string name;          // `{"id":`, then `,"part":`
};

struct TablePlan {
    // `{"schema":"public","table":"users","op":"UPDATE","ts_ms":`
    std::array<std::string, kOperations> heads;
    // `,"db":"shop","schema":"public","table":"users","lsn":"`
    std::string source;
    std::vector<ColumnPlan> columns;
    std::vector<std::string> column_names;  // quoted, for the lists within `source`
    std::vector<KeyColumn> key;             // empty: records have no key
};

// Fails when a name is not UTF-8 and format.invalid_utf8 is fail.
Result<TablePlan> compile_plan(const Relation& relation, const FormatOptions& options,
                               const FormatContext& context);

// Logical messages belong to no table: its columns and key are empty.
TablePlan compile_message_plan(const FormatContext& context);

// `{"a":`, then `,"b":` of the column at `place`.
void add_key_part(std::vector<KeyColumn>& parts, std::uint32_t place, const Relation& relation);

}  // namespace pgc
