#include "postgres/types/elements.h"

#include <cstdint>

namespace pgc::types {

bool read_sized(const Type& type, ByteCursor& in, Scratch& scratch, Value& out) {
    const auto size = in.read<std::int32_t>();
    out = Value{};
    if (size < 0) {
        out.is_null = true;
        return size == -1 && !in.overrun();
    }
    const auto bytes = in.take(static_cast<std::size_t>(size));
    return !in.overrun() && type.read_binary != nullptr &&
           type.read_binary(type, bytes, scratch, out);
}

std::size_t find_item_end(std::string_view text, std::size_t at, std::string_view stops,
                          bool& escaped) noexcept {
    bool quoted = false;
    escaped = false;
    for (; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\') {
            escaped = true;
            ++at;
        } else if (c == '"') {
            escaped = true;
            // A doubled quote inside quotes leaves them and enters them again.
            quoted = !quoted;
        } else if (!quoted && stops.find(c) != std::string_view::npos) {
            return at;
        }
    }
    return text.size();
}

std::string_view unescape(std::string_view item, Quoting quoting, Scratch& scratch) {
    char* start = scratch.allocate<char>(item.size());
    char* to = start;
    bool quoted = false;
    for (std::size_t i = 0; i < item.size(); ++i) {
        const bool has_next = i + 1 < item.size();
        const bool is_quote = item[i] == '"';
        const bool escapes_next =
            (item[i] == '\\' && has_next) ||
            (is_quote && quoted && has_next && quoting == Quoting::doubled && item[i + 1] == '"');
        if (escapes_next) {
            ++i;
        } else if (is_quote) {
            quoted = !quoted;
            continue;
        }
        *to++ = item[i];
    }
    return {start, static_cast<std::size_t>(to - start)};
}

}  // namespace pgc::types
