#include "format/native/compound.h"

#include <algorithm>
#include <cstddef>
#include <span>
#include <string>

#include "format/json/string.h"

namespace pgc {
namespace {

constexpr std::size_t kDimensions_max = 6;  // PostgreSQL's MAXDIM

bool not_of_type(ValueContext& context) noexcept {
    context.fault = ValueContext::Fault::not_of_type;
    return false;
}

bool write_or_null(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value) {
    if (value.is_null) {
        out.text("null");
        return true;
    }
    return plan.write(context, out, plan, value);
}

// Whether the dimensions account for exactly `count` elements.
bool dimensions_fit(std::span<const Dimension> dimensions, std::size_t count) noexcept {
    if (dimensions.empty() || dimensions.size() > kDimensions_max) {
        return dimensions.empty() && count == 0;
    }
    std::size_t product = 1;
    for (const Dimension& dimension : dimensions) {
        if (dimension.length <= 0 || product > count) {
            return false;
        }
        product *= static_cast<std::size_t>(dimension.length);
    }
    return product == count;
}

// Writes one dimension's brackets and takes its elements off the front of `elements`.
bool write_dimension(ValueContext& context, Writer& out, const ValuePlan& element,
                     std::span<const Dimension> dimensions, std::span<const Value>& elements) {
    out.byte('[');
    for (std::int32_t i = 0; i < dimensions.front().length; ++i) {
        if (i > 0) {
            out.byte(',');
        }
        if (dimensions.size() > 1) {
            if (!write_dimension(context, out, element, dimensions.subspan(1), elements)) {
                return false;
            }
        } else {
            if (!write_or_null(context, out, element, elements.front())) {
                return false;
            }
            elements = elements.subspan(1);
        }
    }
    out.byte(']');
    return true;
}

// Characters for which PostgreSQL puts a range's bound in quotes. `text` is the inside
// of a JSON string, where whitespace, quotes and backslashes begin with a backslash.
bool needs_quotes(std::string_view text) noexcept {
    return text.empty() || text.find_first_of("\"\\()[], ") != std::string_view::npos;
}

// Doubles quotes and backslashes for PostgreSQL and escapes them for JSON. `escaped`:
// `text` is the inside of a JSON string already, else it is JSON of another kind.
void append_quoted_bound(Writer& out, std::string_view text, bool escaped) {
    out.text(R"(\")");
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool pair = escaped && text[i] == '\\' && i + 1 < text.size();
        const char c = pair ? text[++i] : text[i];
        if (c == '"') {
            out.text(R"(\"\")");
        } else if (c == '\\') {
            out.text(R"(\\\\)");
        } else {
            if (pair) {
                out.byte('\\');
            }
            out.byte(c);
        }
    }
    out.text(R"(\")");
}

// The bound's JSON is written in its place, then turned into what stands in a range:
// that way each kind has one writer and bounds look like values elsewhere.
bool write_bound(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& bound) {
    if (bound.is_null) {
        return true;
    }
    const std::size_t start = out.size();
    if (!plan.write(context, out, plan, bound)) {
        return false;
    }
    context.bound.assign(out.since(start));
    out.rewind(start);
    std::string_view text = context.bound;
    const bool string = text.starts_with('"');
    if (string) {
        text = text.substr(1, text.size() - 2);
    }
    if (needs_quotes(text)) {
        append_quoted_bound(out, text, string);
    } else {
        out.text(text);
    }
    return true;
}

bool write_range_text(ValueContext& context, Writer& out, const ValuePlan& plan,
                      const Value& value) {
    if (value.range_flags.empty) {
        out.text("empty");
        return true;
    }
    if (value.list.size() != 2 || plan.parts.empty()) {
        return not_of_type(context);
    }
    out.byte(value.range_flags.lower_inclusive ? '[' : '(');
    if (!write_bound(context, out, plan.parts.front(), value.list[0])) {
        return false;
    }
    out.byte(',');
    if (!write_bound(context, out, plan.parts.front(), value.list[1])) {
        return false;
    }
    out.byte(value.range_flags.upper_inclusive ? ']' : ')');
    return true;
}

// Names within an object are never replaced: two could become one.
bool write_map_name(ValueContext& context, Writer& out, std::string_view name) {
    out.byte('"');
    if (!append_escaped(out, name)) {
        if (context.invalid_utf8 == InvalidUtf8::fail) {
            context.fault = ValueContext::Fault::not_utf8;
            return false;
        }
        context.met_invalid_utf8 = true;
        append_base64(out, name);
    }
    out.text("\":");
    return true;
}

}  // namespace

bool write_array(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value) {
    if (!dimensions_fit(value.dimensions, value.list.size()) || plan.parts.empty()) {
        return not_of_type(context);
    }
    if (value.list.empty()) {
        out.text("[]");
        return true;
    }
    std::span<const Value> elements = value.list;
    return write_dimension(context, out, plan.parts.front(), value.dimensions, elements);
}

bool write_composite(ValueContext& context, Writer& out, const ValuePlan& plan,
                     const Value& value) {
    if (value.list.size() != plan.names.size()) {
        return not_of_type(context);
    }
    if (plan.names.empty()) {
        out.byte('{');
    }
    for (std::size_t i = 0; i < plan.names.size(); ++i) {
        out.text(plan.names[i]);
        if (!write_or_null(context, out, plan.parts[i], value.list[i])) {
            return false;
        }
    }
    out.byte('}');
    return true;
}

bool write_range(ValueContext& context, Writer& out, const ValuePlan& plan, const Value& value) {
    out.byte('"');
    const bool done = write_range_text(context, out, plan, value);
    out.byte('"');
    return done;
}

bool write_multirange(ValueContext& context, Writer& out, const ValuePlan& plan,
                      const Value& value) {
    if (plan.parts.empty()) {
        return not_of_type(context);
    }
    out.text("\"{");
    for (std::size_t i = 0; i < value.list.size(); ++i) {
        if (i > 0) {
            out.byte(',');
        }
        if (!write_range_text(context, out, plan.parts.front(), value.list[i])) {
            return false;
        }
    }
    out.text("}\"");
    return true;
}

bool write_map(ValueContext& context, Writer& out, const ValuePlan&, const Value& value) {
    if (value.list.size() % 2 != 0) {
        return not_of_type(context);
    }
    out.byte('{');
    for (std::size_t i = 0; i < value.list.size(); i += 2) {
        if (i > 0) {
            out.byte(',');
        }
        if (!write_map_name(context, out, value.list[i].text)) {
            return false;
        }
        const Value& entry = value.list[i + 1];
        if (entry.is_null) {
            out.text("null");
        } else if (!write_text(context, out, entry.text)) {
            return false;
        }
    }
    out.byte('}');
    return true;
}

}  // namespace pgc
