#include "format/debezium/decimal_digits.h"

#include <algorithm>
#include <array>
#include <cstddef>

#include "base/ascii.h"

namespace pgc {
namespace {

constexpr std::size_t kDigitsAtOnce = 18;
constexpr auto kPowersOfTen = [] {
    std::array<std::uint64_t, kDigitsAtOnce + 1> powers{1};
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}();

struct Parts {
    bool negative = false;
    std::string_view whole;
    std::string_view fraction;
};

bool all_digits(std::string_view text) {
    return std::ranges::all_of(text, is_digit);
}

bool parse(std::string_view text, Parts& parts) {
    if (text.starts_with('-') || text.starts_with('+')) {
        parts.negative = text.front() == '-';
        text.remove_prefix(1);
    }
    const std::size_t point = text.find('.');
    parts.whole = text.substr(0, point);
    parts.fraction = point == std::string_view::npos ? std::string_view{} : text.substr(point + 1);
    return !(parts.whole.empty() && parts.fraction.empty()) && all_digits(parts.whole) &&
           all_digits(parts.fraction);
}

bool all_zeros(std::string_view text) {
    return text.find_first_not_of('0') == std::string_view::npos;
}

}  // namespace

bool DecimalDigits::at_scale(std::string_view text, int scale, std::string& out) {
    Parts parts;
    if (!parse(text, parts)) return false;
    if (scale < 0) {  // the last digits before the point are zeros, and not written
        const auto left_out = static_cast<std::size_t>(-scale);
        const std::size_t kept = parts.whole.size() - std::min(left_out, parts.whole.size());
        if (!all_zeros(parts.whole.substr(kept)) || !all_zeros(parts.fraction)) return false;
        write(parts.negative, parts.whole.substr(0, kept), {}, 0, out);
        return true;
    }
    const auto places = static_cast<std::size_t>(scale);
    if (parts.fraction.size() > places) {
        if (!all_zeros(parts.fraction.substr(places))) return false;
        parts.fraction = parts.fraction.substr(0, places);
    }
    write(parts.negative, parts.whole, parts.fraction,
          static_cast<int>(places - parts.fraction.size()), out);
    return true;
}

int DecimalDigits::shortest(std::string_view text, std::string& out) {
    Parts parts;
    if (!parse(text, parts)) return -1;
    while (parts.fraction.ends_with('0')) parts.fraction.remove_suffix(1);
    write(parts.negative, parts.whole, parts.fraction, 0, out);
    return static_cast<int>(parts.fraction.size());
}

void DecimalDigits::write(bool negative, std::string_view whole, std::string_view fraction,
                          int zeros, std::string& out) {
    limbs_.clear();
    append_digits(whole);
    append_digits(fraction);
    for (; zeros > 0; zeros -= static_cast<int>(kDigitsAtOnce)) {
        multiply_add(
            kPowersOfTen[std::min<std::size_t>(static_cast<std::size_t>(zeros), kDigitsAtOnce)], 0);
    }
    finish(negative, out);
}

void DecimalDigits::append_digits(std::string_view digits) {
    while (!digits.empty()) {
        const std::size_t n = std::min(digits.size(), kDigitsAtOnce);
        std::uint64_t piece = 0;
        for (const char c : digits.substr(0, n)) {
            piece = piece * 10 + static_cast<std::uint64_t>(c - '0');
        }
        multiply_add(kPowersOfTen[n], piece);
        digits.remove_prefix(n);
    }
}

void DecimalDigits::multiply_add(std::uint64_t factor, std::uint64_t more) {
    __extension__ using Wide = unsigned __int128;
    std::uint64_t carry = more;
    for (std::uint64_t& limb : limbs_) {
        const Wide product = static_cast<Wide>(limb) * factor + carry;
        limb = static_cast<std::uint64_t>(product);
        carry = static_cast<std::uint64_t>(product >> 64);
    }
    if (carry != 0) limbs_.push_back(carry);
}

void DecimalDigits::finish(bool negative, std::string& out) const {
    out.clear();
    bool borrow = negative;  // the complement, plus one
    for (std::uint64_t limb : limbs_) {
        if (negative) {
            limb = ~limb + (borrow ? 1 : 0);
            borrow = borrow && limb == 0;
        }
        for (int i = 0; i < 8; ++i) out.push_back(static_cast<char>(limb >> (8 * i)));
    }
    const bool zero = limbs_.empty();
    const char sign = negative && !zero ? '\xFF' : '\0';
    out.push_back(sign);
    // What says nothing more than the sign of the byte below it.
    while (out.size() > 1 && out.back() == sign && ((out[out.size() - 2] ^ sign) & '\x80') == 0) {
        out.pop_back();
    }
    std::ranges::reverse(out);
}

}  // namespace pgc
