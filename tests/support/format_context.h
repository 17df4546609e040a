// The pipeline that formats write for in their tests.
#pragma once

#include "format/options.h"

namespace pgc::test {

inline const FormatContext kContext{
    .version = "0.1.0", .database = "mydb", .name = "cdc", .run = "7"};

}  // namespace pgc::test
