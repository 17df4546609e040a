#include "postgres/types/numeric.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "base/ascii.h"
#include "base/byte_cursor.h"
#include "postgres/types/written_text.h"

namespace pgc::types {
namespace {

constexpr int kDigitWidth = 4;
constexpr std::uint16_t kBase = 10000;
constexpr std::uint16_t kMaxScale = 0x3FFF;

enum Sign : std::uint16_t {
    kPlus = 0x0000,
    kMinus = 0x4000,
    kNaN = 0xC000,
    kPlusInfinity = 0xD000,
    kMinusInfinity = 0xF000,
};

// "0000" to "9999", one after the other.
constexpr auto kDigitTexts = [] {
    std::array<char, std::size_t{kBase} * kDigitWidth> texts{};
    for (std::size_t digit = 0; digit < kBase; ++digit) {
        std::size_t rest = digit;
        for (std::size_t place = kDigitWidth; place-- > 0; rest /= 10) {
            texts[digit * kDigitWidth + place] = static_cast<char>('0' + rest % 10);
        }
    }
    return texts;
}();

const char* digit_text(std::uint16_t digit) noexcept {
    return &kDigitTexts[std::size_t{digit} * kDigitWidth];
}

struct Numeric {
    std::string_view digits;  // as sent, two bytes each
    int count = 0;
    int weight = 0;
    bool negative = false;
    int scale = 0;

    // Digits beyond either end are zero.
    std::uint16_t digit(int place) const noexcept {
        if (place < 0 || place >= count) {
            return 0;
        }
        ByteCursor in{{digits.data() + static_cast<std::size_t>(place) * 2, 2}};
        return in.read<std::uint16_t>();
    }
};

bool all_digits_in_range(const Numeric& numeric) noexcept {
    for (int place = 0; place < numeric.count; ++place) {
        if (numeric.digit(place) >= kBase) {
            return false;
        }
    }
    return true;
}

char* write_four(char* to, std::uint16_t digit) noexcept {
    std::memcpy(to, digit_text(digit), kDigitWidth);
    return to + kDigitWidth;
}

char* write_whole_part(char* to, const Numeric& numeric) noexcept {
    if (numeric.weight < 0) {
        *to++ = '0';
        return to;
    }
    const std::uint16_t first = numeric.digit(0);
    const int leading_zeros = first >= 1000 ? 0 : first >= 100 ? 1 : first >= 10 ? 2 : 3;
    const auto width = static_cast<std::size_t>(kDigitWidth - leading_zeros);
    std::memcpy(to, digit_text(first) + leading_zeros, width);
    to += width;
    for (int place = 1; place <= numeric.weight; ++place) {
        to = write_four(to, numeric.digit(place));
    }
    return to;
}

// Writes whole digits, up to three characters too many; cut by the caller.
char* write_decimals(char* to, const Numeric& numeric) noexcept {
    if (numeric.scale == 0) {
        return to;
    }
    *to++ = '.';
    char* end = to + numeric.scale;
    for (int place = numeric.weight + 1; to < end; ++place) {
        to = write_four(to, numeric.digit(place));
    }
    return end;
}

bool read_special(std::uint16_t sign, Value& out) noexcept {
    switch (sign) {
        case kNaN: out.text = "NaN"; return true;
        case kPlusInfinity: out.text = "Infinity"; return true;
        case kMinusInfinity: out.text = "-Infinity"; return true;
        default: return false;
    }
}

}  // namespace

bool read_numeric_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.text = bytes;
    const char* at = bytes.data();
    const char* end = at + bytes.size();
    if (at != end && *at == '-') {
        ++at;
    }
    const char* whole = at;
    at = std::find_if_not(at, end, is_digit);
    if (at == whole) {
        return bytes == "NaN" || bytes == "Infinity" || bytes == "-Infinity";
    }
    if (at == end) {
        return true;
    }
    const char* decimals = at + 1;
    return *at == '.' && decimals != end && std::find_if_not(decimals, end, is_digit) == end;
}

bool read_numeric_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto count = in.read<std::uint16_t>();
    const auto weight = in.read<std::int16_t>();
    const auto sign = in.read<std::uint16_t>();
    const auto scale = in.read<std::uint16_t>();
    if (in.overrun() || in.remaining() != std::size_t{count} * 2) {
        return false;
    }
    if (sign != kPlus && sign != kMinus) {
        return read_special(sign, out);
    }
    const Numeric numeric{in.rest(), count, weight, sign == kMinus, scale};
    if (scale > kMaxScale || !all_digits_in_range(numeric)) {
        return false;
    }
    const auto whole_digits = static_cast<std::size_t>(std::max(numeric.weight, 0) + 1);
    // Sign, whole part, point, decimals, and what write_decimals() writes too much.
    const std::size_t most = 1 + whole_digits * kDigitWidth + 1 + scale + (kDigitWidth - 1);
    char* text = scratch.reserve(most);
    char* to = text;
    if (numeric.negative) {
        *to++ = '-';
    }
    to = write_decimals(write_whole_part(to, numeric), numeric);
    commit_text(text, to, scratch, out);
    return true;
}

bool read_money_text(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    const bool negative = bytes.starts_with('-');
    if (negative) bytes.remove_prefix(1);
    if (!bytes.starts_with('$')) return false;
    bytes.remove_prefix(1);
    const std::size_t point = bytes.find('.');
    if (point == 0 || point == std::string_view::npos || bytes.size() != point + 3) return false;
    char* const text = scratch.allocate<char>(bytes.size() + 1);
    char* to = text;
    if (negative) *to++ = '-';
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        const char c = bytes[i];
        if (c == ',' && i < point) continue;
        if (!is_digit(c) && i != point) return false;
        *to++ = c;
    }
    out.text = {text, static_cast<std::size_t>(to - text)};
    return true;
}

bool read_money_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != sizeof(std::int64_t)) return false;
    ByteCursor in{bytes};
    const auto amount = in.read<std::int64_t>();
    const std::uint64_t size =
        amount < 0 ? 0 - static_cast<std::uint64_t>(amount) : static_cast<std::uint64_t>(amount);
    constexpr std::size_t text_max = 24;
    char* const text = scratch.reserve(text_max);
    char* to = text;
    if (amount < 0) *to++ = '-';
    to = std::to_chars(to, text + text_max, size / 100).ptr;
    *to++ = '.';
    *to++ = static_cast<char>('0' + size % 100 / 10);
    *to++ = static_cast<char>('0' + size % 10);
    commit_text(text, to, scratch, out);
    return true;
}

}  // namespace pgc::types
