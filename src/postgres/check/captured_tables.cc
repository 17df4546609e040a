#include "postgres/check/captured_tables.h"

#include <cstddef>
#include <string>
#include <unordered_map>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/setup/publication.h"
#include "postgres/setup/statements.h"
#include "postgres/setup/tables.h"

namespace pgc {

Result<std::vector<CapturedTable>> captured_tables(BlockingLink& link,
                                                   const PostgresConfig& config) {
    const auto rows = link.ask(tables_query());
    if (!rows) return std::unexpected(rows.error());
    const auto tables = read_tables(*rows);
    if (!tables) return std::unexpected(tables.error());
    const int version = link.link().server_version();
    const auto publication = link.ask(publication_query(version, config.publication, config.slot));
    if (!publication) return std::unexpected(publication.error());
    const auto known = read_publication(*publication);
    if (!known) return std::unexpected(known.error());
    const auto slots = link.ask(slots_query(version, config.slot));
    if (!slots) return std::unexpected(slots.error());
    const auto second = link.ask(
        inserts_publication_query(version, inserts_publication(config.publication), config.slot));
    if (!second) return std::unexpected(second.error());
    const auto inserts = read_publication(*second);
    if (!inserts) return std::unexpected(inserts.error());
    const bool apart = has_inserts(config, *known, *inserts, !slots->rows.empty());
    const auto published = link.ask(published_tables_query(publications_of(config, apart)));
    if (!published) return std::unexpected(published.error());

    const bool filtered = config.manage_publication || config.tables_given;
    const auto above = lineages(*tables);
    std::unordered_map<std::string, std::size_t> places;  // by quoted name
    for (std::size_t i = 0; i < tables->size(); ++i) {
        places.emplace(quote_name((*tables)[i].schema, (*tables)[i].name), i);
    }
    const auto selected = [&](const CapturedTable& table) {
        const auto at = places.find(quote_name(table.schema, table.name));
        return filter_means(config.tables, table.schema, table.name,
                            at == places.end() ? Lineage{} : above[at->second]);
    };
    std::vector<CapturedTable> captured;
    std::vector<std::string> covered;  // quoted
    for (std::size_t i = 0; i < published->rows.size(); ++i) {
        Answer row{*published, i};
        CapturedTable table{row.text("schema"), row.text("name")};
        if (!row.sound()) return std::unexpected(strange_answer("tables"));
        covered.push_back(quote_name(table.schema, table.name));
        if (table.schema == kRegistrySchema || (filtered && !selected(table))) continue;
        captured.push_back(std::move(table));
    }
    // One that somebody else made gets no more tables.
    const bool grows = config.manage_publication && (!*known || (*known)->maintained);
    if (!grows) return captured;
    for (const TableInfo* table : uncovered_tables(*tables, config.tables, covered)) {
        if (!apart && !table->identifiable()) continue;
        captured.push_back({table->schema, table->name});
    }
    return captured;
}

}  // namespace pgc
