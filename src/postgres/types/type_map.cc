#include "postgres/types/type_map.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "postgres/types/array.h"
#include "postgres/types/builtin.h"
#include "postgres/types/composite.h"
#include "postgres/types/elements.h"
#include "postgres/types/range.h"
#include "postgres/types/text.h"

namespace pgc {
namespace {

using types::ScalarType;

constexpr Oid kReal32{700};

std::shared_ptr<Type> make_scalar(const ScalarType& scalar) {
    auto type = std::make_shared<Type>();
    type->kind = scalar.kind;
    type->width = scalar.width;
    type->is_unsigned = scalar.is_unsigned;
    type->oid = type->root = Oid{scalar.oid};
    type->name = type->root_name = scalar.name;
    type->read_text = scalar.read_text;
    type->read_binary = scalar.read_binary;
    type->delimiter = scalar.delimiter;
    return type;
}

std::shared_ptr<Type> make_text(Oid oid) {
    auto type = std::make_shared<Type>();
    type->oid = type->root = oid;
    type->name = type->root_name = "oid:" + std::to_string(oid.value);
    type->read_text = types::read_plain;
    return type;
}

// Nothing is known of it but that it was: what stands there is shown as the server's text, and
// said to be that.
bool read_unknown(const Type&, std::string_view, Scratch&, Value&) {
    return false;
}

std::shared_ptr<Type> make_unknown(Oid oid) {
    auto type = make_text(oid);
    type->read_text = read_unknown;
    return type;
}

// An array, range or multirange: its binary form is known if that of its parts is.
std::shared_ptr<Type> make_of(Kind kind, const TypePtr& part) {
    auto type = std::make_shared<Type>();
    type->kind = kind;
    type->element = part;
    Reader read_binary = nullptr;
    switch (kind) {
        case Kind::array:
            type->read_text = types::read_array_text;
            read_binary = types::read_array_binary;
            break;
        case Kind::range:
            type->read_text = types::read_range_text;
            read_binary = types::read_range_binary;
            break;
        default:
            type->read_text = types::read_multirange_text;
            read_binary = types::read_multirange_binary;
    }
    type->read_binary = part->read_binary != nullptr ? read_binary : nullptr;
    return type;
}

// What the row is made of.
std::vector<Oid> parts(const CatalogType& row) {
    std::vector<Oid> found;
    for (const Oid oid : {row.element, row.base, row.subtype, row.range}) {
        if (oid) {
            found.push_back(oid);
        }
    }
    for (const auto& attribute : row.attributes) {
        found.push_back(attribute.type);
    }
    return found;
}

std::string name_of(const CatalogType& row) {
    return row.schema == "pg_catalog" ? row.name : row.schema + "." + row.name;
}

}  // namespace

std::vector<Oid> TypeMap::missing(Oid oid) const {
    std::vector<Oid> result;
    std::unordered_set<Oid> seen;
    std::vector<Oid> open{oid};
    while (!open.empty()) {
        const Oid next = open.back();
        open.pop_back();
        if (!next || !seen.insert(next).second || types::find_scalar(next) != nullptr ||
            types::find_built(next) || unknown_.contains(next)) {
            continue;
        }
        if (const auto row = added_.find(next); row != added_.end()) {
            std::ranges::copy(parts(row->second), std::back_inserter(open));
        } else {
            result.push_back(next);
        }
    }
    return result;
}

void TypeMap::add(CatalogType row) {
    const Oid oid = row.oid;
    if (types::find_scalar(oid) != nullptr || types::find_built(oid)) {
        return;
    }
    forget(oid);
    added_.emplace(oid, std::move(row));
}

void TypeMap::add_unknown(Oid oid) {
    forget(oid);
    unknown_.insert(oid);
}

void TypeMap::forget(Oid oid) {
    added_.erase(oid);
    unknown_.erase(oid);
    composed_.clear();
}

TypePtr TypeMap::find(Oid oid) {
    return compose(oid, 0).type;
}

bool TypeMap::binary_known(Oid oid) {
    if (!missing(oid).empty()) {
        return false;
    }
    if (const auto row = added_.find(oid); row != added_.end() && !row->second.has_send) {
        return true;  // comes as text, whatever we ask for
    }
    const ScalarType* scalar = types::find_scalar(oid);
    return (scalar != nullptr && !scalar->has_send) || find(oid)->read_binary != nullptr;
}

TypeMap::Composed TypeMap::compose(Oid oid, int depth) {
    if (const auto found = composed_.find(oid); found != composed_.end()) {
        return found->second;
    }
    // Types can't contain themselves, but the catalog's answers come from outside.
    if (depth >= types::kMaxNesting) {
        return {make_text(oid), 1};
    }
    Composed result = compose_new(oid, depth + 1);
    if (result.height > types::kMaxNesting) {
        result = {make_text(oid), 1};
    }
    return composed_[oid] = result;
}

TypeMap::Composed TypeMap::compose_new(Oid oid, int depth) {
    if (const ScalarType* scalar = types::find_scalar(oid)) {
        return {make_scalar(*scalar), 1};
    }
    if (const auto built = types::find_built(oid)) {
        const Kind kind = built->element   ? Kind::array
                          : built->subtype ? Kind::range
                                           : Kind::multirange;
        const Oid part_oid = built->element   ? built->element
                             : built->subtype ? built->subtype
                                              : built->range;
        const Composed part = compose(part_oid, depth);
        auto type = make_of(kind, part.type);
        type->oid = type->root = oid;
        type->name = built->name.empty() ? "_" + part.type->name : std::string{built->name};
        type->root_name = type->name;
        return {std::move(type), part.height + 1};
    }
    if (const auto row = added_.find(oid); row != added_.end()) {
        return compose_added(row->second, depth);
    }
    return {make_unknown(oid), 1};
}

TypeMap::Composed TypeMap::compose_added(const CatalogType& row, int depth) {
    std::shared_ptr<Type> type;
    int height = 1;
    const auto made_of = [&](Kind kind, Oid part_oid) {
        const Composed part = compose(part_oid, depth);
        height = part.height + 1;
        type = make_of(kind, part.type);
    };
    if (row.type == 'd') {
        const Composed base = compose(row.base, depth);
        height = base.height + 1;
        type = std::make_shared<Type>(*base.type);
        // A domain over a domain can't have one of its own.
        if (row.modifier >= 0) type->modifier = row.modifier;
    } else if (row.type == 'c') {
        type = compose_record(row, depth, height);
    } else if (row.type == 'e') {
        type = make_text(row.oid);
        type->kind = Kind::enumeration;
        type->labels = row.labels;
        type->read_binary = types::read_plain;
    } else if (row.type == 'r' && row.subtype) {
        made_of(Kind::range, row.subtype);
    } else if (row.type == 'm' && row.range) {
        made_of(Kind::multirange, row.range);
    } else if (row.element) {
        made_of(Kind::array, row.element);
    } else if (const ScalarType* extension = types::find_extension(row.name);
               extension != nullptr && row.type == 'b') {
        type = make_scalar(*extension);
        // Older versions of it: then arrays of it have no binary form either.
        if (!row.has_send) type->read_binary = nullptr;
        if (type->kind == Kind::array) {
            type->element = compose(kReal32, depth).type;
        }
    } else {
        type = make_text(row.oid);
    }
    type->oid = row.oid;
    type->name = name_of(row);
    if (row.type != 'd') {
        type->root = type->oid;
        type->root_name = type->name;
    }
    type->delimiter = row.delimiter;
    return {std::move(type), height};
}

std::shared_ptr<Type> TypeMap::compose_record(const CatalogType& row, int depth, int& height) {
    auto type = std::make_shared<Type>();
    type->kind = Kind::composite;
    type->read_text = types::read_composite_text;
    type->read_binary = types::read_composite_binary;
    for (const auto& attribute : row.attributes) {
        const Composed field = compose(attribute.type, depth);
        height = std::max(height, field.height + 1);
        type->fields.push_back({attribute.name, field.type});
        if (field.type->read_binary == nullptr) {
            type->read_binary = nullptr;
        }
    }
    return type;
}

}  // namespace pgc
