#include "postgres/types/bytes.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"

namespace pgc::types {
namespace {

constexpr std::string_view kLowerHex = "0123456789abcdef";
constexpr std::string_view kUpperHex = "0123456789ABCDEF";

// The value of a hexadecimal digit; 0xFF for any other character.
constexpr auto kHexValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(0xFF);
    for (std::size_t i = 0; i < 16; ++i) {
        values[static_cast<unsigned char>(kLowerHex[i])] = static_cast<std::uint8_t>(i);
        values[static_cast<unsigned char>(kUpperHex[i])] = static_cast<std::uint8_t>(i);
    }
    return values;
}();

std::uint8_t hex_value(char c) noexcept {
    return kHexValues[static_cast<unsigned char>(c)];
}

char* write_hex(char* to, std::string_view bytes, std::string_view digits) noexcept {
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 0xF];
    }
    return to;
}

bool read_hex(std::string_view digits, Scratch& scratch, Value& out) {
    if (digits.size() % 2 != 0) {
        return false;
    }
    const std::size_t size = digits.size() / 2;
    char* to = scratch.allocate<char>(size);
    unsigned wrong = 0;  // asked once, after the loop
    for (std::size_t i = 0; i < size; ++i) {
        const auto high = hex_value(digits[2 * i]);
        const auto low = hex_value(digits[2 * i + 1]);
        wrong |= high | low;
        to[i] = static_cast<char>(high << 4 | (low & 0xF));
    }
    out.text = {to, size};
    return (wrong & 0xF0U) == 0;
}

bool is_octal(char c) noexcept {
    return c >= '0' && c <= '7';
}

bool read_escaped(std::string_view bytes, Scratch& scratch, Value& out) {
    char* start = scratch.allocate<char>(bytes.size());
    char* to = start;
    for (std::size_t i = 0; i < bytes.size(); ++i) {
        if (bytes[i] != '\\') {
            *to++ = bytes[i];
            continue;
        }
        const auto rest = bytes.substr(i + 1);
        if (rest.starts_with('\\')) {
            *to++ = '\\';
            i += 1;
        } else if (rest.size() >= 3 && rest[0] <= '3' &&
                   std::ranges::all_of(rest.substr(0, 3), is_octal)) {
            *to++ =
                static_cast<char>((rest[0] - '0') << 6 | (rest[1] - '0') << 3 | (rest[2] - '0'));
            i += 3;
        } else {
            return false;
        }
    }
    out.text = {start, static_cast<std::size_t>(to - start)};
    return true;
}

constexpr std::size_t kUuidText = 36;
constexpr std::size_t kUuidBytes = 16;

constexpr bool is_uuid_dash(std::size_t place) noexcept {
    return place == 8 || place == 13 || place == 18 || place == 23;
}

}  // namespace

bool read_bytea_text(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.starts_with("\\x")) {
        return read_hex(bytes.substr(2), scratch, out);
    }
    return read_escaped(bytes, scratch, out);
}

bool read_uuid_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    if (bytes.size() != kUuidText) {
        return false;
    }
    for (std::size_t i = 0; i < kUuidText; ++i) {
        if (is_uuid_dash(i) ? bytes[i] != '-' : hex_value(bytes[i]) == 0xFF) {
            return false;
        }
    }
    out.text = bytes;
    return true;
}

bool read_uuid_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != kUuidBytes) {
        return false;
    }
    char* start = scratch.allocate<char>(kUuidText);
    char* to = start;
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        if (is_uuid_dash(static_cast<std::size_t>(to - start))) {
            *to++ = '-';
        }
        to = write_hex(to, bytes.substr(i, 1), kLowerHex);
    }
    out.text = {start, kUuidText};
    return true;
}

bool read_bits_text(const Type&, std::string_view bytes, Scratch&, Value& out) {
    out.text = bytes;
    return std::ranges::all_of(bytes, [](char c) { return c == '0' || c == '1'; });
}

bool read_bits_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint32_t>();
    if (in.overrun() || in.remaining() != (count + 7) / 8) {
        return false;
    }
    const std::string_view packed = in.rest();
    char* text = scratch.allocate<char>(count);
    for (std::size_t i = 0; i < count; ++i) {
        const auto byte = static_cast<unsigned char>(packed[i / 8]);
        text[i] = (byte >> (7 - i % 8) & 1) != 0 ? '1' : '0';
    }
    out.text = {text, count};
    return true;
}

bool read_geometry_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    char* text = scratch.allocate<char>(bytes.size() * 2);
    write_hex(text, bytes, kUpperHex);
    out.text = {text, bytes.size() * 2};
    return true;
}

}  // namespace pgc::types
