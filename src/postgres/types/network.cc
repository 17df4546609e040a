#include "postgres/types/network.h"

#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "postgres/types/written_text.h"

namespace pgc::types {
namespace {

constexpr std::uint8_t kIPv4 = 2;
constexpr std::uint8_t kIPv6 = 3;
constexpr std::size_t kIPv4Bytes = 4;
constexpr std::size_t kWords = 8;
// "ffff:…" eight times with an IPv4 tail is shorter than 48; "/128" comes after it.
constexpr std::size_t kMaxText = 64;

using Words = std::array<std::uint16_t, kWords>;

char* write_number(char* to, unsigned value, int base) noexcept {
    return std::to_chars(to, to + 8, value, base).ptr;
}

char* write_ipv4(char* to, std::string_view address) noexcept {
    for (std::size_t i = 0; i < kIPv4Bytes; ++i) {
        if (i > 0) {
            *to++ = '.';
        }
        to = write_number(to, static_cast<unsigned char>(address[i]), 10);
    }
    return to;
}

struct Run {
    std::size_t start = 0;
    std::size_t length = 0;
};

// The first of the longest runs of zero words, if it has two at least.
Run longest_zeros(const Words& words) noexcept {
    Run best;
    Run current;
    for (std::size_t i = 0; i < kWords; ++i) {
        if (words[i] != 0) {
            current = {};
            continue;
        }
        if (current.length++ == 0) {
            current.start = i;
        }
        if (current.length > best.length) {
            best = current;
        }
    }
    return best.length >= 2 ? best : Run{};
}

// IPv4-compatible (::1.2.3.4) and IPv4-mapped (::ffff:1.2.3.4) addresses.
bool holds_ipv4(const Words& words, Run zeros) noexcept {
    return zeros.start == 0 && (zeros.length == 6 || (zeros.length == 5 && words[5] == 0xFFFF));
}

char* write_ipv6(char* to, std::string_view address) noexcept {
    ByteCursor in{address};
    Words words{};
    for (auto& word : words) {
        word = in.read<std::uint16_t>();
    }
    const Run zeros = longest_zeros(words);
    for (std::size_t i = 0; i < kWords; ++i) {
        if (zeros.length > 0 && i == zeros.start) {
            *to++ = ':';
            i += zeros.length - 1;
            continue;
        }
        if (i > 0) {
            *to++ = ':';
        }
        if (i == 6 && holds_ipv4(words, zeros)) {
            return write_ipv4(to, address.substr(12));
        }
        to = write_number(to, words[i], 16);
    }
    if (zeros.length > 0 && zeros.start + zeros.length == kWords) {
        *to++ = ':';
    }
    return to;
}

}  // namespace

bool read_inet_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const auto family = in.read<std::uint8_t>();
    const auto prefix_bits = in.read<std::uint8_t>();
    const bool is_cidr = in.read<std::uint8_t>() != 0;
    const std::size_t size = in.read<std::uint8_t>();
    const auto address = in.take(size);
    const std::size_t wanted = family == kIPv4 ? kIPv4Bytes : kWords * 2;
    if (in.overrun() || in.remaining() > 0 || (family != kIPv4 && family != kIPv6) ||
        size != wanted || prefix_bits > size * 8) {
        return false;
    }
    char* text = scratch.reserve(kMaxText);
    char* to = family == kIPv4 ? write_ipv4(text, address) : write_ipv6(text, address);
    if (is_cidr || prefix_bits != size * 8) {
        *to++ = '/';
        to = write_number(to, prefix_bits, 10);
    }
    commit_text(text, to, scratch, out);
    return true;
}

bool read_macaddr_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != 6 && bytes.size() != 8) {
        return false;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    const std::size_t length = bytes.size() * 3 - 1;
    char* text = scratch.allocate<char>(length);
    char* to = text;
    for (const char c : bytes) {
        if (to != text) {
            *to++ = ':';
        }
        const auto byte = static_cast<unsigned char>(c);
        *to++ = digits[byte >> 4];
        *to++ = digits[byte & 0xF];
    }
    out.text = {text, length};
    return true;
}

}  // namespace pgc::types
