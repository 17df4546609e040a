#include "postgres/snapshot/copy_rows.h"

#include <cstring>
#include <string_view>

#include "base/byte_cursor.h"

namespace pgc {
namespace {

using namespace std::string_view_literals;

constexpr std::string_view kSignature = "PGCOPY\n\377\r\n\0"sv;
constexpr std::uint32_t kWithOids = 1U << 16;
constexpr std::uint16_t kEnd = 0xFFFF;
constexpr std::uint32_t kNull = 0xFFFFFFFF;

char unescaped(char escaped) noexcept {
    switch (escaped) {
        case 'b': return '\b';
        case 'f': return '\f';
        case 'n': return '\n';
        case 'r': return '\r';
        case 't': return '\t';
        case 'v': return '\v';
        default: return escaped;
    }
}

// Takes the backslashes out of [first, last); the new end. The last byte is none.
char* unescape(char* first, char* last) noexcept {
    auto* from =
        static_cast<char*>(std::memchr(first, '\\', static_cast<std::size_t>(last - first)));
    if (from == nullptr) [[likely]]
        return last;
    char* to = from;
    while (from < last) {
        if (*from == '\\' && from + 1 < last) {
            *to++ = unescaped(from[1]);
            from += 2;
        } else {
            *to++ = *from++;
        }
    }
    return to;
}

}  // namespace

Result<CopyRows::Found, CopyRows::Fault> CopyRows::read(std::span<char> message,
                                                        std::span<Cell> cells) noexcept {
    return form_ == CopyForm::binary ? read_binary(message, cells) : read_text(message, cells);
}

Result<CopyRows::Found, CopyRows::Fault> CopyRows::read_binary(std::span<char> message,
                                                               std::span<Cell> cells) noexcept {
    ByteCursor in{{message.data(), message.size()}};
    if (!begun_) [[unlikely]] {
        if (in.take(kSignature.size()) != kSignature) return std::unexpected(Fault::header);
        if ((in.read<std::uint32_t>() & kWithOids) != 0) return std::unexpected(Fault::header);
        in.take(in.read<std::uint32_t>());
        if (in.overrun()) return std::unexpected(Fault::header);
        begun_ = true;
        if (in.remaining() == 0) return Found::nothing;
    }
    const auto count = in.read<std::uint16_t>();
    if (in.overrun()) return std::unexpected(Fault::truncated);
    if (count == kEnd && in.remaining() == 0) return Found::nothing;
    if (count != columns_) return std::unexpected(Fault::column_count);
    for (std::size_t i = 0; i < columns_; ++i) {
        const auto size = in.read<std::uint32_t>();
        if (size == kNull) {
            cells[i] = {.state = Cell::State::null};
            continue;
        }
        const std::string_view bytes = in.take(size);
        cells[i] = {.data = bytes.data(), .size = size, .state = Cell::State::binary};
    }
    if (in.overrun()) return std::unexpected(Fault::truncated);
    if (in.remaining() > 0) return std::unexpected(Fault::trailing_bytes);
    return Found::row;
}

Result<CopyRows::Found, CopyRows::Fault> CopyRows::read_text(std::span<char> message,
                                                             std::span<Cell> cells) noexcept {
    if (message.empty() || message.back() != '\n') return std::unexpected(Fault::truncated);
    char* at = message.data();
    char* const end = at + message.size() - 1;
    if (columns_ == 0) {
        return at == end ? Result<Found, Fault>{Found::row} : std::unexpected(Fault::column_count);
    }
    for (std::size_t i = 0; i < columns_; ++i) {
        const auto left = static_cast<std::size_t>(end - at);
        auto* const tab = static_cast<char*>(std::memchr(at, '\t', left));
        if ((tab == nullptr) != (i + 1 == columns_)) return std::unexpected(Fault::column_count);
        char* const stop = tab == nullptr ? end : tab;
        if (stop - at == 2 && at[0] == '\\' && at[1] == 'N') {
            cells[i] = {.state = Cell::State::null};
        } else {
            const auto size = static_cast<std::uint32_t>(unescape(at, stop) - at);
            cells[i] = {.data = at, .size = size, .state = Cell::State::text};
        }
        at = stop + 1;
    }
    return Found::row;
}

}  // namespace pgc
