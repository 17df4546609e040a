#include "postgres/setup/publication_coverage.h"

#include <cstddef>
#include <string_view>
#include <unordered_set>

#include "pgclient/quote.h"

namespace pgc {

CoveredTables covered_by(const PublicationFindings& found, const PostgresConfig& config,
                         const std::vector<std::string>& published) {
    std::unordered_set<std::string> listed;
    std::unordered_set<std::string> schemas;
    for (const std::optional<Publication>& one : {found.publication, found.inserts}) {
        if (!one) continue;
        schemas.insert(one->schemas.begin(), one->schemas.end());
        for (const Publication::Member& member : one->tables) {
            listed.insert(quote_name(member.schema, member.name));
        }
    }
    return covered_tables(found.tables, config.tables,
                          {.published = published,
                           .all = found.publication->all_tables,
                           .via_root = found.publication->via_root,
                           .by_itself = [&](const TableInfo& table) {
                               return schemas.contains(table.schema) ||
                                      listed.contains(quote_name(table.schema, table.name));
                           }});
}

std::unordered_map<Oid, Lineage> lineages_to_remember(const PublicationFindings& found,
                                                      const PostgresConfig& config,
                                                      const std::vector<std::string>& published,
                                                      bool maintained) {
    const std::unordered_set<std::string_view> shown(published.begin(), published.end());
    const bool others_too = !maintained && !found.publication->all_tables;
    const auto above = lineages(found.tables);
    std::unordered_map<Oid, Lineage> all;
    for (std::size_t i = 0; i < found.tables.size(); ++i) {
        const TableInfo& table = found.tables[i];
        if (filter_decides(config.tables, table.schema, table.name)) continue;
        if (filter_means(config.tables, table.schema, table.name, above[i]) ||
            (others_too && shown.contains(quote_name(table.schema, table.name)))) {
            all.emplace(table.oid, above[i]);
        }
    }
    return all;
}

}  // namespace pgc
