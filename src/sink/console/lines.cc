#include "sink/console/lines.h"

#include <cstddef>

namespace pgc {
namespace {

constexpr std::size_t kIndent = 2;

void begin_line(std::string& to, std::size_t depth) {
    to += '\n';
    to.append(depth * kIndent, ' ');
}

// Where the string that begins at `at` ends: after its closing quote.
std::size_t string_end(std::string_view json, std::size_t at) noexcept {
    ++at;
    while (at < json.size() && json[at] != '"') {
        at += json[at] == '\\' ? 2 : 1;
    }
    return at + 1;
}

}  // namespace

void append_pretty(std::string& to, std::string_view json) {
    std::size_t depth = 0;
    for (std::size_t i = 0; i < json.size(); ++i) {
        const char c = json[i];
        if (c == '"') {
            const std::size_t end = string_end(json, i);
            to += json.substr(i, end - i);
            i = end - 1;
        } else if (c == '{' || c == '[') {
            const std::size_t next = json.find_first_not_of(' ', i + 1);
            to += c;
            if (next != std::string_view::npos && (json[next] == '}' || json[next] == ']')) {
                to += json[next];
                i = next;
            } else {
                begin_line(to, ++depth);
            }
        } else if (c == '}' || c == ']') {
            begin_line(to, depth == 0 ? 0 : --depth);
            to += c;
        } else if (c == ',') {
            to += c;
            begin_line(to, depth);
        } else if (c == ':') {
            to += ": ";
        } else if (c != ' ') {
            to += c;
        }
    }
}

void append_line(std::string& to, const Record& record, const ConsoleSinkOptions& options) {
    if (options.with_key) {
        to += record.key;
        to += '\t';
    }
    if (!record.has_value) {
        to += "null";
    } else if (options.pretty) {
        append_pretty(to, record.value);
    } else {
        to += record.value;
    }
    to += '\n';
}

}  // namespace pgc
