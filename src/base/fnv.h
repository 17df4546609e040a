// FNV-1a, 64 bits: a sum that is the same in every build, of texts that are kept. Not for secrets.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgc {

constexpr std::uint64_t fnv1a(std::string_view bytes) noexcept {
    std::uint64_t hash = 0xCBF29CE484222325U;
    for (const char c : bytes) hash = (hash ^ static_cast<unsigned char>(c)) * 0x100000001B3U;
    return hash;
}

}  // namespace pgc
