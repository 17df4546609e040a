#include <string>
#include <string_view>

#include "base/ascii.h"
#include "format/connect/avro_schema.h"

namespace pgc {

namespace {

bool is_name_character(char c) noexcept {
    return is_letter_or_digit(c) || c == '_';
}

// What an encoder of URLs leaves as it is, or (the space) replaces by one character.
bool is_one_character(char c) noexcept {
    return c == '.' || c == '-' || c == '*' || c == ' ';
}

}  // namespace

// AvroData.doScrubName: encode as for a URL, then an underscore for whatever is not in a name.
std::string scrubbed_name(std::string_view name) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string scrubbed;
    if (!name.empty() && is_digit(name.front())) scrubbed += 'x';
    for (const char c : name) {
        if (is_name_character(c)) {
            scrubbed += c;
            continue;
        }
        scrubbed += '_';
        if (is_one_character(c)) continue;
        scrubbed += digits[static_cast<unsigned char>(c) >> 4];
        scrubbed += digits[static_cast<unsigned char>(c) & 0xF];
    }
    return scrubbed;
}

}  // namespace pgc
