#include "base/crc32c.h"

#include <array>
#include <bit>
#include <cstddef>
#include <cstring>

#if defined(__x86_64__)
#include <nmmintrin.h>
#elif defined(__aarch64__)
#include <arm_acle.h>
#include <asm/hwcap.h>
#include <sys/auxv.h>
#endif

namespace pgc {
namespace {

static_assert(std::endian::native == std::endian::little);

constexpr std::uint32_t kPolynomial = 0x82F63B78U;  // 0x1EDC6F41, its bits turned round

using Table = std::array<std::uint32_t, 256>;

// kTables[n][b]: what byte b does n bytes before the end. Eight bytes are looked up at once.
constexpr std::array<Table, 8> make_tables() {
    std::array<Table, 8> tables{};
    for (std::uint32_t byte = 0; byte < 256; ++byte) {
        std::uint32_t crc = byte;
        for (int bit = 0; bit < 8; ++bit) crc = (crc >> 1U) ^ ((crc & 1U) != 0 ? kPolynomial : 0U);
        tables[0][byte] = crc;
    }
    for (std::size_t n = 1; n < tables.size(); ++n) {
        for (std::size_t byte = 0; byte < 256; ++byte) {
            const std::uint32_t crc = tables[n - 1][byte];
            tables[n][byte] = (crc >> 8U) ^ tables[0][crc & 0xFFU];
        }
    }
    return tables;
}

constexpr std::array<Table, 8> kTables = make_tables();

std::uint64_t eight_bytes(const char* at) noexcept {
    std::uint64_t word = 0;
    std::memcpy(&word, at, sizeof word);
    return word;
}

#if defined(__x86_64__)

bool has_instruction() noexcept {
    return __builtin_cpu_supports("sse4.2") != 0;
}

[[gnu::target("sse4.2")]] std::uint32_t by_instruction(std::uint32_t seed,
                                                       std::string_view bytes) noexcept {
    std::uint64_t crc = ~seed;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        crc = _mm_crc32_u64(crc, eight_bytes(bytes.data()));
    }
    auto rest = static_cast<std::uint32_t>(crc);
    for (const char c : bytes) rest = _mm_crc32_u8(rest, static_cast<unsigned char>(c));
    return ~rest;
}

#elif defined(__aarch64__)

bool has_instruction() noexcept {
    return (::getauxval(AT_HWCAP) & HWCAP_CRC32) != 0;
}

[[gnu::target("+crc")]] std::uint32_t by_instruction(std::uint32_t seed,
                                                     std::string_view bytes) noexcept {
    std::uint32_t crc = ~seed;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        crc = __crc32cd(crc, eight_bytes(bytes.data()));
    }
    for (const char c : bytes) crc = __crc32cb(crc, static_cast<unsigned char>(c));
    return ~crc;
}

#else

bool has_instruction() noexcept {
    return false;
}

std::uint32_t by_instruction(std::uint32_t seed, std::string_view bytes) noexcept {
    return crc32c_by_tables(seed, bytes);
}

#endif

}  // namespace

std::uint32_t crc32c_by_tables(std::uint32_t seed, std::string_view bytes) noexcept {
    std::uint32_t crc = ~seed;
    for (; bytes.size() >= 8; bytes.remove_prefix(8)) {
        const std::uint64_t word = eight_bytes(bytes.data()) ^ crc;
        crc = 0;
        for (std::size_t n = 0; n < 8; ++n) crc ^= kTables[7 - n][(word >> (8 * n)) & 0xFFU];
    }
    for (const char c : bytes) {
        crc = (crc >> 8U) ^ kTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xFFU];
    }
    return ~crc;
}

std::uint32_t crc32c(std::uint32_t seed, std::string_view bytes) noexcept {
    static const bool has = has_instruction();
    return has ? by_instruction(seed, bytes) : crc32c_by_tables(seed, bytes);
}

}  // namespace pgc
