#include "config/given.h"

#include <fmt/core.h>

namespace pgc {

std::string Provenance::where(Place place) const {
    if (file.empty()) {
        return place.line <= 1 ? giver : fmt::format("{}, line {}", giver, place.line);
    }
    return fmt::format("{}{}{}{}", giver, giver.empty() ? "" : ", ", file,
                       place.line == 0 ? "" : fmt::format(":{}", place.line));
}

}  // namespace pgc
