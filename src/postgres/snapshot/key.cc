#include "postgres/snapshot/key.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstddef>
#include <string_view>

#include "pgclient/quote.h"

namespace pgc {
namespace {

std::string hex(std::string_view bytes) {
    std::string text = "\\x";
    for (const char c : bytes) text += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return text;
}

std::string place_of(const OrderedColumn& column) {
    std::string text = quote_name(column.name);
    if (!column.collation.empty()) text += " COLLATE " + column.collation;
    return text;
}

std::string value_of(const OrderedColumn& column, const std::string& text) {
    return quote_text(text) + "::" + column.type;
}

std::string compared(const OrderedColumn& column, const std::string& with,
                     const std::string& text) {
    return fmt::format("{} {} {}", place_of(column), with, value_of(column, text));
}

using With = std::string OrderedColumn::Operators::*;

// As one comparison of rows, which an index on all the columns serves best: where one operator's
// name is that of each column.
std::string rows_compared(std::span<const OrderedColumn> columns, const std::string& with,
                          const Key& key) {
    std::string places;
    std::string values;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        places += (i == 0 ? "" : ", ") + place_of(columns[i]);
        values += (i == 0 ? "" : ", ") + value_of(columns[i], key[i]);
    }
    return fmt::format("({}) {} ({})", places, with, values);
}

// (a >= 1 AND (a > 1 OR (b >= 2 AND …))), column by column: `loose` holds for equals too, `strict`
// doesn't, and the last column has `last`.
std::string nested(std::span<const OrderedColumn> columns, With loose, With strict, With last,
                   std::span<const std::string> key) {
    const OrderedColumn& column = columns.front();
    if (columns.size() == 1) return compared(column, column.operators.*last, key.front());
    return fmt::format("({} AND ({} OR {}))",
                       compared(column, column.operators.*loose, key.front()),
                       compared(column, column.operators.*strict, key.front()),
                       nested(columns.subspan(1), loose, strict, last, key.subspan(1)));
}

std::string bound(std::span<const OrderedColumn> columns, With loose, With strict, With last,
                  const Key& key) {
    const std::string& with = columns.front().operators.*last;
    const bool alike = std::ranges::all_of(
        columns, [&](const OrderedColumn& column) { return column.operators.*last == with; });
    if (columns.size() > 1 && alike) return rows_compared(columns, with, key);
    return nested(columns, loose, strict, last, key);
}

std::string equal(std::span<const OrderedColumn> columns, const Key& key) {
    std::string text;
    for (std::size_t i = 0; i < columns.size(); ++i) {
        text += (i == 0 ? "" : " AND ") + compared(columns[i], columns[i].operators.equal, key[i]);
    }
    return text;
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

std::string order_list(std::span<const OrderedColumn> columns) {
    std::string list;
    for (const OrderedColumn& column : columns) {
        list += (list.empty() ? "" : ", ") + place_of(column) + " USING " + column.operators.less;
    }
    return list;
}

std::string condition(const KeyRange& range, std::span<const OrderedColumn> columns) {
    using Operators = OrderedColumn::Operators;
    if (range.alone) return equal(columns, range.upto);
    std::string text;
    if (!range.after.empty()) {
        text = bound(columns, &Operators::at_least, &Operators::greater, &Operators::greater,
                     range.after);
    }
    if (!range.upto.empty()) {
        text +=
            (text.empty() ? "" : " AND ") +
            bound(columns, &Operators::at_most, &Operators::less, &Operators::at_most, range.upto);
    }
    return text;
}

}  // namespace pgc
