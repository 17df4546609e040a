// Plans by the numbers that a registry has for the fields of a schema, where an encoding numbers
// them.
#pragma once

#include <cstddef>
#include <cstdint>
#include <initializer_list>

#include "base/error.h"
#include "format/connect/schema.h"
#include "format/debezium/column_form.h"

namespace pgc {

// Of the field at `place`; 0 where `numbered` is null: by its place.
std::uint32_t number_in(const ConnectSchema* numbered, std::size_t place) noexcept;

// Gives the structures in `form` the numbers of `numbered`, which is its schema but for them.
void take_numbers(ColumnForm& form, const ConnectSchemaPtr& numbered);

// What is the same in every message is written by places alone. An error where a number is another
// than its field's place: anywhere in `schemas`, of which some may be null, or in an envelope
// outside of its rows.
[[nodiscard]] Result<void> check_places(std::initializer_list<ConnectSchemaPtr> schemas);
[[nodiscard]] Result<void> check_envelope_places(const ConnectSchemaPtr& envelope);

}  // namespace pgc
