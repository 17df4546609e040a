#include "format/debezium/column_default.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstddef>

namespace pgc {
namespace {

struct Known {
    std::string_view type;
    std::string_view of_function;  // what stands for what a function gives
    bool null_is_none = false;     // of NULL::type there is no default
};
constexpr std::array kKnown{
    Known{"bit", "00"},
    Known{"varbit", "0"},
    Known{"bool", "f", true},
    Known{"bpchar", ""},
    Known{"varchar", ""},
    Known{"text", ""},
    Known{"numeric", "0.0", true},
    Known{"float4", "0.0", true},
    Known{"float8", "0.0", true},
    Known{"int2", "0", true},
    Known{"int4", "0", true},
    Known{"int8", "0", true},
    Known{"json", "{}"},
    Known{"jsonb", "{}"},
    Known{"xml", ""},
    Known{"uuid", "00000000-0000-0000-0000-000000000000"},
    Known{"date", "1970-01-01"},
    Known{"time", "00:00:00"},
    Known{"timestamp", "1970-01-01 00:00:00"},
    Known{"timestamptz", "1970-01-01 00:00:00+00"},
    Known{"interval", "PT0S"},
};

bool is_name(char c) noexcept {
    return std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '.';
}

// name(…), or one of the words that need no brackets.
bool is_function(std::string_view expression) {
    std::string lower{expression};
    std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
    for (const std::string_view word :
         {"current_timestamp", "current_time", "current_date", "localtime", "localtimestamp"}) {
        if (lower == word) return true;
    }
    if (expression.starts_with('(')) expression.remove_prefix(1);
    const auto end = std::ranges::find_if_not(expression, is_name);
    const auto length = static_cast<std::size_t>(end - expression.begin());
    return length > 0 && expression.substr(length).starts_with('(') &&
           expression.find(')', length) != std::string_view::npos;
}

// What stands between the first quotes; all of it, where there are none.
std::optional<std::string> constant(std::string_view expression) {
    const std::size_t open = expression.find('\'');
    if (open == std::string_view::npos) {
        if (expression.starts_with("NULL::")) return std::nullopt;
        return std::string{expression};
    }
    std::string text;
    for (std::size_t i = open + 1; i < expression.size(); ++i) {
        if (expression[i] == '\'') {
            if (i + 1 >= expression.size() || expression[i + 1] != '\'') return text;
            ++i;
        }
        text += expression[i];
    }
    return std::nullopt;
}

std::optional<std::string> label(std::string_view expression) {
    const std::size_t cast = expression.rfind("::");
    if (cast == std::string_view::npos) return std::nullopt;
    const std::string_view quoted = expression.substr(0, cast);
    if (quoted.size() < 2 || !quoted.starts_with('\'') || !quoted.ends_with('\'')) {
        return std::nullopt;
    }
    return constant(quoted);
}

}  // namespace

std::optional<std::string> default_text(const Type& type, std::string_view expression) {
    if (expression.empty()) return std::nullopt;
    if (type.kind == Kind::enumeration) return label(expression);
    const auto known = std::ranges::find(kKnown, std::string_view{type.name}, &Known::type);
    if (known == kKnown.end()) return std::nullopt;
    if (known->null_is_none && expression.starts_with("NULL::")) return std::nullopt;
    if (is_function(expression)) return std::string{known->of_function};
    auto text = constant(expression);
    if (text && type.kind == Kind::boolean) text = *text == "true" || *text == "t" ? "t" : "f";
    return text;
}

}  // namespace pgc
