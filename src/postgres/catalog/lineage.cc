#include "postgres/catalog/lineage.h"

#include <fmt/format.h>

#include <algorithm>

#include "pgclient/quote.h"

namespace pgc {

bool filter_means(const TableFilter& filter, std::string_view schema, std::string_view name,
                  std::span<const TableName> above) {
    if (filter.excluded(schema, name)) return false;
    return filter.included(schema, name) || std::ranges::any_of(above, [&](const TableName& table) {
               return filter.matches(table.schema, table.name);
           });
}

bool filter_decides(const TableFilter& filter, std::string_view schema, std::string_view name) {
    return filter.included(schema, name) || filter.excluded(schema, name);
}

// pg_partition_ancestors() came with 12.
std::string lineage_sql(std::string_view oid) {
    return fmt::format(R"sql((WITH RECURSIVE up(relid, level) AS (
            SELECT up_i.inhparent, 1 FROM pg_catalog.pg_inherits up_i
              JOIN pg_catalog.pg_class up_c ON up_c.oid = up_i.inhrelid AND up_c.relispartition
             WHERE up_i.inhrelid = {}
          UNION ALL
            SELECT up_i.inhparent, up.level + 1 FROM up
              JOIN pg_catalog.pg_inherits up_i ON up_i.inhrelid = up.relid
              JOIN pg_catalog.pg_class up_c ON up_c.oid = up_i.inhrelid AND up_c.relispartition)
        SELECT pg_catalog.string_agg(
                 '"' || pg_catalog.replace(up_n.nspname, '"', '""') || '"."' ||
                 pg_catalog.replace(up_c.relname, '"', '""') || '"', ', ' ORDER BY up.level)
          FROM up JOIN pg_catalog.pg_class up_c ON up_c.oid = up.relid
          JOIN pg_catalog.pg_namespace up_n ON up_n.oid = up_c.relnamespace))sql",
                       oid);
}

std::optional<Lineage> read_lineage(std::string_view text) {
    Lineage above;
    while (!text.empty()) {
        if (!above.empty()) {
            if (!text.starts_with(", ")) return std::nullopt;
            text.remove_prefix(2);
        }
        const auto schema = take_quoted_name(text);
        if (!schema || !text.starts_with('.')) return std::nullopt;
        text.remove_prefix(1);
        const auto name = take_quoted_name(text);
        if (!name) return std::nullopt;
        above.push_back({*schema, *name});
    }
    return above;
}

}  // namespace pgc
