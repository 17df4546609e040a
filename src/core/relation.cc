#include "core/relation.h"

#include <algorithm>

namespace pgc {

std::vector<std::uint32_t> record_key(const Relation& relation) {
    std::vector<std::uint32_t> key;
    for_each_key_column(relation, [&](std::uint32_t place) { key.push_back(place); });
    return key;
}

}  // namespace pgc
