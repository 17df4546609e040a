// Numbers as text. Each function writes at `to`, at most as many bytes as its constant
// says, and returns the end.
#pragma once

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string_view>

namespace pgc {

inline constexpr std::size_t kMaxIntegerText = 20;
inline constexpr std::size_t kMaxRealText = 32;

// "00" … "99": two digits a step halve the divisions.
inline constexpr auto kDigitPairs = [] {
    std::array<char, 200> pairs{};
    for (std::size_t i = 0; i < 100; ++i) {
        pairs[2 * i] = static_cast<char>('0' + i / 10);
        pairs[2 * i + 1] = static_cast<char>('0' + i % 10);
    }
    return pairs;
}();

// Exactly two digits of a number below 100.
inline char* write_two_digits(char* to, std::uint64_t value) noexcept {
    std::memcpy(to, kDigitPairs.data() + 2 * value, 2);
    return to + 2;
}

inline char* write_unsigned(char* to, std::uint64_t value) noexcept {
    char digits[kMaxIntegerText];
    char* first = digits + kMaxIntegerText;
    while (value >= 100) {
        first -= 2;
        write_two_digits(first, value % 100);
        value /= 100;
    }
    if (value >= 10) {
        first -= 2;
        write_two_digits(first, value);
    } else {
        *--first = static_cast<char>('0' + value);
    }
    const auto size = static_cast<std::size_t>(digits + kMaxIntegerText - first);
    std::memcpy(to, first, size);
    return to + size;
}

inline char* write_integer(char* to, std::int64_t value) noexcept {
    auto magnitude = static_cast<std::uint64_t>(value);
    if (value < 0) {
        *to++ = '-';
        magnitude = 0 - magnitude;
    }
    return write_unsigned(to, magnitude);
}

// The shortest digits that read back as the same value, in JSON's grammar.
// Requires: finite.
template <typename Real>
char* write_real(char* to, Real value) noexcept {
    return std::to_chars(to, to + kMaxRealText, value).ptr;
}

// The end of the number that begins at `at`, in JSON's grammar, or nullptr.
const char* skip_json_number(const char* at, const char* end) noexcept;

// Whether `text` is such a number, to the last byte.
inline bool is_json_number(std::string_view text) noexcept {
    const char* const end = text.data() + text.size();
    return skip_json_number(text.data(), end) == end && !text.empty();
}

}  // namespace pgc
