#include "config/example_value.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <utility>

#include "base/ascii.h"
#include "config/convert.h"
#include "config/declarations.h"
#include "config/section_tree.h"
#include "config/text.h"

namespace pgc {
namespace {

// Variables follow ${env: and ${file: only; files refuse any other ${ too.
bool needs_escape(std::string_view text, Language language) {
    return language == Language::json ? text.starts_with("${env:") || text.starts_with("${file:")
                                      : text.starts_with("${");
}

std::string quoted(std::string_view text, Language language) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        escaped += needs_escape(text.substr(i), language) ? "$$" : text.substr(i, 1);
    }
    return json_quoted(escaped);
}

// A word that YAML reads as itself.
bool is_plain_word(std::string_view text) {
    constexpr std::array<std::string_view, 8> other{"true", "false", "null", "yes",
                                                    "no",   "on",    "off",  "y"};
    const auto is_plain = [](char c) {
        return is_letter_or_digit(c) || c == '_' || c == '-' || c == '.';
    };
    return text.size() > 1 && is_letter(text.front()) && std::ranges::all_of(text, is_plain) &&
           std::ranges::find(other, text) == other.end();
}

std::string_view between_key_and_value(Language language) {
    return language == Language::toml ? " = " : ": ";
}

struct FileForm {
    Language language;

    std::string text(const std::string& value) const {
        return language == Language::yaml && is_plain_word(value) ? value : quoted(value, language);
    }
    std::string operator()(const std::string& value) const { return text(value); }
    std::string operator()(const Secret&) const { return "\"\""; }
    std::string operator()(std::int64_t value) const { return fmt::format("{}", value); }
    std::string operator()(bool value) const { return value ? "true" : "false"; }
    std::string operator()(const Settings::List& items) const {
        std::string all;
        for (const std::string& item : items) {
            all += (all.empty() ? "" : ", ") + text(item);
        }
        return "[" + all + "]";
    }
    std::string operator()(const Settings::Map& pairs) const {
        std::string all;
        for (const auto& [key, value] : pairs) {
            all += (all.empty() ? "" : ", ") + json_quoted(key);
            all += between_key_and_value(language);
            all += quoted(value, language);
        }
        return "{" + all + "}";
    }
    std::string operator()(const Settings::Objects&) const { return "[]"; }
};

// In place of a secret.
std::string reference(const Option& option, OptionPlace place) {
    return place == OptionPlace::configuration
               ? fmt::format("\"${{env:{}}}\"", variables(option).front())
               : fmt::format("\"${{file:/run/secrets/{}}}\"", leaf_name(option));
}

const ObjectVariant* first_variant(const ObjectType& type) {
    return type.variants.empty() ? nullptr : &type.variants.front();
}

std::string element_value(const Option& option, const ObjectType& type,
                          const ObjectVariant* variant, Language language) {
    return variant != nullptr && option.path == type.chosen_by
               ? FileForm{language}.text(std::string(variant->word))
               : example_value(option, OptionPlace::object, language);
}

// The required keys of a section of an element: {a: 1, b: {c: 2}}
std::string required_members(const Section& section, const ObjectType& type,
                             const ObjectVariant* variant, Language language) {
    std::string all;
    const auto add = [&](std::string_view key, const std::string& value) {
        all += all.empty() ? "" : ", ";
        all += language == Language::json ? json_quoted(key) : std::string(key);
        all += between_key_and_value(language);
        all += value;
    };
    for (const Option* option : section.options) {
        if (option->required) {
            add(leaf_name(*option), element_value(*option, type, variant, language));
        }
    }
    for (const Section& inner : section.sections) {
        const std::string members = required_members(inner, type, variant, language);
        if (members != "{}") add(inner.name, members);
    }
    return "{" + all + "}";
}

// The key that an element begins with.
const Option* leading(const ObjectType& type) {
    const auto found = std::ranges::find_if(type.fields, [&](const Option& option) {
        return type.chosen_by.empty() ? option.required : option.path == type.chosen_by;
    });
    return found == type.fields.end() ? nullptr : &*found;
}

void add_yaml(const Section& section, const Option* but, const std::string& indent,
              std::string& text) {
    for (const Option* option : section.options) {
        if (option != but) {
            text += example_setting(*option, OptionPlace::object, leaf_name(*option), indent,
                                    Language::yaml);
        }
    }
    for (const Section& inner : section.sections) {
        text += fmt::format("{}{}:\n", indent, inner.name);
        add_yaml(inner, but, indent + "  ", text);
    }
}

}  // namespace

std::string example_value(const Option& option, OptionPlace place, Language language) {
    if (option.kind == OptionKind::secret) {
        return reference(option, place);
    }
    const bool required = !requirement(option).empty();
    if (option.kind == OptionKind::objects && required) {
        const ObjectType& type = *option.object;
        return "[" + example_object(type, first_variant(type), language) + "]";
    }
    const std::string_view text = required ? option.example : option.fallback;
    ValueProblems problems;
    const auto value = value_from_text(option, text, text, {}, problems);
    return value ? std::visit(FileForm{language}, *value) : std::string("\"\"");
}

std::string about_option(const Option& option) {
    std::string text = requirement(option);
    if (!text.empty()) {
        text.front() = 'R';
        text += ": ";
    }
    text += option.help;
    if (option.kind == OptionKind::choice ||
        (option.kind == OptionKind::list && !option.words.empty())) {
        text += "; " + expectation(option);
    }
    if (!option.fallback_note.empty()) {
        text += fmt::format("; if not given: {}", option.fallback_note);
    }
    return text;
}

std::string example_setting(const Option& option, OptionPlace place, std::string_view key,
                            std::string_view indent, Language language) {
    // What is required with another key's value need not be given in every element.
    const bool filled_in =
        place == OptionPlace::object ? option.required : !requirement(option).empty();
    return fmt::format("{}# {}\n{}{}{}{}{}\n", indent, about_option(option), indent,
                       filled_in ? "" : "#", key, between_key_and_value(language),
                       example_value(option, place, language));
}

std::string example_object(const ObjectType& type, const ObjectVariant* variant,
                           Language language) {
    const Declarations fields = fields_of(type, variant);
    return required_members(section_tree(fields), type, variant, language);
}

std::string example_element(const ObjectType& type, const ObjectVariant* variant,
                            std::string_view path, Language language) {
    const Declarations fields = fields_of(type, variant);
    const Option* const lead = leading(type);
    std::string text;
    if (lead != nullptr) {
        text = fmt::format("{}{}{}{}  # {}\n",
                           language == Language::toml ? fmt::format("[[{}]]\n", path) : "- ",
                           lead->path, between_key_and_value(language),
                           element_value(*lead, type, variant, language),
                           variant != nullptr ? variant->about : lead->help);
    }
    if (language != Language::toml) {
        add_yaml(section_tree(fields), lead, "  ", text);
        return text;
    }
    for (const Option* option : fields.options()) {
        if (option != lead) {
            text += example_setting(*option, OptionPlace::object, option->path, {}, language);
        }
    }
    return text;
}

}  // namespace pgc
