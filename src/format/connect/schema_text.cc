#include "format/connect/schema_text.h"

#include "format/json/string.h"
#include "format/json/text.h"

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

void append_character(std::string& out, char c) {
    if (c == '"' || c == '\\') {
        out += '\\';
        out += c;
    } else if (static_cast<unsigned char>(c) < 0x20) {
        append_control(out, c);
    } else {
        out += c;
    }
}

unsigned sextet(char c) noexcept {
    if (c >= 'A' && c <= 'Z') return static_cast<unsigned>(c - 'A');
    if (c >= 'a' && c <= 'z') return static_cast<unsigned>(c - 'a') + 26;
    if (c >= '0' && c <= '9') return static_cast<unsigned>(c - '0') + 52;
    return c == '+' ? 62 : 63;
}

}  // namespace

void append_quoted(std::string& out, std::string_view text) {
    if (!is_utf8(text)) {
        out += json_string(text);
        return;
    }
    out += '"';
    for (const char c : text) append_character(out, c);
    out += '"';
}

void append_quoted_latin1(std::string& out, std::string_view quoted_base64) {
    out += '"';
    unsigned bits = 0;
    int held = 0;
    for (const char c : quoted_base64) {
        if (c == '"' || c == '=') continue;
        bits = bits << 6 | sextet(c);
        held += 6;
        if (held < 8) continue;
        held -= 8;
        const unsigned byte = bits >> held & 0xFF;
        if (byte < 0x80) {
            append_character(out, static_cast<char>(byte));
        } else {
            out += static_cast<char>(0xC0 | (byte >> 6));
            out += static_cast<char>(0x80 | (byte & 0x3F));
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
