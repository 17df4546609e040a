// Names as Avro and its readers take them: what they don't, is replaced the way Debezium does.
#pragma once

#include <string>
#include <string_view>

#include "format/debezium/options.h"

namespace pgc {

// Of a field: letters, digits and underscores.
std::string adjusted_field_name(std::string_view name, NameAdjustment adjustment);

// Of a schema: dots too.
std::string adjusted_schema_name(std::string_view name, NameAdjustment adjustment);

}  // namespace pgc
