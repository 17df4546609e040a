#include "observe/log_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "observe/json_text.h"
#include "observe/wall_text.h"

namespace pgc {
namespace {

constexpr std::string_view kCutMark = "[cut]";

// At most kText_max bytes, cut between characters.
std::string_view cut(std::string_view text) noexcept {
    if (text.size() <= Log::kText_max) {
        return text;
    }
    std::size_t end = Log::kText_max;
    while (end > Log::kText_max - 3 && (static_cast<unsigned char>(text[end]) & 0xC0U) == 0x80U) {
        --end;
    }
    return text.substr(0, end);
}

bool is_printable(char c) noexcept {
    const auto byte = static_cast<unsigned char>(c);
    return byte >= 0x20 && byte != 0x7F;
}

// Control characters and broken UTF-8 escaped, so that the line stays one and no
// terminal can be commanded by it.
void append_plain_text(std::string& out, std::string_view whole, bool quoted) {
    std::string_view text = cut(whole);
    while (!text.empty()) {
        const std::size_t length = utf8_sequence_length(text);
        const char c = text[0];
        const auto second = static_cast<unsigned char>(length == 2 ? text[1] : 0xFF);
        if (c == '\n') {
            out += "\\n";
        } else if (length == 0 || !is_printable(c)) {
            fmt::format_to(std::back_inserter(out), "\\x{:02x}", static_cast<unsigned char>(c));
        } else if (c == '\xC2' && second < 0xA0) {  // U+0080 to U+009F: controls as well
            fmt::format_to(std::back_inserter(out), "\\u{:04x}", second);
        } else if (quoted && (c == '"' || c == '\\')) {
            out += {'\\', c};
        } else {
            out += text.substr(0, length);
        }
        text.remove_prefix(std::max<std::size_t>(length, 1));
    }
    if (cut(whole).size() < whole.size()) {
        out += kCutMark;
    }
}

bool needs_quotes(std::string_view text) noexcept {
    return text.empty() || std::ranges::any_of(text, [](char c) {
               return !is_printable(c) || c == ' ' || c == '"' || c == '=' || c == '\\';
           });
}

void append_plain_value(std::string& out, std::string_view text) {
    const bool quoted = needs_quotes(text);
    if (quoted) {
        out += '"';
    }
    append_plain_text(out, text, quoted);
    if (quoted) {
        out += '"';
    }
}

void append_json_text(std::string& out, std::string_view text) {
    const auto front = cut(text);
    append_json_string(out, front);
    if (front.size() < text.size()) {
        out.insert(out.size() - 1, kCutMark);
    }
}

struct PlainValue {
    std::string& out;
    void operator()(std::string_view v) const { append_plain_value(out, v); }
    void operator()(bool v) const { out += v ? "true" : "false"; }
    void operator()(Lsn v) const { out += to_string(v); }
    void operator()(double v) const { fmt::format_to(std::back_inserter(out), "{}", v); }
    void operator()(std::integral auto v) const {
        fmt::format_to(std::back_inserter(out), "{}", v);
    }
};

struct JsonValue {
    std::string& out;
    void operator()(std::string_view v) const { append_json_text(out, v); }
    void operator()(bool v) const { out += v ? "true" : "false"; }
    void operator()(Lsn v) const { out += '"' + to_string(v) + '"'; }
    void operator()(double v) const { append_json_number(out, v); }
    void operator()(std::integral auto v) const {
        fmt::format_to(std::back_inserter(out), "{}", v);
    }
};

// Calls `write` for each field that no later one replaces.
template <typename Write>
void for_each_last(std::span<const LogField> fields, Write write) {
    for (std::size_t i = 0; i < fields.size(); ++i) {
        const auto later = fields.subspan(i + 1);
        if (std::ranges::none_of(later, [&](auto& f) { return f.key == fields[i].key; })) {
            write(fields[i]);
        }
    }
}

bool is_ours(std::string_view key) noexcept {
    return key == "time" || key == "level" || key == "module" || key == "message";
}

}  // namespace

std::string format_plain(const LogLine& line) {
    std::string out;
    append_wall_time(out, line.at);
    fmt::format_to(std::back_inserter(out), " {:<7}  {:<8}  ", name(line.level), line.module);
    append_plain_text(out, line.message, false);
    const char* gap = "  ";
    for_each_last(line.fields, [&](const LogField& field) {
        out += gap;
        gap = " ";
        append_plain_text(out, field.key, false);
        out += '=';
        std::visit(PlainValue{out}, field.value);
    });
    out += '\n';
    return out;
}

std::string format_json(const LogLine& line) {
    std::string out = R"({"time":")";
    append_wall_time(out, line.at);
    fmt::format_to(std::back_inserter(out), R"(","level":"{}","module":)", name(line.level));
    append_json_text(out, line.module);
    out += ",\"message\":";
    append_json_text(out, line.message);
    for_each_last(line.fields, [&](const LogField& field) {
        out += ',';
        // A field of ours would appear twice: the caller's gets another name.
        append_json_text(
            out, is_ours(field.key) ? std::string{field.key} + '_' : std::string{field.key});
        out += ':';
        std::visit(JsonValue{out}, field.value);
    });
    out += "}\n";
    return out;
}

}  // namespace pgc
