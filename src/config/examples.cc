// The annotated examples. A prose comment is "# " and words, a default that is only
// shown is "#" and the setting: removing that one character makes it valid.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "config/convert.h"
#include "config/reference.h"
#include "config/section_tree.h"
#include "config/text.h"

namespace pgc {
namespace {

constexpr std::string_view kFilePreface =
    "# pg-capture: every option with its default. To change one remove the # before it.\n"
    "# ${env:NAME} and ${file:PATH} stand for a variable and for a file's content.\n";

enum class Language : std::uint8_t { yaml, toml };

std::string file_text(std::string_view text) {
    std::string escaped;
    for (std::size_t i = 0; i < text.size(); ++i) {
        escaped += text.substr(i).starts_with("${") ? "$$" : text.substr(i, 1);
    }
    return json_quoted(escaped);
}

// A word that YAML reads as itself.
bool is_plain_word(std::string_view text) {
    constexpr std::array<std::string_view, 8> other{"true", "false", "null", "yes",
                                                    "no",   "on",    "off",  "y"};
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    const auto is_plain = [&](char c) {
        return is_letter(c) || (c >= '0' && c <= '9') || c == '_' || c == '-' || c == '.';
    };
    return text.size() > 1 && is_letter(text.front()) && std::ranges::all_of(text, is_plain) &&
           std::ranges::find(other, text) == other.end();
}

struct FileForm {
    Language language;

    std::string text(const std::string& value) const {
        return language == Language::yaml && is_plain_word(value) ? value : file_text(value);
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
            all += (all.empty() ? "" : ", ") + json_quoted(key) +
                   (language == Language::yaml ? ": " : " = ") + file_text(value);
        }
        return "{" + all + "}";
    }
};

std::string value_in_file(const Option& option, Language language) {
    if (option.kind == OptionKind::secret) {
        return fmt::format("\"${{env:{}}}\"", variables(option).front());
    }
    const std::string_view text = requirement(option).empty() ? option.fallback : option.example;
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

void add_option(const Option& option, std::string_view indent, Language language,
                std::string& text) {
    text += fmt::format("{}# {}\n{}{}{}{}{}\n", indent, about_option(option), indent,
                        requirement(option).empty() ? "#" : "", leaf_name(option),
                        language == Language::yaml ? ": " : " = ", value_in_file(option, language));
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

void add_environment(const Section& section, std::string& text) {
    if (!section.options.empty()) {
        text += '\n';
        if (!section.about.empty()) {
            text += fmt::format("# {}\n", section.about);
        }
    }
    for (const Option* option : section.options) {
        const bool required = !requirement(*option).empty();
        std::string_view value = required ? option->example : option->fallback;
        if (option->kind == OptionKind::secret && value.empty()) {
            value = "change-me";
        }
        text += fmt::format("# {}\n{}export {}={}\n", about_option(*option), required ? "" : "#",
                            variables(*option).front(), shell_quoted(value));
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
