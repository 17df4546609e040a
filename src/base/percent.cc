#include "base/percent.h"

#include <charconv>
#include <cstddef>
#include <cstdint>
#include <system_error>

namespace pgc {

std::optional<std::string> percent_decode(std::string_view text) {
    std::string out;
    out.reserve(text.size());
    while (!text.empty()) {
        const char c = text.front();
        if (c != '%') {
            out += c;
            text.remove_prefix(1);
            continue;
        }
        if (text.size() < 3) return std::nullopt;
        std::uint8_t byte = 0;
        const char* const first = text.data() + 1;
        const auto [end, error] = std::from_chars(first, first + 2, byte, 16);
        if (error != std::errc{} || end != first + 2) return std::nullopt;
        out += static_cast<char>(byte);
        text.remove_prefix(3);
    }
    return out;
}

}  // namespace pgc
