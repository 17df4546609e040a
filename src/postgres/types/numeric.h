// numeric: exact decimal text in either form.
//
//   binary  Int16 n  Int16 weight  UInt16 sign  UInt16 dscale  n × Int16 digit
//
// A digit is 0 to 9999; the first one stands for digit × 10000^weight. dscale is the number
// of decimals to be shown. sign: 0, 0x4000 minus, 0xC000 NaN, 0xD000 and 0xF000 infinities.
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_numeric_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_numeric_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

// money: an amount of hundredths, as text "-$1,234.50" (lc_monetary is C in every session of ours);
// shown "-1234.50".
bool read_money_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_money_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
