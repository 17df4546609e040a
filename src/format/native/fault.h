// Why a change can't be written, as an Error with its address and without a value.
#pragma once

#include "base/error.h"
#include "core/change.h"
#include "format/native/row.h"

namespace pgc {

// Requires: `row` has returned false for this change.
Error row_failure(const RowWriter& row, const Change& change);

}  // namespace pgc
