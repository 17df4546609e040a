#include "format/native/plan.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <string_view>
#include <utility>

#include "format/cells.h"
#include "format/json/names.h"
#include "format/json/text.h"

namespace pgc {
namespace {

// `schema` and `table` are JSON: quoted, or null.
void compile_constants(TablePlan& plan, std::string_view schema, std::string_view table,
                       const FormatContext& context) {
    for (std::size_t i = 0; i < kOperations; ++i) {
        plan.heads[i] = fmt::format(R"({{"schema":{},"table":{},"op":"{}","ts_ms":)", schema, table,
                                    name(static_cast<Operation>(i)));
    }
    plan.source = fmt::format(R"(,"db":{},"schema":{},"table":{},"lsn":")",
                              json_string(context.database), schema, table);
}

ColumnPlan compile_column(const Column& column, const FormatOptions& options) {
    return {.name = ',' + json_name(column.name),
            .value = compile_value(*column.type, options),
            .type = column.type,
            .read_text = column.type->read_text,
            .read_binary = column.type->read_binary,
            .captured = column.captured,
            .compound = is_compound(column.type->kind)};
}

}  // namespace

void add_key_part(std::vector<KeyColumn>& parts, std::uint32_t place, const Relation& relation) {
    parts.push_back(
        {.column = place,
         .name = (parts.empty() ? '{' : ',') + json_name(relation.columns[place].name)});
}

Result<TablePlan> compile_plan(const Relation& relation, const FormatOptions& options,
                               const FormatContext& context) {
    if (options.invalid_utf8 == InvalidUtf8::fail) {
        if (const auto checked = check_names(relation); !checked) {
            return std::unexpected(checked.error());
        }
    }
    TablePlan plan;
    compile_constants(plan, json_string(relation.schema), json_string(relation.name), context);
    for (const Column& column : relation.columns) {
        plan.columns.push_back(compile_column(column, options));
        plan.column_names.push_back(json_string(column.name));
    }
    for_each_key_column(relation,
                        [&](std::uint32_t place) { add_key_part(plan.key, place, relation); });
    return plan;
}

TablePlan compile_message_plan(const FormatContext& context) {
    TablePlan plan;
    compile_constants(plan, "null", "null", context);
    return plan;
}

}  // namespace pgc
