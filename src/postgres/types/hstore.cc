#include "postgres/types/hstore.h"

#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/elements.h"

namespace pgc::types {
namespace {

// Eats one "quoted" text; `item` keeps its quotes.
bool eat_quoted(std::string_view& text, std::string_view& item) noexcept {
    if (!text.starts_with('"')) {
        return false;
    }
    for (std::size_t at = 1; at < text.size(); ++at) {
        if (text[at] == '\\') {
            ++at;
        } else if (text[at] == '"') {
            item = text.substr(0, at + 1);
            text.remove_prefix(at + 1);
            return true;
        }
    }
    return false;
}

bool eat(std::string_view& text, std::string_view expected) noexcept {
    if (!text.starts_with(expected)) {
        return false;
    }
    text.remove_prefix(expected.size());
    return true;
}

// Calls on_pair(key, value) with quotes on; the value is "NULL", without any, for null.
template <typename OnPair>
bool walk_pairs(std::string_view text, OnPair on_pair) {
    while (!text.empty()) {
        std::string_view key;
        std::string_view value = "NULL";
        if (!eat_quoted(text, key) || !eat(text, "=>") ||
            !(eat(text, value) || eat_quoted(text, value))) {
            return false;
        }
        on_pair(key, value);
        if (!text.empty() && (!eat(text, ", ") || text.empty())) {
            return false;
        }
    }
    return true;
}

void set_text(std::string_view item, Scratch& scratch, Value& out) {
    out = Value{};
    if (!item.starts_with('"')) {
        out.is_null = true;
    } else if (item.find('\\') == std::string_view::npos) {
        out.text = item.substr(1, item.size() - 2);
    } else {
        out.text = unescape(item, Quoting::backslash, scratch);
    }
}

bool read_sized_text(ByteCursor& in, Value& out) noexcept {
    out = Value{};
    const auto size = in.read<std::int32_t>();
    if (size < 0) {
        out.is_null = true;
        return size == -1;
    }
    out.text = in.take(static_cast<std::size_t>(size));
    return !in.overrun();
}

}  // namespace

bool read_hstore_text(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    std::size_t count = 0;
    if (!walk_pairs(bytes, [&](std::string_view, std::string_view) { count += 2; })) {
        return false;
    }
    Value* values = scratch.allocate<Value>(count);
    out.list = {values, count};
    return walk_pairs(bytes, [&](std::string_view key, std::string_view value) {
        set_text(key, scratch, *values++);
        set_text(value, scratch, *values++);
    });
}

bool read_hstore_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const std::size_t pairs = in.read<std::uint32_t>();
    if (in.overrun() || pairs > in.remaining() / (2 * sizeof(std::int32_t))) {
        return false;
    }
    Value* values = scratch.allocate<Value>(2 * pairs);
    for (std::size_t i = 0; i < 2 * pairs; ++i) {
        const bool is_key = i % 2 == 0;
        if (!read_sized_text(in, values[i]) || (is_key && values[i].is_null)) {
            return false;
        }
    }
    out.list = {values, 2 * pairs};
    return in.remaining() == 0;
}

}  // namespace pgc::types
