// A place in PostgreSQL's write-ahead log, and its printed form "16/B374D848".
//
// Lsn{0} is "no place": the server never gives it out.
#pragma once

#include <array>
#include <charconv>
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgc {

struct Lsn {
    std::uint64_t value = 0;

    constexpr auto operator<=>(const Lsn&) const = default;
    constexpr explicit operator bool() const noexcept { return value != 0; }
};

// Appends at most 17 characters at `out` and returns the end.
inline char* write_lsn(char* out, Lsn lsn) noexcept {
    constexpr std::string_view digits = "0123456789ABCDEF";
    const auto half = [&](std::uint32_t word) {
        int shift = 28;
        while (shift > 0 && (word >> shift) == 0) shift -= 4;
        for (; shift >= 0; shift -= 4) *out++ = digits[(word >> shift) & 0xF];
    };
    half(static_cast<std::uint32_t>(lsn.value >> 32));
    *out++ = '/';
    half(static_cast<std::uint32_t>(lsn.value));
    return out;
}

inline constexpr std::size_t kMaxLsnText = 17;

inline std::string to_string(Lsn lsn) {
    std::array<char, kMaxLsnText> text;
    return {text.data(), write_lsn(text.data(), lsn)};
}

// Reads exactly "hex/hex"; anything else is nothing.
inline std::optional<Lsn> parse_lsn(std::string_view text) noexcept {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return std::nullopt;
    const auto half = [](std::string_view word) -> std::optional<std::uint64_t> {
        std::uint32_t value = 0;
        const auto [end, error] =
            std::from_chars(word.data(), word.data() + word.size(), value, 16);
        if (error != std::errc{} || end != word.data() + word.size()) return std::nullopt;
        return value;
    };
    const auto high = half(text.substr(0, slash));
    const auto low = half(text.substr(slash + 1));
    if (!high || !low) return std::nullopt;
    return Lsn{*high << 32 | *low};
}

}  // namespace pgc
