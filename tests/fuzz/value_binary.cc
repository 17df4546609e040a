// Any bytes as the binary form of a value of any type; the first byte chooses the type.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "fuzz/value_types.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    static const auto types = pgc::fuzzing::value_types();
    pgc::fuzzing::read_one(types, &pgc::Type::read_binary,
                           {reinterpret_cast<const char*>(data), size});
    return 0;
}
