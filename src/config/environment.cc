#include "config/environment.h"

#include <unistd.h>

#include <string_view>

namespace pgc {

Environment read_environment() {
    Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view line = *entry;
        const auto equals = line.find('=');
        if (equals != std::string_view::npos) {
            environment.emplace(line.substr(0, equals), line.substr(equals + 1));
        }
    }
    return environment;
}

}  // namespace pgc
