#include "postgres/types/range.h"

#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/elements.h"

namespace pgc::types {
namespace {

enum Flag : unsigned {
    kEmpty = 0x01,
    kLowerInclusive = 0x02,
    kUpperInclusive = 0x04,
    kLowerInfinite = 0x08,
    kUpperInfinite = 0x10,
    kLowerNull = 0x20,  // never used by the server, but counts as no bound
    kUpperNull = 0x40,
};

bool read_bound(const Type& type, std::string_view item, bool escaped, Scratch& scratch,
                Value& out) {
    out = Value{};
    if (item.empty()) {
        out.is_null = true;  // unbounded
        return true;
    }
    const auto bytes = escaped ? unescape(item, Quoting::doubled, scratch) : item;
    return type.read_text != nullptr && type.read_text(type, bytes, scratch, out);
}

bool read_bound(const Type& type, bool is_there, ByteCursor& in, Scratch& scratch, Value& out) {
    if (!is_there) {
        out = Value{};
        out.is_null = true;
        return true;
    }
    return read_sized(type, in, scratch, out) && !out.is_null;
}

void make_empty_range(Value& out) noexcept {
    out.list = {};
    out.range_flags = {.empty = true};
}

// Calls on_item for each range of "{[1,3),[5,7)}".
template <typename OnItem>
bool walk_multirange(std::string_view text, OnItem on_item) {
    if (text.size() < 2 || text.front() != '{' || text.back() != '}') {
        return false;
    }
    text = text.substr(1, text.size() - 2);
    while (!text.empty()) {
        bool escaped = false;
        const std::size_t end = find_item_end(text, 1, ")]", escaped);
        if (end >= text.size() || !on_item(text.substr(0, end + 1))) {
            return false;
        }
        text.remove_prefix(end + 1);
        if (text.empty()) {
            return true;
        }
        if (text.front() != ',' || text.size() == 1) {
            return false;
        }
        text.remove_prefix(1);
    }
    return true;
}

}  // namespace

bool read_range_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes == "empty") {
        make_empty_range(out);
        return true;
    }
    if (bytes.size() < 3 || (bytes.front() != '[' && bytes.front() != '(') ||
        (bytes.back() != ']' && bytes.back() != ')')) {
        return false;
    }
    out.range_flags = {.empty = false,
                       .lower_inclusive = bytes.front() == '[',
                       .upper_inclusive = bytes.back() == ']'};
    bool lower_escaped = false;
    bool upper_escaped = false;
    const std::size_t comma = find_item_end(bytes, 1, ",", lower_escaped);
    if (comma >= bytes.size() ||
        find_item_end(bytes, comma + 1, ",)]", upper_escaped) != bytes.size() - 1) {
        return false;
    }
    Value* bounds = scratch.allocate<Value>(2);
    out.list = {bounds, 2};
    return read_bound(*type.element, bytes.substr(1, comma - 1), lower_escaped, scratch,
                      bounds[0]) &&
           read_bound(*type.element, bytes.substr(comma + 1, bytes.size() - comma - 2),
                      upper_escaped, scratch, bounds[1]);
}

bool read_range_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const unsigned flags = in.read<std::uint8_t>();
    if (in.overrun()) {
        return false;
    }
    if ((flags & kEmpty) != 0) {
        make_empty_range(out);
        return in.remaining() == 0;
    }
    const bool has_lower = (flags & (kLowerInfinite | kLowerNull)) == 0;
    const bool has_upper = (flags & (kUpperInfinite | kUpperNull)) == 0;
    out.range_flags = {.empty = false,
                       .lower_inclusive = (flags & kLowerInclusive) != 0,
                       .upper_inclusive = (flags & kUpperInclusive) != 0};
    Value* bounds = scratch.allocate<Value>(2);
    out.list = {bounds, 2};
    return read_bound(*type.element, has_lower, in, scratch, bounds[0]) &&
           read_bound(*type.element, has_upper, in, scratch, bounds[1]) && in.remaining() == 0;
}

bool read_multirange_text(const Type& type, std::string_view bytes, Scratch& scratch, Value& out) {
    std::size_t count = 0;
    if (!walk_multirange(bytes, [&](std::string_view) { return ++count > 0; })) {
        return false;
    }
    Value* ranges = scratch.allocate<Value>(count);
    Value* next = ranges;
    out.list = {ranges, count};
    return walk_multirange(bytes, [&](std::string_view range) {
        *next = Value{};
        return type.element->read_text(*type.element, range, scratch, *next++);
    });
}

bool read_multirange_binary(const Type& type, std::string_view bytes, Scratch& scratch,
                            Value& out) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint32_t>();
    if (in.overrun() || count > in.remaining() / sizeof(std::int32_t)) {
        return false;
    }
    Value* ranges = scratch.allocate<Value>(count);
    out.list = {ranges, count};
    for (std::size_t i = 0; i < count; ++i) {
        if (!read_sized(*type.element, in, scratch, ranges[i]) || ranges[i].is_null) {
            return false;
        }
    }
    return in.remaining() == 0;
}

}  // namespace pgc::types
