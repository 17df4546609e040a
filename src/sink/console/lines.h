// Records as lines: the value, before it the key and a tab where asked for.
#pragma once

#include <string>
#include <string_view>

#include "core/record.h"
#include "sink/console/options.h"

namespace pgc {

// Appends the record's line with its line end. A tombstone's value is "null".
void append_line(std::string& to, const Record& record, const ConsoleSinkOptions& options);

// Appends a JSON text spread over lines, two spaces a level; empty objects and arrays stay
// together. Requires valid JSON on one line, as our formats write it.
void append_pretty(std::string& to, std::string_view json);

}  // namespace pgc
