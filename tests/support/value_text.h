// A value as one line of text, for expectations: which kind of thing was read, with
// everything that belongs to it. Not any format's output.
#pragma once

#include <string>

#include "core/value.h"

namespace pgc::testing {

// integer 5, real 1.5, text 'abc', null, [1, 2], and where there is more to say:
// dimensions "[0:2]:", ranges "[1, 5)", maps "{'a': '1'}", intervals "1 mon 2 d 3 us".
std::string show(const Type& type, const Value& value);

}  // namespace pgc::testing
