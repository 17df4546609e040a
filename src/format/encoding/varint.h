// Integers of variable length, seven bits a byte, the lowest first: what Avro and Protobuf are made
// of. Each function writes at `to`, at most kMaxVarint bytes, and returns the end.
#pragma once

#include <bit>
#include <cstddef>
#include <cstdint>
#include <cstring>

namespace pgc {

inline constexpr std::size_t kMaxVarint = 10;

inline char* write_varint(char* to, std::uint64_t value) noexcept {
    while (value >= 0x80) {
        *to++ = static_cast<char>(value | 0x80);
        value >>= 7;
    }
    *to++ = static_cast<char>(value);
    return to;
}

// Small magnitudes first: 0, -1, 1, -2 … become 0, 1, 2, 3 …
constexpr std::uint64_t zigzag(std::int64_t value) noexcept {
    return (static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63);
}

inline char* write_zigzag(char* to, std::int64_t value) noexcept {
    return write_varint(to, zigzag(value));
}

constexpr std::size_t varint_size(std::uint64_t value) noexcept {
    return (static_cast<std::size_t>(std::bit_width(value | 1)) + 6) / 7;
}

// Floating point, its lowest byte first.
template <typename Real>
char* write_little_endian(char* to, Real value) noexcept {
    static_assert(std::endian::native == std::endian::little);
    std::memcpy(to, &value, sizeof value);
    return to + sizeof value;
}

}  // namespace pgc
