#include "simulation/publications.h"

#include <algorithm>
#include <utility>
#include <vector>

#include "postgres/setup/publication.h"

namespace pgc::sim {
namespace {

// "name" at the front of what follows `head`.
std::string name_behind(std::string_view text, std::string_view head) {
    text.remove_prefix(head.size() + 1);
    return std::string{text.substr(0, text.find('"'))};
}

std::set<std::uint32_t> tables_in(std::string_view text) {
    std::set<std::uint32_t> tables;
    for (std::uint32_t table = 0; table < kTables; ++table) {
        const std::string name = name_of(table);
        if (text.find("\"public\".\"" + name + '"') != std::string_view::npos ||
            text.find("public." + name) != std::string_view::npos) {
            tables.insert(table);
        }
    }
    return tables;
}

// 'text' with its quotes doubled, from where it begins.
std::string quoted_text(std::string_view text) {
    std::string plain;
    for (std::size_t i = 1; i < text.size(); ++i) {
        if (text[i] == '\'') {
            if (i + 1 == text.size() || text[i + 1] != '\'') break;
            ++i;
        }
        plain += text[i];
    }
    return plain;
}

std::vector<std::string_view> statements_of(std::string_view sql) {
    std::vector<std::string_view> all;
    while (!sql.empty()) {
        std::size_t end = 0;
        bool quoted = false;
        while (end < sql.size() && (quoted || sql[end] != ';')) {
            quoted ^= sql[end] == '\'';
            ++end;
        }
        all.push_back(sql.substr(0, end));
        sql.remove_prefix(std::min(sql.size(), end + 1));
        while (sql.starts_with(' ')) sql.remove_prefix(1);
    }
    return all;
}

}  // namespace

std::string Publications::run(std::string_view sql) {
    All all = all_;
    const bool moves = sql.find(" DROP TABLE ") != std::string_view::npos;
    for (const std::string_view statement : statements_of(sql)) {
        if (auto failed = apply(statement, all, !(in_two_steps_ && moves)); !failed.empty())
            return failed;
    }
    all_ = std::move(all);
    return {};
}

std::string Publications::apply(std::string_view statement, All& all, bool adds) {
    constexpr std::string_view create = "CREATE PUBLICATION ";
    constexpr std::string_view alter = "ALTER PUBLICATION ";
    constexpr std::string_view comment = "COMMENT ON PUBLICATION ";
    const auto has = [&](std::string_view words) {
        return statement.find(words) != std::string_view::npos;
    };
    if (statement.starts_with("SELECT 1 / CASE")) {
        constexpr std::string_view is = "IS NOT DISTINCT FROM ";
        constexpr std::string_view named = "pubname = ";
        const std::string name =
            quoted_text(statement.substr(statement.find(named) + named.size()));
        const auto was = statement.substr(statement.find(is) + is.size());
        const auto found = all.find(name);
        const bool same = was.starts_with("NULL")
                              ? found == all.end()
                              : found != all.end() && found->second.note == quoted_text(was);
        return same ? "" : std::string{kChangedMeanwhile};
    }
    if (statement.starts_with(create)) {
        const bool inserts_only = !has("update");
        One one{.inserts_only = inserts_only, .tables = tables_in(statement), .note = {}};
        return all.emplace(name_behind(statement, create), std::move(one)).second ? "" : "42710";
    }
    const bool alters = statement.starts_with(alter);
    if (!alters && !statement.starts_with(comment)) return {};  // SET, locks
    const auto found = all.find(name_behind(statement, alters ? alter : comment));
    if (found == all.end()) return "42704";
    if (!alters) {
        found->second.note = quoted_text(statement.substr(statement.find(" IS ") + 4));
    } else if (has(" ADD TABLE ")) {
        if (adds) found->second.tables.merge(tables_in(statement));
    } else if (has(" DROP TABLE ")) {
        for (const std::uint32_t table : tables_in(statement)) found->second.tables.erase(table);
    }
    return {};
}

const Publications::One* Publications::find(std::string_view name) const {
    const auto found = all_.find(name);
    return found == all_.end() ? nullptr : &found->second;
}

bool Publications::publishes(std::string_view name, std::uint32_t table,
                             Operation operation) const {
    const One* one = find(name);
    if (one == nullptr || !one->tables.contains(table)) return false;
    return !one->inserts_only || operation == Operation::insert || operation == Operation::truncate;
}

std::string Publications::signature() const {
    std::string text;
    for (const auto& [name, one] : all_) {
        text += name + '/' + one.note;
        for (const std::uint32_t table : one.tables) text += ',' + name_of(table);
    }
    return text;
}

}  // namespace pgc::sim
