#include "postgres/types/real_text.h"

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstdint>
#include <cstdlib>
#include <cstring>
#include <limits>
#include <string_view>

namespace pgc::types {
namespace {

char* write_word(char* to, std::string_view word) noexcept {
    std::memcpy(to, word.data(), word.size());
    return to + word.size();
}

// "+20", "-05"
int exponent_of(std::string_view text) noexcept {
    int power = 0;
    std::from_chars(text.data() + 1, text.data() + text.size(), power);
    return text.front() == '-' ? -power : power;
}

// "-1.25" and 3 become "-1250"; and -2, "-0.0125". `shown` lies in `to`.
char* write_plain(char* to, std::string_view shown, int power) noexcept {
    char digits[kRealText_max];
    std::size_t count = 0;
    if (shown.front() == '-') {
        ++to;
        shown.remove_prefix(1);
    }
    for (const char c : shown) {
        if (c != '.') digits[count++] = c;
    }
    if (power < 0) {
        to = write_word(to,
                        std::string_view{"0.0000"}.substr(0, static_cast<std::size_t>(1 - power)));
        return write_word(to, {digits, count});
    }
    const auto whole = static_cast<std::size_t>(power) + 1;
    for (std::size_t i = 0; i < std::max(whole, count); ++i) {
        if (i == whole) *to++ = '.';
        *to++ = i < count ? digits[i] : '0';
    }
    return to;
}

// Whether `text`, digits with an exponent, lies exactly in the middle between `value` and the
// number next to it. That reads back as `value` where its last bit is even; the server's own writer
// takes no such digits, and needs one or more of them. In the middle there are only numbers of one
// bit more than Real has: powers of five large enough to matter leave them out.
template <typename Real>
bool is_in_the_middle(std::string_view text, Real value) noexcept {
    if (text.front() == '-') {
        text.remove_prefix(1);
        value = -value;
    }
    std::uint64_t digits = 0;
    int power = 0;
    const std::size_t e = text.find('e');
    bool fraction = false;
    for (const char c : text.substr(0, e)) {
        if (c == '.') {
            fraction = true;
            continue;
        }
        digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
        power -= fraction ? 1 : 0;
    }
    power += exponent_of(text.substr(e + 1));
    constexpr int fives_max = 27;  // 5^27 is below 2^63
    if (digits == 0 || power > fives_max || power < -fives_max) return false;
    const int twos = std::countr_zero(digits);
    std::uint64_t bits = digits >> twos;
    std::uint64_t fives = 1;
    for (int i = 0; i < std::abs(power); ++i) fives *= 5;
    if (power >= 0) {
        if (__builtin_mul_overflow(bits, fives, &bits)) return false;
    } else {
        if (bits % fives != 0) return false;
        bits /= fives;
    }
    // Exact: 64 bits there, one more than Real's here.
    static_assert(std::numeric_limits<long double>::digits >= 64);
    const long double read = std::ldexp(static_cast<long double>(bits), power + twos);
    const long double exact{value};
    constexpr Real beyond = std::numeric_limits<Real>::infinity();
    const long double next{std::nextafter(value, read > exact ? beyond : -beyond)};
    return read != exact && read == exact + (next - exact) / 2;
}

// One digit more, until they are between the middles.
template <typename Real>
char* write_longer(char* to, Real value, std::size_t shown) noexcept {
    for (auto places = static_cast<int>(shown);; ++places) {
        char* const end =
            std::to_chars(to, to + kRealText_max, value, std::chars_format::scientific, places).ptr;
        Real back{};
        std::from_chars(to, end, back);
        const bool is_last = places >= std::numeric_limits<Real>::max_digits10;
        if (is_last || (back == value && !is_in_the_middle({to, end}, value))) return end;
    }
}

template <typename Real>
char* write_real(char* to, Real value, int plain_below) noexcept {
    if (std::isnan(value)) return write_word(to, "NaN");
    if (std::isinf(value)) return write_word(to, value > 0 ? "Infinity" : "-Infinity");
    char* const limit = to + kRealText_max;
    char* end = std::to_chars(to, limit, value, std::chars_format::scientific).ptr;
    if (is_in_the_middle({to, end}, value)) [[unlikely]] {
        // "-4.5e+20" shows one digit after the point.
        const std::string_view all{to, end};
        const std::string_view digits = all.substr(0, all.find('e'));
        const std::size_t point = digits.find('.');
        end = write_longer(to, value, point == digits.npos ? 1 : digits.size() - point);
    }
    const std::string_view text{to, end};
    const std::size_t e = text.rfind('e');
    const int power = exponent_of(text.substr(e + 1));
    constexpr int kPlainFrom = -4;
    if (power < kPlainFrom || power >= plain_below) return end;
    return write_plain(to, text.substr(0, e), power);
}

}  // namespace

char* write_server_real(char* to, double value) noexcept {
    constexpr int kPlainBelow = 15;
    return write_real(to, value, kPlainBelow);
}

char* write_server_real(char* to, float value) noexcept {
    constexpr int kPlainBelow = 6;
    return write_real(to, value, kPlainBelow);
}

}  // namespace pgc::types
