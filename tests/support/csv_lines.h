// Reads CSV by RFC 4180 alone: what the csv format is held to.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace pgc::test {

using CsvLine = std::vector<std::optional<std::string>>;

struct CsvDialect {
    char delimiter = ',';
    std::string_view null_text;  // a field without quotes that is this is NULL
};

// The lines of `text`, the last of which may have no end. Nothing when it is not CSV: a quote
// within a bare field, or none at the end of a quoted one.
inline std::optional<std::vector<CsvLine>> csv_lines(std::string_view text,
                                                     CsvDialect dialect = {}) {
    std::vector<CsvLine> lines(1);
    std::size_t at = 0;
    for (;;) {
        std::string field;
        const bool quoted = at < text.size() && text[at] == '"';
        if (quoted) {
            for (++at;; ++at) {
                if (at == text.size()) return std::nullopt;
                if (text[at] == '"') {
                    if (at + 1 == text.size() || text[at + 1] != '"') break;
                    ++at;
                }
                field += text[at];
            }
            ++at;
        } else {
            while (at < text.size() && text[at] != dialect.delimiter && text[at] != '\n') {
                if (text[at] == '"' || text[at] == '\r') return std::nullopt;
                field += text[at++];
            }
        }
        if (!quoted && field == dialect.null_text) {
            lines.back().push_back(std::nullopt);
        } else {
            lines.back().push_back(std::move(field));
        }
        if (at == text.size()) return lines;
        if (text[at] == '\n') {
            if (at + 1 == text.size()) return lines;
            lines.emplace_back();
        } else if (text[at] != dialect.delimiter) {
            return std::nullopt;
        }
        ++at;
    }
}

}  // namespace pgc::test
