// Types of every kind for the value fuzzers, and a walk over what was read.
#pragma once

#include <cstddef>
#include <string_view>
#include <vector>

#include "core/value.h"
#include "postgres/types/type_map.h"

namespace pgc::fuzzing {

// The first byte of an input chooses one of these, modulo their number; new ones come
// last, so that the corpus keeps its meaning.
inline std::vector<TypePtr> value_types() {
    TypeMap map;
    map.add({.oid = Oid{20001}, .schema = "s", .name = "mood", .type = 'e'});
    map.add({.oid = Oid{20002}, .schema = "s", .name = "hstore"});
    map.add({.oid = Oid{20003}, .schema = "s", .name = "vector"});
    map.add({.oid = Oid{20004}, .schema = "s", .name = "halfvec"});
    map.add({.oid = Oid{20005}, .schema = "s", .name = "ltree"});
    map.add({.oid = Oid{20006}, .schema = "s", .name = "geometry"});
    map.add({.oid = Oid{20007},
             .schema = "s",
             .name = "pair",
             .type = 'c',
             .attributes = {{"a", Oid{23}}, {"b", Oid{1009}}, {"c", Oid{3906}}}});
    map.add({.oid = Oid{20008}, .schema = "s", .name = "_pair", .element = Oid{20007}});
    map.add({.oid = Oid{20009},
             .schema = "s",
             .name = "outer",
             .type = 'c',
             .attributes = {{"p", Oid{20008}}, {"h", Oid{20002}}}});
    map.add({.oid = Oid{20010}, .schema = "s", .name = "d", .type = 'd', .base = Oid{20008}});
    map.add({.oid = Oid{20011}, .schema = "s", .name = "r", .type = 'r', .subtype = Oid{20007}});
    map.add({.oid = Oid{20012}, .schema = "s", .name = "m", .type = 'm', .range = Oid{20011}});

    map.add({.oid = Oid{20013}, .schema = "s", .name = "cube"});
    map.add({.oid = Oid{20014}, .schema = "s", .name = "sparsevec"});

    std::vector<TypePtr> types;
    for (const std::uint32_t oid :
         {16U,    17U,    18U,    20U,    21U,    23U,    25U,    26U,    27U,    114U,   600U,
          700U,   701U,   829U,   869U,   1000U,  1007U,  1009U,  1020U,  1082U,  1083U,  1114U,
          1184U,  1186U,  1231U,  1266U,  1562U,  1700U,  2950U,  2970U,  3220U,  3802U,  3904U,
          3906U,  3910U,  3911U,  4451U,  4534U,  5069U,  6151U,  20001U, 20002U, 20003U, 20004U,
          20005U, 20006U, 20007U, 20008U, 20009U, 20010U, 20011U, 20012U, 22U,    30U,    601U,
          602U,   603U,   604U,   628U,   718U,   790U,   3614U,  3615U,  20013U, 20014U}) {
        types.push_back(map.find(Oid{oid}));
    }
    return types;
}

// Reads every byte and every element a value claims to have.
inline std::size_t walk(const Type& type, const Value& value) {
    if (value.is_null) {
        return 0;
    }
    std::size_t sum = 0;
    switch (type.kind) {
        case Kind::composite:
            for (std::size_t i = 0; i < type.fields.size(); ++i) {
                sum += walk(*type.fields[i].type, value.list[i]);
            }
            return sum;
        case Kind::array:
        case Kind::range:
        case Kind::multirange:
            for (const Value& element : value.list) {
                sum += walk(*type.element, element);
            }
            for (const Dimension& dimension : value.dimensions) {
                sum += static_cast<std::size_t>(dimension.length);
            }
            return sum;
        case Kind::map:
            for (const Value& text : value.list) {
                sum += text.text.size();
                for (const char c : text.text) {
                    sum += static_cast<unsigned char>(c);
                }
            }
            return sum;
        default:
            for (const char c : value.text) {
                sum += static_cast<unsigned char>(c);
            }
            return sum + static_cast<std::size_t>(value.integer);
    }
}

inline void read_one(const std::vector<TypePtr>& types, Reader Type::* reader,
                     std::string_view input) {
    if (input.empty()) {
        return;
    }
    const Type& type = *types[static_cast<unsigned char>(input.front()) % types.size()];
    if (type.*reader == nullptr) {
        return;
    }
    Scratch scratch;
    Value value;
    if ((type.*reader)(type, input.substr(1), scratch, value)) {
        static volatile std::size_t sink = 0;
        sink = sink + walk(type, value);
    }
}

}  // namespace pgc::fuzzing
