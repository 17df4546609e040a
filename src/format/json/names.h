// Names of tables, columns and types are part of messages, and can be broken as values can.
#pragma once

#include "base/error.h"
#include "core/relation.h"

namespace pgc {

// Fails when one of a table's names is not UTF-8, and says what helps.
Result<void> check_names(const Relation& relation);

}  // namespace pgc
