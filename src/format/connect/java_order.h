// The order in which the HashMap of Java 17 hands out its keys. Confluent's converters keep the
// properties of JSON Schema in such maps; a registry that has their text knows ours for the same
// only in that order.
#pragma once

#include <cstddef>
#include <initializer_list>
#include <string_view>
#include <vector>

namespace pgc {

// A way of filling a map with n keys, which decides how many buckets it ends with.
enum class JavaMap : unsigned char {
    grown,   // new HashMap(), then a put for each
    copied,  // new HashMap(of another map)
    sized,   // new HashMap(n), then a put for each
};

// The indexes of `keys` in the order of a map that was filled in the order of `keys`, then of the
// map that was filled from that one, and so on. Requires: no key twice.
std::vector<std::size_t> java_order(const std::vector<std::string_view>& keys,
                                    std::initializer_list<JavaMap> maps);

}  // namespace pgc
