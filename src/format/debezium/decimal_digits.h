// A decimal number as Java's BigDecimal has it: its digits as one whole number, in two's complement
// with the highest byte first and none too many, and how many of them are after the point.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <cstdint>

namespace pgc {

class DecimalDigits {
public:
    // Of `text`, as PostgreSQL prints a number: the digits at `scale`, to `out`. False when it is
    // no number, or has digits after the point that the scale leaves no place for.
    bool at_scale(std::string_view text, int scale, std::string& out);

    // The same with the smallest scale that is not negative; returns it, or -1.
    int shortest(std::string_view text, std::string& out);

private:
    // The digits of `whole` and `fraction`, with `zeros` more after them.
    void write(bool negative, std::string_view whole, std::string_view fraction, int zeros,
               std::string& out);
    void append_digits(std::string_view digits);
    void multiply_add(std::uint64_t factor, std::uint64_t more);
    void finish(bool negative, std::string& out) const;

    std::vector<std::uint64_t> limbs_;  // the lowest first
};

}  // namespace pgc
