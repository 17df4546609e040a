#include "core/name_pattern.h"

#include <algorithm>
#include <array>
#include <utility>

namespace pgc {

namespace {

// Classic glob with one point to come back to: linear in practice, never exponential.
bool glob_matches(std::string_view glob, std::string_view name) noexcept {
    std::size_t g = 0;
    std::size_t n = 0;
    std::size_t star = std::string_view::npos;
    std::size_t star_name = 0;
    while (n < name.size()) {
        if (g < glob.size() && glob[g] == '*') {
            star = g++;
            star_name = n;
        } else if (g < glob.size() && (glob[g] == '?' || glob[g] == name[n])) {
            ++g;
            ++n;
            // A character of more bytes counts as one for '?'.
            if (glob[g - 1] == '?') {
                while (n < name.size() && (static_cast<unsigned char>(name[n]) & 0xC0U) == 0x80U)
                    ++n;
            }
        } else if (star != std::string_view::npos) {
            g = star + 1;
            n = ++star_name;
        } else {
            return false;
        }
    }
    while (g < glob.size() && glob[g] == '*') ++g;
    return g == glob.size();
}

bool is_glob(std::string_view text) noexcept {
    return text.find_first_of("*?") != std::string_view::npos;
}

bool any_matches(std::span<const NamePattern> patterns,
                 std::span<const std::string_view> names) noexcept {
    return std::ranges::any_of(patterns, [&](const auto& p) { return p.matches(names); });
}

}  // namespace

std::optional<NamePattern> NamePattern::parse(std::string_view text, std::size_t parts) {
    NamePattern pattern;
    std::size_t at = 0;
    while (true) {
        Part part;
        if (at < text.size() && text[at] == '"') {
            part.quoted = true;
            ++at;
            while (true) {
                const auto end = text.find('"', at);
                if (end == std::string_view::npos) return std::nullopt;
                part.text += text.substr(at, end - at);
                at = end + 1;
                if (at >= text.size() || text[at] != '"') break;
                part.text += '"';  // a doubled quote stands for one
                ++at;
            }
        } else {
            const auto end = std::min(text.find('.', at), text.size());
            part.text = text.substr(at, end - at);
            if (part.text.find('"') != std::string::npos) return std::nullopt;
            at = end;
        }
        if (part.text.empty()) return std::nullopt;
        pattern.parts_.push_back(std::move(part));
        if (at == text.size()) break;
        if (text[at] != '.') return std::nullopt;
        ++at;
    }
    if (pattern.parts_.size() != parts) return std::nullopt;
    return pattern;
}

bool NamePattern::part_matches(std::size_t part, std::string_view name) const noexcept {
    const Part& p = parts_[part];
    return p.quoted ? p.text == name : glob_matches(p.text, name);
}

bool NamePattern::matches(std::span<const std::string_view> names) const noexcept {
    if (names.size() != parts_.size()) return false;
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (!part_matches(i, names[i])) return false;
    }
    return true;
}

std::optional<std::string> NamePattern::literal(std::size_t part) const {
    const Part& p = parts_[part];
    if (!p.quoted && is_glob(p.text)) return std::nullopt;
    return p.text;
}

std::string NamePattern::like(std::size_t part) const {
    const Part& p = parts_[part];
    std::string pattern;
    for (const char c : p.text) {
        if (!p.quoted && (c == '*' || c == '?')) {
            pattern += c == '*' ? '%' : '_';
            continue;
        }
        if (c == '%' || c == '_' || c == '\\') pattern += '\\';
        pattern += c;
    }
    return pattern;
}

bool TableFilter::included(std::string_view schema, std::string_view table) const noexcept {
    return any_matches(include_, std::array{schema, table});
}

bool TableFilter::excluded(std::string_view schema, std::string_view table) const noexcept {
    return schema == kRegistrySchema || any_matches(exclude_, std::array{schema, table});
}

bool TableFilter::names(std::string_view schema, std::string_view table) const noexcept {
    return !excluded(schema, table) && std::ranges::any_of(include_, [&](const NamePattern& p) {
        return p.literal(0) == schema && p.literal(1) == table;
    });
}

bool TableFilter::everything() const noexcept {
    return exclude_.empty() &&
           std::ranges::any_of(include_, [](const auto& p) { return p.any(0) && p.any(1); });
}

std::optional<std::vector<std::string>> TableFilter::whole_schemas() const {
    if (!exclude_.empty() || include_.empty()) return std::nullopt;
    std::vector<std::string> schemas;
    for (const NamePattern& pattern : include_) {
        auto schema = pattern.literal(0);
        if (!schema || !pattern.any(1) || schema == kRegistrySchema) return std::nullopt;
        if (std::ranges::find(schemas, *schema) == schemas.end()) {
            schemas.push_back(std::move(*schema));
        }
    }
    return schemas;
}

bool ColumnFilter::excluded(std::string_view schema, std::string_view table,
                            std::string_view column) const noexcept {
    return any_matches(exclude_, std::array{schema, table, column});
}

std::string_view without_spaces(std::string_view name) noexcept {
    while (name.starts_with(' ')) name.remove_prefix(1);
    while (name.ends_with(' ')) name.remove_suffix(1);
    return name;
}

std::vector<std::string_view> split_names(std::string_view text, char at) {
    std::vector<std::string_view> names;
    while (true) {
        const auto end = text.find(at);
        names.push_back(without_spaces(text.substr(0, end)));
        if (end == std::string_view::npos) return names;
        text.remove_prefix(end + 1);
    }
}

std::optional<std::vector<std::string>> column_names(std::string_view text) {
    std::vector<std::string> names;
    for (const std::string_view name : split_names(text, '+')) {
        if (name.empty()) return std::nullopt;
        names.emplace_back(name);
    }
    return names;
}

}  // namespace pgc
