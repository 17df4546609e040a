#include "postgres/types/composite.h"

#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/elements.h"

namespace pgc::types {
namespace {

// One value for each field, all null.
Value* allocate_nulls(const Type& type, Scratch& scratch) {
    Value* values = scratch.allocate<Value>(type.fields.size());
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
        values[i] = Value{};
        values[i].is_null = true;
    }
    return values;
}

bool read_field(const Type& type, std::string_view item, bool escaped, Scratch& scratch,
                Value& out) {
    if (item.empty()) {
        return true;  // null
    }
    const auto bytes = escaped ? unescape(item, Quoting::doubled, scratch) : item;
    out.is_null = false;
    return type.read_text != nullptr && type.read_text(type, bytes, scratch, out);
}

}  // namespace

bool read_composite_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() < 2 || bytes.front() != '(' || bytes.back() != ')') {
        return false;
    }
    Value* values = allocate_nulls(type, scratch);
    out.list = {values, type.fields.size()};
    if (type.fields.empty()) {
        return bytes == "()";
    }
    std::size_t at = 1;
    for (std::size_t i = 0; i < type.fields.size(); ++i) {
        bool escaped = false;
        const std::size_t end = find_item_end(bytes, at, ",)", escaped);
        if (end >= bytes.size() || !read_field(*type.fields[i].type, bytes.substr(at, end - at),
                                               escaped, scratch, values[i])) {
            return false;
        }
        at = end + 1;
        if (bytes[end] == ')') {
            return at == bytes.size();
        }
    }
    return false;  // more values than fields
}

bool read_composite_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint32_t>();
    if (in.overrun() || count > type.fields.size()) {
        return false;
    }
    Value* values = allocate_nulls(type, scratch);
    out.list = {values, type.fields.size()};
    for (std::size_t i = 0; i < count; ++i) {
        const Type& field = *type.fields[i].type;
        if (Oid{in.read<std::uint32_t>()} != field.oid ||
            !read_sized(field, in, scratch, values[i])) {
            return false;
        }
    }
    return in.remaining() == 0;
}

}  // namespace pgc::types
