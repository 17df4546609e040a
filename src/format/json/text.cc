#include "format/json/text.h"

#include <cstddef>

#include "format/json/string.h"

namespace pgc {
namespace {

[[gnu::cold]] bool write_broken_text(TextRules& rules, Writer& out, std::string_view text) {
    if (rules.invalid_utf8 == InvalidUtf8::fail) {
        rules.fault = ValueFault::not_utf8;
        return false;
    }
    if (rules.invalid_utf8 == InvalidUtf8::replace && rules.in_key) {
        rules.fault = ValueFault::not_utf8_in_key;
        return false;
    }
    rules.met_invalid_utf8 = true;
    out.byte('"');
    if (rules.invalid_utf8 == InvalidUtf8::base64) {
        append_base64(out, text);
    } else {
        append_escaped_replacing(out, text);
    }
    out.byte('"');
    return true;
}

}  // namespace

bool write_text(TextRules& rules, Writer& out, std::string_view text) {
    const std::size_t start = out.size();
    out.byte('"');
    if (append_escaped(out, text)) [[likely]] {
        out.byte('"');
        return true;
    }
    out.rewind(start);
    return write_broken_text(rules, out, text);
}

std::string json_string(std::string_view text) {
    Arena arena;
    Writer out;
    out.begin(arena);
    if (!append_escaped(out, text)) {
        append_base64(out, text);
    }
    return '"' + std::string{out.finish()} + '"';
}

std::string json_name(std::string_view name) {
    return json_string(name) + ':';
}

}  // namespace pgc
