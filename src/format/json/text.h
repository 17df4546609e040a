// A text as a JSON string, by the rules for what is not UTF-8.
#pragma once

#include <string>
#include <string_view>

#include "format/fault.h"
#include "format/json/writer.h"
#include "format/options.h"

namespace pgc {

// What writers of texts share while a message is written.
struct TextRules {
    InvalidUtf8 invalid_utf8 = InvalidUtf8::fail;
    bool in_key = false;                  // no byte may be replaced: distinct keys would become one
    bool met_invalid_utf8 = false;        // base64 or U+FFFD was written instead
    ValueFault fault = ValueFault::none;  // why a writer returned false
};

// `text` between quotes. False, with the fault set, when it can't be: `out` is to be rewound then.
bool write_text(TextRules& rules, Writer& out, std::string_view text);

// Of a JSON string of ours what it says: without its quotes and escapes.
std::string plain_text(std::string_view quoted);

// `"text"` for a name of the catalog. One that is not UTF-8 is written in base64, so that distinct
// names stay distinct.
std::string json_string(std::string_view text);

// `"name":`
std::string json_name(std::string_view name);

}  // namespace pgc
