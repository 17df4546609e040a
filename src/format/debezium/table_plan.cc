#include "format/debezium/table_plan.h"

#include <memory>
#include <utility>

#include "core/topic_characters.h"
#include "format/cells.h"
#include "format/debezium/column_default.h"
#include "format/debezium/field_numbers.h"
#include "format/debezium/form_constants.h"
#include "format/debezium/names.h"
#include "format/debezium/placeholder.h"

namespace pgc {
namespace {

// `column`'s default in an encoding; empty where it has none that can be written.
template <typename Encoding>
std::string default_bytes(const Column& column, const ColumnForm& form, const FormPlan& plan) {
    const auto text = default_text(*column.type, column.default_expression);
    if (!text || form.schema->type == ConnectType::structure) return {};
    Scratch scratch;
    Value value{};
    if (!column.type->read_text(*column.type, *text, scratch, value)) return {};
    FormContext context;
    Arena arena;
    Writer out;
    out.begin(arena);
    return plan.write(context, out, plan, value) ? std::string{out.finish()} : std::string{};
}

// The form's schema, with what the column adds to it.
ConnectSchemaPtr column_schema(const Column& column, const ColumnForm& form,
                               const DebeziumOptions& options) {
    const FormPlan plan = compile_form<JsonEncoding>(form, column.type, options.nested_arrays);
    std::string json = default_bytes<JsonEncoding>(column, form, plan);
    const bool documented = options.docs && !column.comment.empty();
    if (json.empty() && !documented) return form.schema;
    auto schema = std::make_shared<ConnectSchema>(*form.schema);
    if (documented) schema->doc = column.comment;
    if (json.empty()) return schema;
    schema->fallback = ConnectDefault{.json = std::move(json)};
    return schema;
}

template <typename Encoding>
DebeziumColumn compile_column(const Relation& relation, std::uint32_t place, std::size_t field,
                              const DebeziumOptions& options, const SchemaNames& names,
                              const ConnectSchema* numbered) {
    const Column& column = relation.columns[place];
    ColumnForm form = column_form(column, options, names);
    if (numbered != nullptr) take_numbers(form, numbered->fields[field].schema);
    const bool nested = options.nested_arrays && !Encoding::kNeedsSchema;
    DebeziumColumn plan{.place = place,
                        .form = compile_form<Encoding>(form, column.type, nested),
                        .schema = column_schema(column, form, options),
                        .type = column.type,
                        .read_text = column.type->read_text,
                        .read_binary = column.type->read_binary,
                        .compound = is_compound(column.type->kind)};
    plan.takes_text = nested || plan.schema->type == ConnectType::string;
    const FieldBytes bytes = Encoding::field(
        {adjusted_field_name(column.name, names.fields), plan.schema, number_in(numbered, field)},
        field);
    plan.present = bytes.present;
    plan.null = bytes.absent;
    plan.absent = bytes.absent;
    if (!column.nullable) {
        std::string instead = default_bytes<Encoding>(column, form, plan.form);
        if (instead.empty()) instead = nothing_bytes<Encoding>(form, plan.form);
        plan.absent = bytes.present + instead;
    }
    plan.unsent = bytes.absent;
    if (!column.nullable || has_placeholder(*column.type, form)) {
        plan.unsent =
            bytes.present +
            unsent_bytes<Encoding>(form, plan.form, placeholder_of(options.unavailable_value));
    }
    return plan;
}

}  // namespace

std::string table_topic(const Relation& relation, const FormatContext& about) {
    return plain_topic_name(about.name + '.' + relation.schema + '.' + relation.name);
}

std::vector<std::uint32_t> captured_columns(const Relation& relation) {
    std::vector<std::uint32_t> places;
    for (std::uint32_t place = 0; place < relation.columns.size(); ++place) {
        if (relation.columns[place].captured) places.push_back(place);
    }
    return places;
}

ConnectSchemaPtr row_schema(const ColumnsPlan& row, const std::string& name, bool optional) {
    auto schema = std::make_shared<ConnectSchema>();
    schema->type = ConnectType::structure;
    schema->optional = optional;
    schema->name = name;
    schema->fields = row.schema->fields;
    return schema;
}

template <typename Encoding>
ColumnsPlan compile_columns(const Relation& relation, const std::vector<std::uint32_t>& places,
                            const DebeziumOptions& options, const FormatContext& about,
                            const ConnectSchema* numbered) {
    const SchemaNames names{.prefix = table_topic(relation, about),
                            .fields = options.field_names,
                            .schemas = options.schema_names};
    ColumnsPlan plan;
    auto schema = std::make_shared<ConnectSchema>();
    for (const std::uint32_t place : places) {
        plan.columns.push_back(compile_column<Encoding>(relation, place, plan.columns.size(),
                                                        options, names, numbered));
        schema->fields.push_back(
            {adjusted_field_name(relation.columns[place].name, options.field_names),
             plan.columns.back().schema});
    }
    plan.schema = std::move(schema);
    return plan;
}

template ColumnsPlan compile_columns<JsonEncoding>(const Relation&,
                                                   const std::vector<std::uint32_t>&,
                                                   const DebeziumOptions&, const FormatContext&,
                                                   const ConnectSchema*);
template ColumnsPlan compile_columns<AvroEncoding>(const Relation&,
                                                   const std::vector<std::uint32_t>&,
                                                   const DebeziumOptions&, const FormatContext&,
                                                   const ConnectSchema*);
template ColumnsPlan compile_columns<ProtobufEncoding>(const Relation&,
                                                       const std::vector<std::uint32_t>&,
                                                       const DebeziumOptions&, const FormatContext&,
                                                       const ConnectSchema*);

}  // namespace pgc
