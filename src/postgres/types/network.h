// inet, cidr, macaddr, macaddr8: texts as the server prints them.
//
//   inet, cidr  binary: Byte family (2: IPv4, 3: IPv6)  Byte prefix bits  Byte is-cidr
//               Byte n  n bytes of address
//   macaddr     binary: 6 bytes; macaddr8: 8 bytes
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_inet_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_macaddr_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
