#include "format/csv/field.h"

#include <cstdint>
#include <cstring>

#include "format/json/string.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

namespace pgc {
namespace {

// What a text's bytes say of how it is to be written.
struct Bytes {
    bool special = false;       // the delimiter, a quote or a line end is among them
    bool beyond_ascii = false;  // it has to be looked at whether they are UTF-8
};

constexpr std::uint64_t kOnes = 0x0101010101010101;
constexpr std::uint64_t kHighs = 0x8080808080808080;

// Not zero exactly when one of the word's bytes is `c`.
constexpr std::uint64_t holds(std::uint64_t word, char c) noexcept {
    const std::uint64_t zeroed = word ^ (kOnes * static_cast<unsigned char>(c));
    return (zeroed - kOnes) & ~zeroed & kHighs;
}

Bytes look_at_word(std::uint64_t word, char delimiter) noexcept {
    const std::uint64_t special =
        holds(word, '"') | holds(word, delimiter) | holds(word, '\n') | holds(word, '\r');
    return {.special = special != 0, .beyond_ascii = (word & kHighs) != 0};
}

template <typename Word>
std::uint64_t load(const char* at) noexcept {
    Word word;
    std::memcpy(&word, at, sizeof word);
    return word;
}

constexpr Bytes either(Bytes one, Bytes other) noexcept {
    return {.special = one.special || other.special,
            .beyond_ascii = one.beyond_ascii || other.beyond_ascii};
}

// Of fewer than 16 bytes: as words that overlap, so that none is read past the end.
Bytes look_at_few(const char* at, std::size_t size, char delimiter) noexcept {
    if (size >= 8) {
        return either(look_at_word(load<std::uint64_t>(at), delimiter),
                      look_at_word(load<std::uint64_t>(at + size - 8), delimiter));
    }
    if (size >= 4) {
        return look_at_word(load<std::uint32_t>(at) << 32 | load<std::uint32_t>(at + size - 4),
                            delimiter);
    }
    if (size == 0) return {};
    // The first, the one in the middle and the last: all there are. Above them copies of the first.
    const auto byte = [&](std::size_t i) {
        return std::uint64_t{static_cast<unsigned char>(at[i])};
    };
    return look_at_word(byte(0) * (kOnes << 16) | byte(size / 2) << 8 | byte(size - 1), delimiter);
}

#ifdef __SSE2__
Bytes look_at(std::string_view text, char delimiter) noexcept {
    if (text.size() < 16) return look_at_few(text.data(), text.size(), delimiter);
    const __m128i quotes = _mm_set1_epi8('"');
    const __m128i delimiters = _mm_set1_epi8(delimiter);
    const __m128i feeds = _mm_set1_epi8('\n');
    const __m128i returns = _mm_set1_epi8('\r');
    __m128i special = _mm_setzero_si128();
    __m128i all = _mm_setzero_si128();
    const auto step = [&](const char* at) {
        const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(at));
        all = _mm_or_si128(all, bytes);
        special = _mm_or_si128(
            special,
            _mm_or_si128(
                _mm_or_si128(_mm_cmpeq_epi8(bytes, quotes), _mm_cmpeq_epi8(bytes, delimiters)),
                _mm_or_si128(_mm_cmpeq_epi8(bytes, feeds), _mm_cmpeq_epi8(bytes, returns))));
    };
    const char* const last = text.data() + text.size() - 16;
    for (const char* at = text.data(); at < last; at += 16) step(at);
    step(last);
    return {.special = _mm_movemask_epi8(special) != 0,
            .beyond_ascii = _mm_movemask_epi8(all) != 0};
}
#else
Bytes look_at(std::string_view text, char delimiter) noexcept {
    if (text.size() < 8) return look_at_few(text.data(), text.size(), delimiter);
    Bytes found;
    const char* const last = text.data() + text.size() - 8;
    for (const char* at = text.data(); at < last; at += 8) {
        found = either(found, look_at_word(load<std::uint64_t>(at), delimiter));
    }
    return either(found, look_at_word(load<std::uint64_t>(last), delimiter));
}
#endif

// `\.` alone on a line ends the data for PostgreSQL before 18.
constexpr std::string_view kEndOfCopy = "\\.";

void append_quoted(Writer& out, std::string_view text) {
    out.byte('"');
    for (;;) {
        const std::size_t quote = text.find('"');
        if (quote == std::string_view::npos) break;
        out.text(text.substr(0, quote + 1));
        out.byte('"');
        text.remove_prefix(quote + 1);
    }
    out.text(text);
    out.byte('"');
}

void append_checked(const CsvContext& context, Writer& out, std::string_view text, bool special) {
    if (special || context.all_quoted || text.empty() || text == context.null_text ||
        text == kEndOfCopy) {
        append_quoted(out, text);
    } else {
        out.text(text);
    }
}

[[gnu::cold]] bool append_broken(CsvContext& context, Writer& out, std::string_view text) {
    if (context.invalid_utf8 == InvalidUtf8::fail) {
        context.fault = ValueFault::not_utf8;
        return false;
    }
    if (context.invalid_utf8 == InvalidUtf8::replace && context.in_key) {
        context.fault = ValueFault::not_utf8_in_key;
        return false;
    }
    context.met_invalid_utf8 = true;
    const std::size_t start = out.size();
    if (context.invalid_utf8 == InvalidUtf8::base64) {
        append_base64(out, text);
    } else {
        append_replacing(out, text);
    }
    const std::string valid{out.since(start)};
    out.rewind(start);
    append_checked(context, out, valid, look_at(valid, context.delimiter).special);
    return true;
}

}  // namespace

bool append_field(CsvContext& context, Writer& out, std::string_view text) {
    const Bytes bytes = look_at(text, context.delimiter);
    if (bytes.beyond_ascii && !is_utf8(text)) [[unlikely]] {
        return append_broken(context, out, text);
    }
    append_checked(context, out, text, bytes.special);
    return true;
}

void keep_from_null(const CsvContext& context, Writer& out, std::size_t start) {
    if (out.size() - start != context.null_text.size() || out.since(start) != context.null_text)
        [[likely]] {
        return;
    }
    out.open_gap(start, 1);
    out.replace(start, '"');
    out.byte('"');
}

}  // namespace pgc
