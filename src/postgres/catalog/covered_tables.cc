#include "postgres/catalog/covered_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <utility>

namespace pgc {
namespace {

constexpr std::string_view kWord = "captured ";
constexpr std::string_view kAll = "all ";

// A number, not 0, off the front.
std::optional<std::uint32_t> take_number(std::string_view& text) {
    std::uint32_t number = 0;
    const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || number == 0) return std::nullopt;
    text.remove_prefix(static_cast<std::size_t>(at - text.data()));
    return number;
}

bool take(std::string_view& text, char c) {
    if (!text.starts_with(c)) return false;
    text.remove_prefix(1);
    return true;
}

std::optional<std::vector<KnownTables::Table>> read_list(std::string_view text) {
    std::vector<KnownTables::Table> tables;
    if (text == "-") return tables;
    std::uint32_t last = 0;
    while (true) {
        const auto step = take_number(text);
        if (!step || last + *step < last) return std::nullopt;
        tables.push_back({.oid = Oid{last += *step}});
        if (take(text, '*')) {
            const auto by = take_number(text);
            if (!by) return std::nullopt;
            tables.back().attached_by = *by;
        }
        if (text.empty()) return tables;
        if (!take(text, ',')) return std::nullopt;
    }
}

}  // namespace

KnownTables known_tables(const CoveredTables& now) {
    KnownTables known{.all = now.all, .tables = {}};
    known.tables.reserve(now.tables.size());
    for (const CoveredTable& table : now.tables) {
        known.tables.push_back({.oid = table.oid, .attached_by = table.attached_by});
    }
    return known;
}

std::vector<CoveredTable> come_since(const KnownTables& before, const CoveredTables& now) {
    std::vector<CoveredTable> come;
    for (const CoveredTable& table : now.tables) {
        const auto at =
            std::ranges::lower_bound(before.tables, table.oid, {}, &KnownTables::Table::oid);
        if (at != before.tables.end() && at->oid == table.oid) {
            const bool attached_again = at->attached_by != 0 && table.attached_by != 0 &&
                                        at->attached_by != table.attached_by;
            if (attached_again) come.push_back(table);
            continue;
        }
        const bool from_its_first_row = before.all && now.all && table.pristine;
        if (!from_its_first_row) come.push_back(table);
    }
    return come;
}

std::string write_known(const KnownTables& known) {
    std::string text{kWord};
    if (known.all) text += kAll;
    if (known.tables.empty()) text += '-';
    std::uint32_t last = 0;
    for (const auto& [oid, attached_by] : known.tables) {
        if (last != 0) text += ',';
        text += fmt::to_string(oid.value - std::exchange(last, oid.value));
        if (attached_by != 0) text += fmt::format("*{}", attached_by);
        if (text.size() > kKnownBytes_max) return {};
    }
    return text;
}

std::optional<KnownTables> read_known(std::string_view text) {
    while (!text.empty()) {
        std::string_view line = text.substr(0, text.find('\n'));
        text.remove_prefix(std::min(line.size() + 1, text.size()));
        if (!line.starts_with(kWord)) continue;
        line.remove_prefix(kWord.size());
        KnownTables known;
        known.all = line.starts_with(kAll);
        if (known.all) line.remove_prefix(kAll.size());
        auto tables = read_list(line);
        if (!tables) return std::nullopt;
        known.tables = std::move(*tables);
        return known;
    }
    return std::nullopt;
}

}  // namespace pgc
