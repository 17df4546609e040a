// Any bytes as a list of objects in a variable, in its file and in a flag: settings or errors,
// never a crash or a throw, and what the environment keeps secret comes out of neither.
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "support/config_fuzz.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    pgc::config_fuzz::load_as_objects(std::string_view(reinterpret_cast<const char*>(data), size));
    return 0;
}
