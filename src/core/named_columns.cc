#include "core/named_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <optional>

namespace pgc {
namespace {

bool is_one_table(const NamePattern& pattern) {
    return pattern.literal(0) && pattern.literal(1);
}

void add_new(std::vector<std::string>& to, const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (std::ranges::find(to, name) == to.end()) to.push_back(name);
    }
}

}  // namespace

NamedColumns NamedColumns::of_map(std::string_view option,
                                  const std::map<std::string, std::string>& columns_by_table) {
    NamedColumns named;
    named.option_ = option;
    for (const auto& [table, columns] : columns_by_table) {
        auto pattern = NamePattern::parse(table, 2);
        const auto names = column_names(columns);
        if (!pattern || !names) continue;
        add_new(named.patterns_.emplace_back(std::move(*pattern)).columns, *names);
    }
    std::ranges::stable_partition(named.patterns_, is_one_table, &Pattern::table);
    return named;
}

std::expected<NamedColumns, std::string> NamedColumns::of_debezium(std::string_view option,
                                                                   std::string_view text) {
    NamedColumns named;
    named.option_ = option;
    for (const std::string_view item : split_names(text, ';')) {
        if (item.empty()) continue;
        auto read = expression(item);
        if (!read) return std::unexpected(std::move(read.error()));
        named.expressions_.push_back(std::move(*read));
    }
    return named;
}

// `public.orders:customer_id,id`. There are colons in (?:…), too: the columns stand after the last.
auto NamedColumns::expression(std::string_view text) -> std::expected<Expression, std::string> {
    const auto colon = text.rfind(':');
    const auto table = without_spaces(text.substr(0, colon));
    if (colon == std::string_view::npos || table.empty()) {
        return std::unexpected(
            fmt::format("\"{}\" is not of the form schema.table:column,column", text));
    }
    std::vector<std::string> columns;
    for (const std::string_view column : split_names(text.substr(colon + 1), ',')) {
        if (column.empty()) {
            return std::unexpected(fmt::format("\"{}\" has a column without a name", text));
        }
        columns.emplace_back(column);
    }
    auto regex = NameRegex::compile(table);
    if (!regex) {
        return std::unexpected(
            fmt::format("the regular expression \"{}\": {}", table, regex.error()));
    }
    return Expression{.table = std::move(*regex), .columns = std::move(columns)};
}

std::vector<std::string> NamedColumns::of(std::string_view schema, std::string_view table) const {
    const auto found = std::ranges::find_if(patterns_, [&](const Pattern& pattern) {
        return pattern.table.matches(std::array{schema, table});
    });
    if (found != patterns_.end()) return found->columns;
    std::vector<std::string> columns;
    if (expressions_.empty()) return columns;
    const std::string name = fmt::format("{}.{}", schema, table);
    for (const Expression& expression : expressions_) {
        if (expression.table.matches(name)) add_new(columns, expression.columns);
    }
    return columns;
}

Result<std::vector<std::uint32_t>> NamedColumns::places_in(const Relation& relation) const {
    std::vector<std::uint32_t> places;
    for (const std::string& name : of(relation.schema, relation.name)) {
        const auto at = std::ranges::find(relation.columns, name, &Column::name);
        const bool there = at != relation.columns.end();
        if (!there || !at->captured) {
            return std::unexpected(
                stop(Error::Category::configuration,
                     fmt::format("{} names the column {}, which is {}", option_, name,
                                 there ? "excluded from capture" : "not in the table"))
                    .at("table " + qualified_name(relation))
                    .with_hint(
                        "correct " + option_ +
                        (there ? ", or take the column out of source.columns.exclude" : "")));
        }
        places.push_back(static_cast<std::uint32_t>(at - relation.columns.begin()));
    }
    return places;
}

}  // namespace pgc
