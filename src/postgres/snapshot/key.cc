#include "postgres/snapshot/key.h"

#include <fmt/core.h>

#include <string_view>

#include "postgres/quote.h"

namespace pgc {
namespace {

std::string hex(std::string_view bytes) {
    std::string text = "\\x";
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::string text_list(const Key& key, std::span<const std::string> casts) {
    std::string list;
    for (std::size_t i = 0; i < key.size(); ++i) {
        list += (list.empty() ? "" : ", ") + quote_text(key[i]);
        if (i < casts.size() && !casts[i].empty()) list += "::" + casts[i];
    }
    return list;
}

std::string compared(std::span<const std::string> columns, std::string_view with, const Key& key,
                     std::span<const std::string> casts) {
    const bool one = columns.size() == 1;
    return fmt::format(fmt::runtime(one ? "{} {} {}" : "({}) {} ({})"), column_list(columns), with,
                       text_list(key, casts));
}

}  // namespace

bool has_key_text(const Type& type) noexcept {
    switch (type.kind) {
        case Kind::boolean:
        case Kind::integer:
        case Kind::decimal:
        case Kind::text:
        case Kind::enumeration:
        case Kind::bytes:
        case Kind::uuid: return true;
        default: return false;
    }
}

std::optional<std::string> key_text(const Type& type, const Cell& cell, Scratch& scratch) {
    if (cell.state == Cell::State::text) return std::string{cell.bytes()};
    if (cell.state != Cell::State::binary || type.read_binary == nullptr) return std::nullopt;
    Value value;
    if (!type.read_binary(type, cell.bytes(), scratch, value)) return std::nullopt;
    switch (type.kind) {
        case Kind::boolean: return std::string{value.integer != 0 ? "t" : "f"};
        case Kind::integer: return std::to_string(value.integer);
        case Kind::bytes: return hex(value.text);
        case Kind::decimal:
        case Kind::text:
        case Kind::enumeration:
        case Kind::uuid: return std::string{value.text};
        default: return std::nullopt;
    }
}

std::string column_list(std::span<const std::string> columns) {
    std::string list;
    for (const std::string& column : columns) {
        list += (list.empty() ? "" : ", ") + quote_name(column);
    }
    return list;
}

std::string condition(const KeyRange& range, std::span<const std::string> columns,
                      std::span<const std::string> casts) {
    if (range.alone) return compared(columns, "=", range.upto, casts);
    std::string text;
    if (!range.after.empty()) text = compared(columns, ">", range.after, casts);
    if (!range.upto.empty()) {
        text += (text.empty() ? "" : " AND ") + compared(columns, "<=", range.upto, casts);
    }
    return text;
}

}  // namespace pgc
