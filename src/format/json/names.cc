#include "format/json/names.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "format/json/string.h"

namespace pgc {
namespace {

bool names_are_utf8(const Type& type) {
    return (type.element == nullptr || names_are_utf8(*type.element)) &&
           std::ranges::all_of(type.fields, [](const Field& field) {
               return is_utf8(field.name) && names_are_utf8(*field.type);
           });
}

}  // namespace

Result<void> check_names(const Relation& relation) {
    const auto broken = [&](std::string_view what) {
        return std::unexpected(
            stop(Error::Category::data, fmt::format("{} is not UTF-8", what))
                .at(fmt::format("table with OID {}", relation.oid.value))
                .with_hint("rename it, exclude the table, or set format.invalid_utf8 to base64"));
    };
    if (!is_utf8(relation.schema) || !is_utf8(relation.name)) {
        return broken("the name of a table or of its schema");
    }
    if (!std::ranges::all_of(relation.columns, is_utf8, &Column::name)) {
        return broken("the name of a column");
    }
    if (!std::ranges::all_of(relation.columns,
                             [](const Column& column) { return names_are_utf8(*column.type); })) {
        return broken("the name of a field of a composite type");
    }
    return {};
}

}  // namespace pgc
