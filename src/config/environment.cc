#include "config/environment.h"

#include <unistd.h>

#include <cstdlib>
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

void remove_from_environment(std::span<const char* const> names) noexcept {
    for (const char* name : names) {
        ::unsetenv(name);  // NOLINT(concurrency-mt-unsafe): before there are threads
    }
}

}  // namespace pgc
