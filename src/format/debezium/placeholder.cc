#include "format/debezium/placeholder.h"

#include <fmt/format.h>
#include <openssl/evp.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstddef>
#include <cstdint>
#include <span>

#include "base/arena.h"
#include "base/ascii.h"
#include "format/json/string.h"
#include "format/json/writer.h"

namespace pgc {
namespace {

constexpr std::string_view kHex = "hex:";
constexpr std::size_t kUuidBytes = 16;

std::string of_hex(std::string_view digits) {
    std::string bytes;
    for (std::size_t i = 0; i + 1 < digits.size(); i += 2) {
        std::uint8_t byte = 0;
        std::from_chars(digits.data() + i, digits.data() + i + 2, byte, 16);
        bytes += static_cast<char>(byte);
    }
    return bytes;
}

std::string readable(std::string_view bytes) {
    Arena arena;
    Writer out;
    out.begin(arena);
    append_replacing(out, bytes);
    return std::string{out.finish()};
}

// RFC 9562, version 3, without a name space. Zeros where the library has no MD5.
std::string uuid_of(std::string_view bytes) {
    std::array<unsigned char, EVP_MAX_MD_SIZE> digest{};
    if (EVP_Digest(bytes.data(), bytes.size(), digest.data(), nullptr, EVP_md5(), nullptr) != 1) {
        digest.fill(0);
    }
    digest[6] = static_cast<unsigned char>((digest[6] & 0x0FU) | 0x30U);
    digest[8] = static_cast<unsigned char>((digest[8] & 0x3FU) | 0x80U);
    std::string text;
    for (std::size_t i = 0; i < kUuidBytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) text += '-';
        text += fmt::format("{:02x}", digest[i]);
    }
    return text;
}

// json, bytea, int8, int4, text, json[b], bpchar, varchar, date, uuid
constexpr std::uint32_t kElements[] = {114, 17, 20, 23, 25, 3802, 1042, 1043, 1082, 2950};

bool has_array_placeholder(const Type& type, const ColumnForm& form) noexcept {
    if (type.element == nullptr) return false;
    // It holds numbers for dates and bytes for bytea, whose types are others where these are texts.
    switch (form.parts.front().form) {
        case Form::date_iso:
        case Form::base64:
        case Form::base64_url_safe:
        case Form::hexadecimal: return false;
        default: break;
    }
    return std::ranges::find(kElements, type.element->oid.value) != std::end(kElements);
}

}  // namespace

bool is_placeholder(std::string_view setting) noexcept {
    if (!setting.starts_with(kHex)) return true;
    const std::string_view digits = setting.substr(kHex.size());
    const auto is_hex_digit = [](char c) {
        return is_digit(c) || (c >= 'a' && c <= 'f') || (c >= 'A' && c <= 'F');
    };
    return digits.size() % 2 == 0 && std::ranges::all_of(digits, is_hex_digit);
}

Placeholder placeholder_of(std::string_view setting) {
    Placeholder placeholder;
    placeholder.bytes = setting.starts_with(kHex) ? of_hex(setting.substr(kHex.size())) : setting;
    placeholder.text = readable(placeholder.bytes);
    placeholder.uuid = uuid_of(placeholder.bytes);
    return placeholder;
}

bool has_placeholder(const Type& type, const ColumnForm& form) noexcept {
    switch (form.form) {
        case Form::array: return has_array_placeholder(type, form);
        case Form::bytes:
        case Form::composite:
        case Form::map: return true;
        case Form::base64:
        case Form::base64_url_safe: return false;
        default: return form.schema->type == ConnectType::string;
    }
}

}  // namespace pgc
