#include "format/debezium/field_names.h"

#include <fmt/format.h>

#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>

namespace pgc {
namespace {

std::optional<std::string> name_of_two(const ConnectSchema& schema) {
    std::unordered_set<std::string_view> names;
    for (const ConnectField& field : schema.fields) {
        if (!names.insert(field.name).second) return field.name;
        if (auto name = name_of_two(*field.schema)) return name;
    }
    return schema.element != nullptr ? name_of_two(*schema.element) : std::nullopt;
}

}  // namespace

Result<void> check_field_names(const Relation& table,
                               std::initializer_list<ConnectSchemaPtr> schemas) {
    for (const ConnectSchemaPtr& schema : schemas) {
        const auto name = schema != nullptr ? name_of_two(*schema) : std::nullopt;
        if (!name) continue;
        return std::unexpected(
            stop(Error::Category::data,
                 fmt::format("two fields of its messages would be called \"{}\"", *name))
                .at(fmt::format("table {}", qualified_name(table)))
                .with_hint("rename a column, or choose another "
                           "format.debezium.field_name_adjustment_mode or "
                           "format.flat.add_fields_prefix"));
    }
    return {};
}

}  // namespace pgc
