#include "format/connect/schema_text.h"

#include <cstddef>

#include "format/json/string.h"

namespace pgc {

namespace {

void append_control(std::string& out, char c) {
    switch (c) {
        case '\b': out += "\\b"; return;
        case '\t': out += "\\t"; return;
        case '\n': out += "\\n"; return;
        case '\f': out += "\\f"; return;
        case '\r': out += "\\r"; return;
        default: break;
    }
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += "\\u00";
    out += digits[static_cast<unsigned char>(c) >> 4];
    out += digits[static_cast<unsigned char>(c) & 0xF];
}

void append_ascii(std::string& out, char c) {
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
        append_control(out, c);
    } else {
        out += c;
    }
}

bool is_ascii(char c) noexcept {
    return static_cast<unsigned char>(c) < 0x80;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    out += '"';
    const char* const end = text.data() + text.size();
    for (const char* at = text.data(); at != end;) {
        if (is_ascii(*at)) {
            append_ascii(out, *at++);
            continue;
        }
        const std::size_t length = utf8_sequence(at, end);
        if (length == 0) {
            out += "\uFFFD";
            ++at;
        } else {
            out.append(at, length);
            at += length;
        }
    }
    out += '"';
}

void append_quoted_latin1(std::string& out, std::string_view bytes) {
    out += '"';
    for (const char c : bytes) {
        if (is_ascii(c)) {
            append_ascii(out, c);
        } else {
            const auto code = static_cast<unsigned char>(c);
            out += static_cast<char>(0xC0 | (code >> 6));
            out += static_cast<char>(0x80 | (code & 0x3F));
        }
    }
    out += '"';
}

void append_object(std::string& out,
                   const std::vector<std::pair<std::string, std::string>>& members) {
    char before = '{';
    for (const auto& [key, value] : members) {
        out += before;
        append_quoted(out, key);
        out += ':';
        append_quoted(out, value);
        before = ',';
    }
    out += members.empty() ? "{}" : "}";
}

}  // namespace pgc
