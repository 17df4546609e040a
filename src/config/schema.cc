// JSON schema of a configuration file, for editors.
#include <fmt/core.h>

#include <limits>

#include "config/convert.h"
#include "config/reference.h"
#include "config/section_tree.h"
#include "config/text.h"

namespace pgc {
namespace {

std::string description(const Option& option) {
    std::string text(option.help);
    if (const auto required = requirement(option); !required.empty()) {
        text += fmt::format(" ({})", required);
    }
    if (!option.fallback_note.empty()) {
        text += fmt::format(" (if not given: {})", option.fallback_note);
    }
    text += "; variable " + variables(option).front();
    return text;
}

std::string word_list(const Option& option) {
    std::string list;
    for (const std::string_view word : words(option)) {
        list += (list.empty() ? "" : ",") + json_quoted(word);
    }
    return "\"enum\":[" + list + "]";
}

std::string texts(const Option& option) {
    return option.words.empty() ? R"({"type":["string","integer","boolean"]})"
                                : "{" + word_list(option) + "}";
}

std::string integer(const Option& option) {
    std::string type = R"({"type":"integer")";
    const auto [min, max] = range(option);
    if (min != std::numeric_limits<std::int64_t>::min()) {
        type += fmt::format(",\"minimum\":{}", min);
    }
    if (max != std::numeric_limits<std::int64_t>::max()) {
        type += fmt::format(",\"maximum\":{}", max);
    }
    return type + "}";
}

std::string type_of(const Option& option) {
    switch (option.kind) {
        case OptionKind::text:
        case OptionKind::secret: return R"({"type":["string","integer","boolean"]})";
        case OptionKind::integer:
        case OptionKind::seconds:
        case OptionKind::milliseconds: return integer(option);
        case OptionKind::boolean: return R"({"type":"boolean"})";
        case OptionKind::choice: return "{" + word_list(option) + "}";
        case OptionKind::list: return R"({"type":"array","items":)" + texts(option) + "}";
        case OptionKind::map:
            return R"({"type":"object","additionalProperties":)" + texts(option) + "}";
    }
    return "{}";
}

std::string default_value(const Option& option) {
    ValueProblems problems;
    const auto value = value_from_text(option, option.fallback, option.fallback, {}, problems);
    if (!requirement(option).empty() || option.kind == OptionKind::secret || !value) {
        return {};
    }
    if (const auto* items = std::get_if<Settings::List>(&*value)) {
        std::string list;
        for (const std::string& item : *items) {
            list += (list.empty() ? "" : ",") + json_quoted(item);
        }
        return "[" + list + "]";
    }
    if (const auto* pairs = std::get_if<Settings::Map>(&*value)) {
        std::string members;
        for (const auto& [key, text] : *pairs) {
            members += (members.empty() ? "" : ",") + json_quoted(key) + ":" + json_quoted(text);
        }
        return "{" + members + "}";
    }
    const bool quote = std::holds_alternative<std::string>(*value);
    return quote ? json_quoted(option.fallback) : value_to_text(*value);
}

// Any value may be a text with a reference in it.
std::string property(const Option& option) {
    std::string json = json_quoted(leaf_name(option)) +
                       ":{\"description\":" + json_quoted(description(option)) + ",\"anyOf\":[" +
                       type_of(option) +
                       R"(,{"type":"string","pattern":"\\$\\{(env|file):[^}]+\\}"}])";
    if (const std::string fallback = default_value(option); !fallback.empty()) {
        json += ",\"default\":" + fallback;
    }
    if (option.kind == OptionKind::secret) {
        json += ",\"writeOnly\":true";
    }
    return json + "}";
}

std::string properties(const Section& section) {
    std::string members;
    for (const Option* option : section.options) {
        members += (members.empty() ? "\n" : ",\n") + property(*option);
    }
    for (const Section& inner : section.sections) {
        members += (members.empty() ? "\n" : ",\n") + json_quoted(inner.name) + ":{";
        if (!inner.about.empty()) {
            members += "\"description\":" + json_quoted(inner.about) + ",";
        }
        members += R"("type":["object","null"],)" + properties(inner) + "}";
    }
    return "\"additionalProperties\":false,\"properties\":{" + members + "}";
}

}  // namespace

std::string json_schema(const Declarations& declarations) {
    return "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
           "\"title\":\"pg-capture configuration\",\"type\":\"object\"," +
           properties(section_tree(declarations)) + "}\n";
}

}  // namespace pgc
