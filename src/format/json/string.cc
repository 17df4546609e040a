#include "format/json/string.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pgc {
namespace {

constexpr std::size_t kWorstEscape = 6;  // a control character becomes \u00XX
// Longer texts are escaped in pieces, so that room is reserved for a piece at its worst
// and not for six times the whole text.
constexpr std::size_t kPiece = 4096;
// A vector step stores 16 bytes though fewer may count.
constexpr std::size_t kSlack = 16;

constexpr bool is_special(unsigned char c) noexcept {
    return c < 0x20 || c == '"' || c == '\\' || c >= 0x80;
}

// A word with the high bit set in each byte that is special; bytes above the lowest
// marked one may be marked wrongly (a borrow runs upwards), the lowest never is.
std::uint64_t special_bytes(std::uint64_t word) noexcept {
    constexpr std::uint64_t ones = 0x0101010101010101;
    constexpr std::uint64_t highs = 0x8080808080808080;
    const std::uint64_t quote = word ^ (ones * '"');
    const std::uint64_t backslash = word ^ (ones * '\\');
    const std::uint64_t ascii = (word - ones * 0x20) | (quote - ones) | (backslash - ones);
    return ((ascii & ~word) | word) & highs;
}

#ifdef __SSE2__
constexpr std::ptrdiff_t kStep = 16;

// How many bytes of the next kStep are plain, counted up to the first that is not.
std::ptrdiff_t copy_plain(char* to, const char* from) noexcept {
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(from));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(to), bytes);
    // Signed: bytes from 0x80 on are negative, so they are below 0x20 too.
    const __m128i low = _mm_cmplt_epi8(bytes, _mm_set1_epi8(0x20));
    const __m128i quote = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'));
    const __m128i backslash = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'));
    const auto mask =
        static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(low, _mm_or_si128(quote, backslash))));
    return mask == 0 ? kStep : std::countr_zero(mask);
}
#else
constexpr std::ptrdiff_t kStep = 8;

std::ptrdiff_t copy_plain(char* to, const char* from) noexcept {
    std::uint64_t word;
    std::memcpy(&word, from, sizeof word);
    std::memcpy(to, &word, sizeof word);
    if constexpr (std::endian::native == std::endian::big) {
        word = std::byteswap(word);
    }
    const std::uint64_t special = special_bytes(word);
    return special == 0 ? kStep : std::countr_zero(special) / 8;
}
#endif

char* write_escape(char* to, unsigned char c) noexcept {
    *to++ = '\\';
    switch (c) {
        case '"':
        case '\\': *to++ = static_cast<char>(c); return to;
        case '\n': *to++ = 'n'; return to;
        case '\r': *to++ = 'r'; return to;
        case '\t': *to++ = 't'; return to;
        case '\b': *to++ = 'b'; return to;
        case '\f': *to++ = 'f'; return to;
        default: break;
    }
    constexpr std::string_view digits = "0123456789abcdef";
    *to++ = 'u';
    *to++ = '0';
    *to++ = '0';
    *to++ = digits[c >> 4];
    *to++ = digits[c & 0xF];
    return to;
}

// Copies plain bytes until one needs care or `stop`; both pointers are moved.
void copy_run(char*& to, const char*& at, const char* stop) noexcept {
    while (stop - at >= kStep) {
        const std::ptrdiff_t plain = copy_plain(to, at);
        to += plain;
        at += plain;
        if (plain != kStep) {
            return;
        }
    }
    if (kStep > 8 && stop - at >= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        if (special_bytes(word) == 0) {
            std::memcpy(to, &word, sizeof word);
            to += 8;
            at += 8;
        }
    }
    while (at != stop && !is_special(static_cast<unsigned char>(*at))) {
        *to++ = *at++;
    }
}

// Escapes from `at` to `stop`; a sequence that begins before `stop` is read up to `end`.
// Returns where it came to rest: `stop` or a little more, or the first byte that is not
// UTF-8. Requires room for kWorstEscape * (stop - at) + kSlack bytes at `to`.
const char* escape(char*& to, const char* at, const char* stop, const char* end) noexcept {
    for (;;) {
        copy_run(to, at, stop);
        if (at >= stop) {
            return at;
        }
        const auto c = static_cast<unsigned char>(*at);
        if (c < 0x80) {
            to = write_escape(to, c);
            ++at;
        } else {
            do {
                const std::size_t length = utf8_sequence(at, end);
                if (length == 0) {
                    return at;
                }
                std::memcpy(to, at, length);
                to += length;
                at += length;
            } while (at < stop && static_cast<unsigned char>(*at) >= 0x80);
            if (at >= stop) {
                return at;
            }
        }
    }
}

bool follows(char c) noexcept {
    return (static_cast<unsigned char>(c) & 0xC0) == 0x80;
}

// Whether `second` may follow `first`: no overlong form, no surrogate, nothing beyond
// U+10FFFF.
bool second_fits(unsigned char first, char second) noexcept {
    const auto c = static_cast<unsigned char>(second);
    switch (first) {
        case 0xE0: return c >= 0xA0 && c <= 0xBF;
        case 0xED: return c >= 0x80 && c <= 0x9F;
        case 0xF0: return c >= 0x90 && c <= 0xBF;
        case 0xF4: return c >= 0x80 && c <= 0x8F;
        default: return follows(second);
    }
}

// Escapes up to `end` or the first byte that is not UTF-8, and says which.
const char* append_valid(Writer& out, const char* at, const char* end) {
    const auto size = static_cast<std::size_t>(end - at);
    if (size > kPiece) {
        (void)out.room(size + kPiece * kWorstEscape + kSlack);
    }
    while (at != end) {
        const char* const stop = at + std::min<std::ptrdiff_t>(end - at, kPiece);
        char* to = out.room(static_cast<std::size_t>(stop - at) * kWorstEscape + kSlack);
        at = escape(to, at, stop, end);
        out.advance_to(to);
        if (at < stop) {
            return at;
        }
    }
    return end;
}

// Length of the part at `at` that is replaced as one: the longest beginning of a valid
// sequence, at least one byte (Unicode, "maximal subpart").
std::size_t broken_length(const char* at, const char* end) noexcept {
    const auto first = static_cast<unsigned char>(*at);
    if (first < 0xC2 || first > 0xF4 || end - at < 2 || !second_fits(first, at[1])) {
        return 1;
    }
    const std::ptrdiff_t wanted = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    std::ptrdiff_t n = 2;
    while (n < wanted && n < end - at && follows(at[n])) {
        ++n;
    }
    return static_cast<std::size_t>(n);
}

}  // namespace

std::size_t utf8_sequence(const char* at, const char* end) noexcept {
    const auto first = static_cast<unsigned char>(*at);
    const std::ptrdiff_t length = first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : 2;
    if (first < 0xC2 || first > 0xF4 || end - at < length || !second_fits(first, at[1]) ||
        (length > 2 && !follows(at[2])) || (length > 3 && !follows(at[3]))) {
        return 0;
    }
    return static_cast<std::size_t>(length);
}

namespace {

// From a character of ASCII to the first of another kind, or `end`.
const char* skip_ascii(const char* at, const char* end) noexcept {
    while (end - at >= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        if ((word & 0x8080808080808080U) != 0) {
            break;
        }
        at += 8;
    }
    while (at != end && static_cast<unsigned char>(*at) < 0x80) {
        ++at;
    }
    return at;
}

}  // namespace

bool is_utf8(std::string_view text) noexcept {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        if (static_cast<unsigned char>(*at) < 0x80) {
            at = skip_ascii(at, end);
            continue;
        }
        const std::size_t length = utf8_sequence(at, end);
        if (length == 0) {
            return false;
        }
        at += length;
    }
    return true;
}

const char* find_special(const char* at, const char* end) noexcept {
    while (end - at >= 8) {
        std::uint64_t word;
        std::memcpy(&word, at, sizeof word);
        if (special_bytes(word) != 0) {
            break;
        }
        at += 8;
    }
    while (at != end && !is_special(static_cast<unsigned char>(*at))) {
        ++at;
    }
    return at;
}

bool append_escaped(Writer& out, std::string_view text) {
    const std::size_t start = out.size();
    const char* const end = text.data() + text.size();
    if (append_valid(out, text.data(), end) == end) [[likely]] {
        return true;
    }
    out.rewind(start);
    return false;
}

void append_escaped_replacing(Writer& out, std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    for (;;) {
        at = append_valid(out, at, end);
        if (at == end) {
            return;
        }
        out.text("\xEF\xBF\xBD");
        at += broken_length(at, end);
    }
}

void append_replacing(Writer& out, std::string_view text) {
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at != end) {
        const bool ascii = static_cast<unsigned char>(*at) < 0x80;
        if (const std::size_t length = ascii ? 1 : utf8_sequence(at, end); length > 0) {
            out.text({at, length});
            at += length;
        } else {
            out.text("\xEF\xBF\xBD");
            at += broken_length(at, end);
        }
    }
}

void append_base64(Writer& out, std::string_view bytes) {
    constexpr std::string_view letters =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const auto value = [&](std::size_t i) -> unsigned {
        return static_cast<unsigned char>(bytes[i]);
    };
    char* to = out.room((bytes.size() + 2) / 3 * 4);
    std::size_t i = 0;
    for (; i + 3 <= bytes.size(); i += 3) {
        const unsigned group = value(i) << 16 | value(i + 1) << 8 | value(i + 2);
        *to++ = letters[group >> 18];
        *to++ = letters[group >> 12 & 63];
        *to++ = letters[group >> 6 & 63];
        *to++ = letters[group & 63];
    }
    if (const std::size_t left = bytes.size() - i; left > 0) {
        const unsigned group = value(i) << 16 | (left == 2 ? value(i + 1) << 8 : 0);
        *to++ = letters[group >> 18];
        *to++ = letters[group >> 12 & 63];
        *to++ = left == 2 ? letters[group >> 6 & 63] : '=';
        *to++ = '=';
    }
    out.advance_to(to);
}

}  // namespace pgc
