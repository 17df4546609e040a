// Whether two schemas hold the same data, so that one description does for both.
#pragma once

#include "format/connect/schema.h"

namespace pgc {

// Whether values of the one are values of the other. Comments and parameters may differ (but those
// of a decimal, where they are its scale), and whether the whole may be null.
bool holds_the_same(const ConnectSchema& a, const ConnectSchema& b);

}  // namespace pgc
