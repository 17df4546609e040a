#include "postgres/source/selection.h"

#include <string_view>

#include "postgres/catalog/lineage.h"

namespace pgc {

Selection selection_of(const PostgresConfig& config, bool filter_tables) {
    return {
        .table =
            [&config, all = !filter_tables](std::string_view schema, std::string_view table) {
                return all ? schema != kRegistrySchema
                           : filter_means(config.tables, schema, table, {});
            },
        .column =
            [&config](std::string_view schema, std::string_view table, std::string_view column) {
                return !config.columns.excluded(schema, table, column);
            },
        .through =
            [&config](std::string_view schema, std::string_view table, const Lineage* above) {
                return above == nullptr ? !filter_decides(config.tables, schema, table)
                                        : filter_means(config.tables, schema, table, *above);
            },
        .message_keys = &config.message_keys,
        .unique_keys = config.unique_keys};
}

}  // namespace pgc
