#include "support/value_text.h"

#include <fmt/format.h>

#include <cmath>
#include <vector>

namespace pgc::testing {
namespace {

std::string show_real(double real) {
    return std::isnan(real) ? "NaN" : fmt::format("{}", real);
}

std::string show_moment(std::int64_t integer) {
    if (integer == kInfinity) {
        return "infinity";
    }
    return integer == -kInfinity ? "-infinity" : std::to_string(integer);
}

std::string show_array(const Type& type, const Value& value) {
    std::string text;
    for (const Dimension& dimension : value.dimensions) {
        text += fmt::format("[{}:{}]", dimension.lower, dimension.lower + dimension.length - 1);
    }
    text += "{";
    for (std::size_t i = 0; i < value.list.size(); ++i) {
        text += (i > 0 ? "," : "") + show(*type.element, value.list[i]);
    }
    return text + "}";
}

std::string show_composite(const Type& type, const Value& value) {
    std::string text = "(";
    for (std::size_t i = 0; i < value.list.size(); ++i) {
        text += (i > 0 ? "," : "") + type.fields[i].name + ":" +
                show(*type.fields[i].type, value.list[i]);
    }
    return text + ")";
}

std::string show_range(const Type& type, const Value& value) {
    if (value.range_flags.empty) {
        return value.list.empty() ? "empty" : "empty with bounds";
    }
    return (value.range_flags.lower_inclusive ? "[" : "(") + show(*type.element, value.list[0]) +
           "," + show(*type.element, value.list[1]) +
           (value.range_flags.upper_inclusive ? "]" : ")");
}

std::string show_text(const Value& value) {
    return value.is_null ? "null" : "'" + std::string{value.text} + "'";
}

std::string show_map(const Value& value) {
    std::string text = "{";
    for (std::size_t i = 0; i + 1 < value.list.size(); i += 2) {
        text += (i > 0 ? "," : "") + show_text(value.list[i]) + ":" + show_text(value.list[i + 1]);
    }
    return text + "}";
}

}  // namespace

std::string show(const Type& type, const Value& value) {
    if (value.is_null) {
        return "null";
    }
    switch (type.kind) {
        case Kind::boolean: return value.integer != 0 ? "true" : "false";
        case Kind::integer: return std::to_string(value.integer);
        case Kind::real32: return show_real(value.real);
        case Kind::real64: return show_real(value.real);
        case Kind::date:
        case Kind::time:
        case Kind::timestamp:
        case Kind::timestamp_tz: return show_moment(value.integer);
        case Kind::time_tz: return fmt::format("{}{:+}", value.integer, value.zone_seconds);
        case Kind::interval:
            return fmt::format("{} mon {} d {} us", value.interval.months, value.interval.days,
                               value.interval.microseconds);
        case Kind::array: return show_array(type, value);
        case Kind::composite: return show_composite(type, value);
        case Kind::range: return show_range(type, value);
        case Kind::multirange: return show_array(type, value);
        case Kind::map: return show_map(value);
        default: return show_text(value);
    }
}

}  // namespace pgc::testing
