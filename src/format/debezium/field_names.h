// Whether the fields of a table's messages all have names of their own.
#pragma once

#include <initializer_list>

#include "base/error.h"
#include "core/relation.h"
#include "format/connect/schema.h"

namespace pgc {

// An error when two fields of one structure in `schemas`, of which some may be null, have one name:
// a reader would see the value of one of them.
[[nodiscard]] Result<void> check_field_names(const Relation& table,
                                             std::initializer_list<ConnectSchemaPtr> schemas);

}  // namespace pgc
