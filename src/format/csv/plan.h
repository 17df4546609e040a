// What is decided once for a version of a table: for each column its reader and its writer, and the
// line of their names.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "core/relation.h"
#include "format/csv/options.h"
#include "format/csv/value.h"
#include "format/native/plan.h"
#include "format/options.h"

namespace pgc {

struct CsvField {
    std::uint32_t column = 0;  // its place in the relation
    TypePtr type;
    Reader read_text = nullptr;  // null: the field is the text that the server sent
    Reader read_binary = nullptr;
    CsvValueWriter write = nullptr;
    // Its readers fill more of a Value than the scalar members: it is reset before each.
    bool compound = false;
};

struct CsvPlan {
    std::vector<CsvField> fields;  // of the columns that are captured
    std::vector<CsvField> key;     // empty: records have no key
    TablePlan before;              // of the old row, as the native format writes it
};

// Fails when a name is not UTF-8 and format.invalid_utf8 is fail.
Result<CsvPlan> compile_csv_plan(const Relation& relation, const CsvOptions& options,
                                 const FormatOptions& format);

// That no column of the table is called as one that is added.
Result<void> check_csv_names(const Relation& relation, const CsvColumns& columns);

// Instead of a table's columns, in the lines of logical messages.
inline constexpr std::string_view kCsvMessageColumns[] = {"prefix", "content", "transactional"};

// The names of the columns as a line without its end, which a file begins with; null: of the lines
// of logical messages. With format.csv.header off it is not empty either.
std::string csv_header(const Relation* relation, const CsvOptions& options);

}  // namespace pgc
