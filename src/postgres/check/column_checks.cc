#include "postgres/check/column_checks.h"

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

// Of one table: its columns, and whether the server sends them with each old row.
using Sent = std::map<std::string, bool, std::less<>>;
using Columns = std::map<std::string, Sent, std::less<>>;  // by quoted name of the table

Result<Columns> ask_columns(BlockingLink& link) {
    const auto rows = link.ask(sent_columns_query());
    if (!rows) return std::unexpected(rows.error());
    Columns columns;
    for (std::size_t i = 0; i < rows->rows.size(); ++i) {
        Answer row{*rows, i};
        const std::string table = quote_name(row.text("schema"), row.text("name"));
        columns[table][std::string{row.text("column_name")}] = row.flag("sent");
        if (!row.sound()) return std::unexpected(strange_answer("columns"));
    }
    return columns;
}

class ColumnChecker {
public:
    ColumnChecker(const PostgresConfig& config, Columns columns, Findings& findings)
        : config_(config), columns_(std::move(columns)), findings_(findings) {}

    void check(const NamedColumns& named, const std::vector<CapturedTable>& tables) {
        if (named.empty()) return;
        std::size_t wrong = 0;
        for (const CapturedTable& table : tables) {
            const auto names = named.of(table.schema, table.name);
            if (names.empty()) continue;
            Finding finding{.id = "named_columns",
                            .subject = "table " + quote_name(table.schema, table.name)};
            look_at(named, table, names, finding);
            if (finding.level != Level::ok && ++wrong <= kNamed_max) {
                findings_.push_back(std::move(finding));
            }
        }
        if (wrong > 0) return;
        findings_.push_back({.id = "named_columns",
                             .subject = named.option(),
                             .message = "the columns are there and come with each old row"});
    }

private:
    void look_at(const NamedColumns& named, const CapturedTable& table,
                 const std::vector<std::string>& names, Finding& finding) const {
        const auto known = columns_.find(quote_name(table.schema, table.name));
        if (known == columns_.end()) return;  // it is gone since
        const std::string missing = listed(names, [&](const std::string& name) {
            return !known->second.contains(name) ||
                   config_.columns.excluded(table.schema, table.name, name);
        });
        if (!missing.empty()) {
            finding.level = Level::blocking;
            finding.message =
                fmt::format("has no captured column {}, which {} names", missing, named.option());
            finding.hint = "correct " + named.option();
            return;
        }
        const std::string unsent = listed(
            names, [&](const std::string& name) { return !known->second.find(name)->second; });
        if (unsent.empty()) return;
        finding.level = Level::warning;
        finding.message = fmt::format(
            "sends no old values of {}, which {} names: an UPDATE or DELETE will be refused",
            unsent, named.option());
        finding.hint = fmt::format("ALTER TABLE {} REPLICA IDENTITY FULL",
                                   quote_name(table.schema, table.name));
    }

    template <typename Predicate>
    static std::string listed(const std::vector<std::string>& names, Predicate predicate) {
        std::string text;
        for (const std::string& name : names) {
            if (!predicate(name)) continue;
            if (!text.empty()) text += ", ";
            text += quote_name(name);
        }
        return text;
    }

    const PostgresConfig& config_;
    const Columns columns_;
    Findings& findings_;
};

}  // namespace

Result<void> check_named_columns(BlockingLink& link, const PostgresConfig& config,
                                 Findings& findings) {
    if (config.message_keys.empty() && config.partition_columns.empty()) return {};
    const auto tables = captured_tables(link, config);
    if (!tables) return std::unexpected(tables.error());
    auto columns = ask_columns(link);
    if (!columns) return std::unexpected(columns.error());
    ColumnChecker checker{config, std::move(*columns), findings};
    checker.check(config.message_keys, *tables);
    checker.check(config.partition_columns, *tables);
    return {};
}

}  // namespace pgc
