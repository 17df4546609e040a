#include "format/debezium/field_numbers.h"

#include <fmt/format.h>

#include <string>

namespace pgc {
namespace {

bool is_place(const ConnectField& field, std::size_t place) noexcept {
    return field.number == 0 || field.number == place + 1;
}

// The field whose number is another; null where there is none.
const ConnectField* moved_in(const ConnectSchema& schema) {
    for (std::size_t i = 0; i < schema.fields.size(); ++i) {
        if (!is_place(schema.fields[i], i)) return &schema.fields[i];
        if (const auto* const moved = moved_in(*schema.fields[i].schema)) return moved;
    }
    return schema.element != nullptr ? moved_in(*schema.element) : nullptr;
}

Result<void> check(const ConnectField* moved) {
    if (moved == nullptr) return {};
    return std::unexpected(
        stop(Error::Category::data,
             fmt::format("the schema that is registered has the number {} for the field \"{}\", "
                         "which is the same in all messages and has its place's",
                         moved->number, moved->name))
            .with_hint("let the messages go to another topic, or remove the subject from the "
                       "schema registry if nobody needs what was written by it"));
}

}  // namespace

std::uint32_t number_in(const ConnectSchema* numbered, std::size_t place) noexcept {
    return numbered != nullptr ? numbered->fields[place].number : 0;
}

void take_numbers(ColumnForm& form, const ConnectSchemaPtr& numbered) {
    form.schema = numbered;
    if (form.form == Form::array) take_numbers(form.parts.front(), numbered->element);
    if (form.form != Form::composite) return;
    for (std::size_t i = 0; i < form.parts.size(); ++i) {
        take_numbers(form.parts[i], numbered->fields[i].schema);
    }
}

Result<void> check_places(std::initializer_list<ConnectSchemaPtr> schemas) {
    for (const ConnectSchemaPtr& schema : schemas) {
        if (schema == nullptr) continue;
        if (auto checked = check(moved_in(*schema)); !checked) return checked;
    }
    return {};
}

Result<void> check_envelope_places(const ConnectSchemaPtr& envelope) {
    if (envelope == nullptr) return {};
    for (std::size_t i = 0; i < envelope->fields.size(); ++i) {
        const ConnectField& field = envelope->fields[i];
        const bool is_row = field.name == "before" || field.name == "after";
        const ConnectField* const moved = !is_place(field, i) ? &field
                                          : is_row            ? nullptr
                                                              : moved_in(*field.schema);
        if (auto checked = check(moved); !checked) return checked;
    }
    return {};
}

}  // namespace pgc
