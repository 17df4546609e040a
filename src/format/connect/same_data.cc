#include "format/connect/same_data.h"

#include <cstddef>

#include "format/connect/logical_types.h"

namespace pgc {

namespace {

bool same_part(const ConnectSchemaPtr& a, const ConnectSchemaPtr& b) {
    if (a == b) return true;
    if (a == nullptr || b == nullptr) return false;
    const bool same_null =
        a->optional == b->optional && a->fallback.has_value() == b->fallback.has_value();
    return same_null && holds_the_same(*a, *b);
}

}  // namespace

bool holds_the_same(const ConnectSchema& a, const ConnectSchema& b) {
    if (a.type != b.type || a.name != b.name || a.fields.size() != b.fields.size()) return false;
    if (a.name == kConnectDecimal && a.parameters != b.parameters) return false;
    for (std::size_t i = 0; i < a.fields.size(); ++i) {
        if (a.fields[i].name != b.fields[i].name) return false;
        if (!same_part(a.fields[i].schema, b.fields[i].schema)) return false;
    }
    return same_part(a.key, b.key) && same_part(a.element, b.element);
}

}  // namespace pgc
