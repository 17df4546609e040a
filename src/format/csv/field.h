// One field of a CSV line, RFC 4180: bare, or between quotes with quotes doubled.
//
//   12        "a,b"      "say ""hi"""      ""  (the empty text)        (NULL: nothing, or
//   null_text)
//
// Line ends within a field stay as they are. Whatever is written is distinct from NULL.
#pragma once

#include <concepts>
#include <cstddef>
#include <string>
#include <string_view>

#include "format/csv/options.h"
#include "format/json/text.h"
#include "format/json/writer.h"

namespace pgc {

// What writers of fields share while a line is written. What they met is to be looked at and
// cleared after each column.
struct CsvContext : TextRules {
    explicit CsvContext(const CsvOptions& options)
        : delimiter(options.delimiter),
          all_quoted(options.quote == CsvQuote::all),
          null_text(options.null_text) {}

    const char delimiter;
    const bool all_quoted;
    const std::string null_text;
    std::string text;  // of a value, until it is known what it needs
};

// A text of any bytes, which are taken for UTF-8. False, with the fault set, when it can't be
// written: `out` is to be rewound then.
[[nodiscard]] bool append_field(CsvContext& context, Writer& out, std::string_view text);

inline void append_null(const CsvContext& context, Writer& out) {
    out.text(context.null_text);
}

// Puts what was written from `start` on between quotes if it would be read as NULL.
void keep_from_null(const CsvContext& context, Writer& out, std::size_t start);

// A field of which nothing but quotes to distinguish it from NULL can be needed: a number, a time.
// At most `size_max` bytes, which `write` puts at the place given and returns the end of; nullptr:
// they are not of their type, which is the result then.
template <std::invocable<char*> Write>
[[nodiscard]] bool append_bare(const CsvContext& context, Writer& out, std::size_t size_max,
                               Write&& write) {
    const std::size_t start = out.size();
    char* to = out.room(size_max + 2);
    if (context.all_quoted) *to++ = '"';
    char* end = write(to);
    if (end == nullptr) return false;
    if (context.all_quoted) *end++ = '"';
    out.advance_to(end);
    if (!context.all_quoted) keep_from_null(context, out, start);
    return true;
}

}  // namespace pgc
