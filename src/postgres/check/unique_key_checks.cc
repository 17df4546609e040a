#include "postgres/check/unique_key_checks.h"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/check/captured_tables.h"
#include "postgres/setup/statements.h"

namespace pgc {
namespace {

using Level = Finding::Level;

struct IndexColumn {
    std::string name;  // empty: an expression
    bool nullable = false;
    bool generated = false;  // and therefore never sent
    bool sent = false;
};

struct UniqueIndex {
    std::string name;
    std::string fault;
    std::vector<IndexColumn> columns;
};

using Indexes = std::map<std::string, std::vector<UniqueIndex>, std::less<>>;  // by quoted table

Result<Indexes> ask_indexes(BlockingLink& link) {
    const auto rows = link.ask(unique_indexes_query(link.link().server_version()));
    if (!rows) return std::unexpected(rows.error());
    Indexes indexes;
    for (std::size_t i = 0; i < rows->rows.size(); ++i) {
        Answer row{*rows, i};
        auto& of_table = indexes[quote_name(row.text("schema"), row.text("name"))];
        std::string index = row.text("index_name");
        if (of_table.empty() || of_table.back().name != index) {
            of_table.push_back({std::move(index), row.text("fault"), {}});
        }
        of_table.back().columns.push_back({row.text("column_name"), row.flag("nullable"),
                                           row.flag("generated"), row.flag("sent")});
        if (!row.sound()) return std::unexpected(strange_answer("indexes"));
    }
    return indexes;
}

template <typename Predicate>
std::string listed(const UniqueIndex& index, Predicate predicate) {
    std::string text;
    for (const IndexColumn& column : index.columns) {
        if (!predicate(column)) continue;
        text += (text.empty() ? "" : ", ") + quote_name(column.name);
    }
    return text;
}

struct Reason {
    std::string text;
    std::string hint;
};

// Why an index of a table is not its key; empty texts: it can be.
Reason reason_against(const UniqueIndex& index, const CapturedTable& table,
                      const PostgresConfig& config) {
    const std::string name = quote_name(table.schema, table.name);
    const std::string otherwise = "give it a primary key, or name columns in source.message_keys";
    if (index.fault == "expression") return {"has an expression", otherwise};
    if (index.fault == "partial") return {"is not of all rows", otherwise};
    if (index.fault == "deferrable") return {"is deferrable", otherwise};
    if (index.fault == "invalid") {
        return {"is not valid",
                fmt::format("REINDEX INDEX {}", quote_name(table.schema, index.name))};
    }
    if (index.fault == "nullable") {
        std::string hint = "ALTER TABLE " + name;
        std::string_view separator = " ";
        for (const IndexColumn& column : index.columns) {
            if (!column.nullable) continue;
            hint += fmt::format("{}ALTER COLUMN {} SET NOT NULL", std::exchange(separator, ", "),
                                quote_name(column.name));
        }
        return {"may hold NULL in " +
                    listed(index, [](const IndexColumn& column) { return column.nullable; }),
                std::move(hint)};
    }
    if (!index.fault.empty()) {
        return {"has columns that a partition does not send of old rows", otherwise};
    }
    const std::string excluded = listed(index, [&](const IndexColumn& column) {
        return config.columns.excluded(table.schema, table.name, column.name);
    });
    if (!excluded.empty()) {
        return {"has the excluded column " + excluded,
                "take it out of source.columns.exclude, or name columns in source.message_keys"};
    }
    const std::string generated =
        listed(index, [](const IndexColumn& column) { return column.generated; });
    if (!generated.empty()) {
        return {"has a generated column, which the server does not send: " + generated, otherwise};
    }
    const std::string unsent =
        listed(index, [](const IndexColumn& column) { return !column.sent; });
    if (!unsent.empty()) {
        return {"has columns that the server does not send of old rows: " + unsent,
                fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL", name)};
    }
    return {};
}

}  // namespace

Result<void> check_unique_keys(BlockingLink& link, const PostgresConfig& config,
                               Findings& findings) {
    if (!config.unique_keys) return {};
    const auto tables = captured_tables(link, config);
    if (!tables) return std::unexpected(tables.error());
    const auto indexes = ask_indexes(link);
    if (!indexes) return std::unexpected(indexes.error());
    std::string keyed;
    std::size_t count = 0;
    std::size_t without = 0;
    for (const CapturedTable& table : *tables) {
        const std::string name = quote_name(table.schema, table.name);
        const auto found = indexes->find(name);
        if (found == indexes->end()) continue;
        if (!config.message_keys.of(table.schema, table.name).empty()) continue;
        const auto chosen = std::ranges::find_if(found->second, [&](const UniqueIndex& index) {
            return reason_against(index, table, config).text.empty();
        });
        if (chosen != found->second.end()) {
            if (count++ >= kNamed_max) continue;
            keyed += fmt::format("{}{} ({})", keyed.empty() ? "" : ", ", name,
                                 listed(*chosen, [](const IndexColumn&) { return true; }));
            continue;
        }
        if (++without > kNamed_max) continue;
        const UniqueIndex& first = found->second.front();
        Reason reason = reason_against(first, table, config);
        findings.push_back(
            {.id = "unique_keys",
             .level = Level::warning,
             .subject = "table " + name,
             .message = fmt::format("has no primary key, and its unique index {} makes no key of "
                                    "messages, as it {}",
                                    quote_name(first.name), reason.text),
             .hint = std::move(reason.hint)});
    }
    if (count > kNamed_max) keyed += fmt::format(" and {} more", count - kNamed_max);
    if (count > 0) {
        findings.push_back({.id = "unique_keys",
                            .subject = "tables",
                            .message = "without a primary key have messages with the key of a "
                                       "unique index: " +
                                       keyed});
    }
    return {};
}

}  // namespace pgc
