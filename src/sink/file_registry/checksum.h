// How a checksum stands in the registry and in manifests: "crc32c:" and eight hexadecimal digits.
#pragma once

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace pgc {

inline constexpr std::string_view kChecksumPrefix = "crc32c:";

inline std::string checksum_text(std::uint32_t crc32c) {
    return fmt::format("{}{:08x}", kChecksumPrefix, crc32c);
}

// Nothing for another text.
inline std::optional<std::uint32_t> read_checksum(std::string_view text) {
    if (!text.starts_with(kChecksumPrefix)) return std::nullopt;
    text.remove_prefix(kChecksumPrefix.size());
    std::uint32_t crc32c = 0;
    const char* const last = text.data() + text.size();
    const auto [end, error] = std::from_chars(text.data(), last, crc32c, 16);
    if (error != std::errc{} || end != last) return std::nullopt;
    return crc32c;
}

}  // namespace pgc
