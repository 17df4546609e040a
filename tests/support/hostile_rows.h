// Rows of random types with random values, valid and broken ones mixed: what a format
// must survive. Every choice is drawn from the function given, so that a seed, or a
// fuzzer's bytes, decides everything.
#pragma once

#include <cmath>
#include <cstdint>
#include <deque>
#include <functional>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "support/changes.h"

namespace pgc::test {

class HostileRows {
public:
    // `draw` gives any number; 0 for ever, once it is exhausted, is all right.
    explicit HostileRows(std::function<std::uint32_t()> draw) : draw_(std::move(draw)) {}

    Relation relation() {
        Relation relation = users();
        relation.schema = text();
        relation.name = text();
        relation.identity = pick(2) == 0 ? ReplicaIdentity::full : ReplicaIdentity::key;
        relation.columns.clear();
        const std::uint32_t count = 1 + pick(6);
        for (std::uint32_t i = 0; i < count; ++i) {
            relation.columns.push_back({.name = std::string{text()},
                                        .type = any_type(3),
                                        .identity = pick(2) == 0,
                                        .captured = pick(8) != 0});
        }
        relation.key.clear();
        if (pick(3) != 0) {
            relation.key.push_back(pick(count));
        }
        return relation;
    }

    // One change of any kind; `changes` must have a transaction.
    void change(Changes& changes, const Relation& relation) {
        switch (pick(7)) {
            case 0: changes.insert(relation, row(changes, relation)); break;
            case 1: changes.update(relation, row(changes, relation)); break;
            case 2: {
                const auto before = row(changes, relation);
                changes.update(relation, before, row(changes, relation));
                break;
            }
            case 3: changes.remove(relation, row(changes, relation)); break;
            case 4: changes.truncate(relation); break;
            case 5: changes.message(text(), text(), pick(2) == 0); break;
            default: changes.read(relation, row(changes, relation)); break;
        }
    }

    // A number below `below`.
    std::uint32_t pick(std::uint32_t below) { return draw_() % below; }

private:
    std::int64_t number() {
        const auto bits = std::uint64_t{draw_()} << 32 | draw_();
        switch (pick(6)) {
            case 0: return kInfinity;
            case 1: return -kInfinity;
            case 2: return std::numeric_limits<std::int64_t>::min();
            case 3: return static_cast<std::int64_t>(bits % 86'400'000'001);
            case 4: return static_cast<std::int64_t>(bits % 20'000) - 10'000;
            default: return static_cast<std::int64_t>(bits);
        }
    }

    std::string_view text() {
        static constexpr std::string_view pieces[] = {"",
                                                      "a",
                                                      "plain text of some length",
                                                      "\"",
                                                      "\\",
                                                      "\n",
                                                      "\t",
                                                      "\x01",
                                                      "\x7f",
                                                      "é",
                                                      "€",
                                                      "😀",
                                                      "\u2028",
                                                      "\xFF",
                                                      "\xC3",
                                                      "\xED\xA0\x80",
                                                      "\xF4\x90\x80\x80",
                                                      "\xE2\x82",
                                                      "{",
                                                      "}",
                                                      "[1,2]",
                                                      ",",
                                                      "null",
                                                      "1e5",
                                                      "12.50",
                                                      "NaN",
                                                      "\\ud800",
                                                      "\"x\":",
                                                      "'",
                                                      " "};
        std::string& made = texts_.emplace_back();
        for (std::uint32_t n = pick(6); n > 0; --n) {
            if (pick(12) == 0) {
                made += '\0';
            }
            made += pieces[pick(std::size(pieces))];
        }
        return made;
    }

    std::string_view document() {
        static constexpr std::string_view documents[] = {"{}",
                                                         "[]",
                                                         "null",
                                                         "{\"a\":[1,2,{\"b\":\"\\u00e9\"}]}",
                                                         "\"\\ud83d\\ude00\"",
                                                         "\"\\ud800\"",
                                                         "[1,\n\t2]",
                                                         "{\"a\":}",
                                                         "1e400",
                                                         "[[[[[[[[]]]]]]]]",
                                                         "\"\xFF\"",
                                                         "",
                                                         "{\"\xC3\":1}",
                                                         "-0.5e-7"};
        return pick(3) == 0 ? text() : documents[pick(std::size(documents))];
    }

    std::string_view decimal() {
        static constexpr std::string_view decimals[] = {"0",
                                                        "-12.500",
                                                        "NaN",
                                                        "Infinity",
                                                        "-Infinity",
                                                        "123456789012345678901234567890.5",
                                                        "0.000000000000000000001",
                                                        "1.",
                                                        ".5",
                                                        "+1",
                                                        "1e500",
                                                        "--",
                                                        ""};
        return decimals[pick(std::size(decimals))];
    }

    TypePtr any_type(int depth) {
        const auto kind = static_cast<Kind>(
            pick(static_cast<std::uint32_t>(depth > 0 ? Kind::map : Kind::interval) + 1));
        switch (kind) {
            case Kind::array:
            case Kind::range: return type(kind, any_type(depth - 1));
            case Kind::multirange:
                return type(kind, type(Kind::range, any_type(depth > 1 ? depth - 2 : 0)));
            case Kind::composite: {
                std::vector<Field> fields;
                for (std::uint32_t n = pick(4); n > 0; --n) {
                    fields.push_back({std::string{text()}, any_type(depth - 1)});
                }
                return type(kind, nullptr, std::move(fields));
            }
            default: return type(kind);
        }
    }

    Changes::Cells row(Changes& changes, const Relation& relation) {
        Changes::Cells cells;
        for (const Column& column : relation.columns) {
            switch (pick(10)) {
                case 0: cells.push_back(Changes::null()); break;
                case 1: cells.push_back(Changes::absent()); break;
                case 2: cells.push_back(Changes::unchanged()); break;
                case 3: cells.push_back(changes.text(text())); break;
                default: cells.push_back(changes.value(value(*column.type))); break;
            }
            cells.back().reselected = pick(10) == 0;
        }
        return cells;
    }

    std::span<const Value> values(std::size_t count, const Type& type) {
        auto& made = lists_.emplace_back();
        for (std::size_t i = 0; i < count; ++i) {
            made.push_back(pick(6) == 0 ? null_value() : value(type));
        }
        return made;
    }

    Value value(const Type& type) {
        Value value;
        switch (type.kind) {
            case Kind::boolean: value.integer = pick(2); break;
            case Kind::real32:
            case Kind::real64: value.real = real(); break;
            case Kind::decimal: value.text = decimal(); break;
            case Kind::json: value.text = document(); break;
            case Kind::text:
            case Kind::enumeration:
            case Kind::bytes:
            case Kind::uuid:
            case Kind::bits: value.text = text(); break;
            case Kind::interval:
                value.interval = {static_cast<std::int32_t>(number()),
                                  static_cast<std::int32_t>(number()), number()};
                break;
            case Kind::array: fill_array(type, value); break;
            case Kind::composite: fill_composite(type, value); break;
            case Kind::range: fill_range(type, value); break;
            case Kind::multirange: value.list = values(pick(3), *type.element); break;
            case Kind::map: fill_map(value); break;
            default:
                value.integer = number();
                value.zone_seconds = static_cast<std::int32_t>(number());
        }
        return value;
    }

    double real() {
        switch (pick(6)) {
            case 0: return std::nan("");
            case 1: return std::numeric_limits<double>::infinity();
            case 2: return -std::numeric_limits<double>::infinity();
            case 3: return std::numeric_limits<double>::denorm_min();
            case 4: return -0.0;
            default: return static_cast<double>(number()) / 7;
        }
    }

    void fill_array(const Type& type, Value& value) {
        auto& dimensions = dimensions_.emplace_back();
        std::size_t count = 1;
        for (std::uint32_t n = pick(3); n > 0; --n) {
            dimensions.push_back({static_cast<std::int32_t>(pick(4)), 1});
            count *= static_cast<std::size_t>(dimensions.back().length);
        }
        if (dimensions.empty()) {
            count = 0;
        }
        if (pick(10) == 0) {
            dimensions.push_back({static_cast<std::int32_t>(number()), 1});  // a lie
        }
        value.dimensions = dimensions;
        value.list = values(count, *type.element);
    }

    void fill_composite(const Type& type, Value& value) {
        auto& made = lists_.emplace_back();
        for (const Field& field : type.fields) {
            made.push_back(pick(6) == 0 ? null_value() : this->value(*field.type));
        }
        if (pick(10) == 0) {
            made.push_back(null_value());  // one too many
        }
        value.list = made;
    }

    void fill_range(const Type& type, Value& value) {
        value.range_flags = {.empty = pick(5) == 0,
                             .lower_inclusive = pick(2) == 0,
                             .upper_inclusive = pick(2) == 0};
        value.list = values(pick(10) == 0 ? 1 : 2, *type.element);
    }

    void fill_map(Value& value) {
        auto& made = lists_.emplace_back();
        for (std::uint32_t n = pick(4); n > 0; --n) {
            made.push_back(text_value(text()));
            made.push_back(pick(4) == 0 ? null_value() : text_value(text()));
        }
        value.list = made;
    }

    std::function<std::uint32_t()> draw_;
    std::deque<std::string> texts_;
    std::deque<std::vector<Value>> lists_;
    std::deque<std::vector<Dimension>> dimensions_;
};

}  // namespace pgc::test
