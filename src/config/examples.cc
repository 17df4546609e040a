// The annotated examples. A prose comment is "# " and words, a default that is only
// shown is "#" and the setting: removing that one character makes it valid. What an element of
// a list may be is shown as prose.
#include <fmt/core.h>

#include <utility>

#include "config/example_value.h"
#include "config/reference.h"
#include "config/section_tree.h"

namespace pgc {
namespace {

constexpr std::string_view kFilePreface =
    "# pg-capture: every option with its default. To change one remove the # before it.\n"
    "# ${env:NAME} and ${file:PATH} stand for a variable and for a file's content.\n";

void add_as_prose(std::string_view lines, std::string_view indent, std::string& text) {
    while (!lines.empty()) {
        const auto end = lines.find('\n');
        text += fmt::format("{}# {}\n", indent, lines.substr(0, end));
        lines.remove_prefix(end + 1);
    }
}

void add_elements(const Option& option, std::string_view indent, Language language,
                  std::string& text) {
    const ObjectType& type = *option.object;
    text += fmt::format("{}# {}:\n", indent,
                        type.variants.empty() ? fmt::format("a {}", type.name)
                                              : fmt::format("a {} is one of these", type.name));
    if (type.variants.empty()) {
        add_as_prose(example_element(type, nullptr, option.path, language), indent, text);
    }
    for (const ObjectVariant& variant : type.variants) {
        add_as_prose(example_element(type, &variant, option.path, language), indent, text);
    }
}

void add_option(const Option& option, std::string_view indent, Language language,
                std::string& text) {
    if (option.kind == OptionKind::objects) {
        add_elements(option, indent, language, text);
    }
    text +=
        example_setting(option, OptionPlace::configuration, leaf_name(option), indent, language);
}

void add_yaml(const Section& section, std::size_t level, std::string& text) {
    const std::string indent(level * 2, ' ');
    if (!section.path.empty()) {
        const std::string outer((level - 1) * 2, ' ');
        text += '\n';
        if (!section.about.empty()) {
            text += fmt::format("{}# {}\n", outer, section.about);
        }
        text += fmt::format("{}{}:\n", outer, section.name);
    }
    for (const Option* option : section.options) {
        add_option(*option, indent, Language::yaml, text);
    }
    for (const Section& inner : section.sections) {
        add_yaml(inner, level + 1, text);
    }
}

void add_toml(const Section& section, std::string& text) {
    if (!section.path.empty() && !section.options.empty()) {
        text += '\n';
        if (!section.about.empty()) {
            text += fmt::format("# {}\n", section.about);
        }
        text += fmt::format("[{}]\n", section.path);
    }
    for (const Option* option : section.options) {
        add_option(*option, {}, Language::toml, text);
    }
    for (const Section& inner : section.sections) {
        add_toml(inner, text);
    }
}

std::string shell_quoted(std::string_view text) {
    constexpr std::string_view safe =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:,=@%+";
    if (text.find_first_not_of(safe) == std::string_view::npos) {
        return std::string(text);
    }
    std::string quoted_text = "'";
    for (const char c : text) {
        quoted_text += c == '\'' ? std::string("'\\''") : std::string(1, c);
    }
    return quoted_text + "'";
}

std::string value_of_variable(const Option& option) {
    if (option.kind == OptionKind::objects) {
        return example_value(option, OptionPlace::configuration, Language::json);
    }
    const std::string_view value = requirement(option).empty() ? option.fallback : option.example;
    return std::string(option.kind == OptionKind::secret && value.empty() ? "change-me" : value);
}

void add_environment(const Section& section, std::string& text) {
    if (!section.options.empty()) {
        text += '\n';
        if (!section.about.empty()) {
            text += fmt::format("# {}\n", section.about);
        }
    }
    for (const Option* option : section.options) {
        const bool required = !requirement(*option).empty();
        text += fmt::format("# {}\n", about_option(*option));
        if (option->kind == OptionKind::objects) {
            const ObjectType& type = *option->object;
            text += fmt::format(
                "# JSON, such as [{}]\n",
                example_object(type, type.variants.empty() ? nullptr : type.variants.data(),
                               Language::json));
        }
        text += fmt::format("{}export {}={}\n", required ? "" : "#", variables(*option).front(),
                            shell_quoted(value_of_variable(*option)));
    }
    for (const Section& inner : section.sections) {
        add_environment(inner, text);
    }
}

}  // namespace

std::string example_yaml(const Declarations& declarations) {
    std::string text(kFilePreface);
    const Section root = section_tree(declarations);
    text += root.options.empty() ? "" : "\n";
    add_yaml(root, 0, text);
    return text;
}

std::string example_toml(const Declarations& declarations) {
    std::string text(kFilePreface);
    const Section root = section_tree(declarations);
    text += root.options.empty() ? "" : "\n";
    add_toml(root, text);
    return text;
}

std::string example_environment(const Declarations& declarations) {
    std::string text =
        "# pg-capture: every option as a variable, with its default. For direnv, or: source it.\n"
        "# Each variable X has a counterpart X_FILE that names a file with the value.\n";
    add_environment(section_tree(declarations), text);
    return text;
}

}  // namespace pgc
