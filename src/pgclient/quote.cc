#include "pgclient/quote.h"

namespace pgc {

namespace {

std::string enclosed(std::string_view text, char quote) {
    std::string out(1, quote);
    for (const char c : text) {
        if (c == quote) out += c;
        out += c;
    }
    out += quote;
    return out;
}

}  // namespace

std::string quote_name(std::string_view name) {
    return enclosed(name, '"');
}

std::string quote_name(std::string_view schema, std::string_view name) {
    return quote_name(schema) + "." + quote_name(name);
}

std::string quote_text(std::string_view text) {
    if (text.find('\\') == std::string_view::npos) return enclosed(text, '\'');
    std::string doubled;
    for (const char c : text) {
        if (c == '\\') doubled += c;
        doubled += c;
    }
    return "E" + enclosed(doubled, '\'');
}

std::optional<std::string> take_quoted_name(std::string_view& text) {
    if (!text.starts_with('"')) return std::nullopt;
    std::string name;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '"') {
            if (i + 1 == text.size() || text[i + 1] != '"') {
                text.remove_prefix(i + 1);
                return name;
            }
            ++i;
        }
        name += text[i];
    }
    return std::nullopt;
}

std::string quote_replication_text(std::string_view text) {
    return enclosed(text, '\'');
}

std::string quote_texts(const std::vector<std::string>& texts) {
    std::string list;
    for (const std::string& text : texts) list += (list.empty() ? "" : ", ") + quote_text(text);
    return list;
}

}  // namespace pgc
