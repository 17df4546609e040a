// JSON schema of a configuration file, for editors.
#include <fmt/core.h>

#include <algorithm>
#include <limits>

#include "config/convert.h"
#include "config/reference.h"
#include "config/section_tree.h"
#include "config/text.h"

namespace pgc {
namespace {

// The object whose keys are written; empty for the options of the whole file.
struct Within {
    const ObjectType* type = nullptr;
    const ObjectVariant* variant = nullptr;

    bool is_object() const noexcept { return type != nullptr; }
    bool is_chosen_by(const Option& option) const {
        return is_object() && option.path == type->chosen_by;
    }
};

std::string object_schema(const Within& within);

std::string description(const Option& option, const Within& within) {
    std::string text(option.help);
    if (const auto required = requirement(option); !required.empty()) {
        text += fmt::format(" ({})", required);
    }
    if (!option.fallback_note.empty()) {
        text += fmt::format(" (if not given: {})", option.fallback_note);
    }
    if (!within.is_object()) {
        text += "; variable " + variables(option).front();
    }
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

// One schema for each variant; the constant word that chooses it makes the schemas exclusive.
std::string objects(const ObjectType& type) {
    std::string items;
    for (const ObjectVariant& variant : type.variants) {
        items += (items.empty() ? "\n" : ",\n") + object_schema({&type, &variant});
    }
    items = items.empty() ? object_schema({&type, nullptr}) : "{\"oneOf\":[" + items + "]}";
    return fmt::format(R"("type":"array","maxItems":{},"items":{})", type.count_max, items);
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
        case OptionKind::objects: return "{" + objects(*option.object) + "}";
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
    if (std::holds_alternative<Settings::Objects>(*value)) {
        return "[]";
    }
    const bool quote = std::holds_alternative<std::string>(*value);
    return quote ? json_quoted(option.fallback) : value_to_text(*value);
}

// What may stand there: a value, or a text with a reference in it, unless references are not
// followed there.
std::string allowed(const Option& option, const Within& within) {
    if (within.is_chosen_by(option)) {
        return "\"const\":" + json_quoted(within.variant->word);
    }
    if (option.kind == OptionKind::objects) {
        return objects(*option.object);
    }
    return "\"anyOf\":[" + type_of(option) +
           R"(,{"type":"string","pattern":"\\$\\{(env|file):[^}]+\\}"}])";
}

std::string property(const Option& option, const Within& within) {
    std::string json = json_quoted(leaf_name(option)) +
                       ":{\"description\":" + json_quoted(description(option, within)) + "," +
                       allowed(option, within);
    if (const std::string fallback = default_value(option); !fallback.empty()) {
        json += ",\"default\":" + fallback;
    }
    if (option.kind == OptionKind::secret) {
        json += ",\"writeOnly\":true";
    }
    return json + "}";
}

bool has_required(const Section& section) {
    return std::ranges::any_of(section.options, &Option::required) ||
           std::ranges::any_of(section.sections, has_required);
}

// An element of a list stands whole in the file, so that its keys can be required.
std::string required_keys(const Section& section) {
    std::string names;
    const auto add = [&](std::string_view name) {
        names += (names.empty() ? "" : ",") + json_quoted(name);
    };
    for (const Option* option : section.options) {
        if (option->required) add(leaf_name(*option));
    }
    for (const Section& inner : section.sections) {
        if (has_required(inner)) add(inner.name);
    }
    return names.empty() ? names : "\"required\":[" + names + "],";
}

std::string properties(const Section& section, const Within& within) {
    std::string members;
    for (const Option* option : section.options) {
        members += (members.empty() ? "\n" : ",\n") + property(*option, within);
    }
    for (const Section& inner : section.sections) {
        members += (members.empty() ? "\n" : ",\n") + json_quoted(inner.name) + ":{";
        if (!inner.about.empty()) {
            members += "\"description\":" + json_quoted(inner.about) + ",";
        }
        const bool needed = within.is_object() && has_required(inner);
        members += needed ? R"("type":"object",)" : R"("type":["object","null"],)";
        members += properties(inner, within) + "}";
    }
    return (within.is_object() ? required_keys(section) : "") +
           "\"additionalProperties\":false,\"properties\":{" + members + "}";
}

std::string object_schema(const Within& within) {
    std::string json = "{";
    if (within.variant != nullptr) {
        json += "\"description\":" + json_quoted(within.variant->about) + ",";
    }
    const Declarations fields = fields_of(*within.type, within.variant);
    return json + "\"type\":\"object\"," + properties(section_tree(fields), within) + "}";
}

}  // namespace

std::string json_schema(const Declarations& declarations) {
    return "{\"$schema\":\"https://json-schema.org/draft/2020-12/schema\",\n"
           "\"title\":\"pg-capture configuration\",\"type\":\"object\"," +
           properties(section_tree(declarations), {}) + "}\n";
}

}  // namespace pgc
