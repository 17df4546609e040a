#include "format/json/text.h"

#include <cassert>
#include <charconv>
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

std::string plain_text(std::string_view quoted) {
    assert(quoted.size() >= 2 && quoted.front() == '"' && quoted.back() == '"');
    quoted = quoted.substr(1, quoted.size() - 2);
    std::string text;
    for (std::size_t i = 0; i < quoted.size(); ++i) {
        if (quoted[i] != '\\') {
            text += quoted[i];
            continue;
        }
        switch (const char escaped = quoted[++i]) {
            case 'b': text += '\b'; break;
            case 'f': text += '\f'; break;
            case 'n': text += '\n'; break;
            case 'r': text += '\r'; break;
            case 't': text += '\t'; break;
            case 'u': {  // of control characters only
                int code = 0;
                std::from_chars(quoted.data() + i + 1, quoted.data() + i + 5, code, 16);
                text += static_cast<char>(code);
                i += 4;
                break;
            }
            default: text += escaped;
        }
    }
    return text;
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
