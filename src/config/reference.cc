// --help and the reference page. Examples and schema: examples.cc, schema.cc.
#include "config/reference.h"

#include <fmt/core.h>

#include <algorithm>
#include <span>
#include <vector>

#include "config/example_value.h"
#include "config/section_tree.h"

namespace pgc {
namespace {

constexpr std::size_t kHelpColumn = 42;

std::string line(std::string_view left, std::string_view right) {
    if (left.size() + 2 > kHelpColumn) {
        return fmt::format("{}\n{:{}}{}\n", left, "", kHelpColumn, right);
    }
    return fmt::format("{:<{}}{}\n", left, kHelpColumn, right);
}

std::string_view value_name(OptionKind kind) {
    switch (kind) {
        case OptionKind::text:
        case OptionKind::secret: return "TEXT";
        case OptionKind::integer: return "N";
        case OptionKind::boolean: return "";
        case OptionKind::seconds: return "SECONDS";
        case OptionKind::milliseconds: return "MS";
        case OptionKind::choice: return "WORD";
        case OptionKind::list: return "A,B,…";
        case OptionKind::map: return "K=V,…";
        case OptionKind::objects: return "JSON";
    }
    return "";
}

std::string default_text(const Option& option) {
    if (auto required = requirement(option); !required.empty()) {
        return required;
    }
    if (!option.fallback_note.empty()) {
        return std::string(option.fallback_note);
    }
    return std::string(option.fallback);
}

std::string help_line(const Option& option) {
    const std::string short_flag = option.letter == 0 ? "" : fmt::format("-{}, ", option.letter);
    const bool secret = option.kind == OptionKind::secret;
    std::string left = secret ? fmt::format("  {}", option.path)
                              : fmt::format("  {}--{}", short_flag, option.path);
    if (const auto name = value_name(option.kind); !secret && !name.empty()) {
        left += fmt::format(" {}", name);
    }
    std::string right(option.help);
    if (option.kind == OptionKind::choice) {
        right += ": " + expectation(option).substr(std::string_view("one of ").size());
    }
    if (const std::string fallback = default_text(option); !fallback.empty()) {
        right += fmt::format(" [{}]", fallback);
    }
    if (secret) {
        right += fmt::format(" ({0}, {0}_FILE; not as a flag)", variables(option).front());
    } else if (!option.variable.empty()) {
        right += fmt::format(" ({})", option.variable);
    }
    return line(left, right);
}

void add_help(const Section& section, std::string& text) {
    if (!section.options.empty()) {
        if (!text.empty()) {
            text += '\n';
        }
        if (!section.path.empty()) {
            text += fmt::format("{}{}{}\n", section.path, section.about.empty() ? "" : ": ",
                                section.about);
        }
        for (const Option* option : section.options) {
            text += help_line(*option);
        }
    }
    for (const Section& inner : section.sections) {
        add_help(inner, text);
    }
}

// Within a cell of a table.
std::string cell(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '|') {
            out += '\\';
        }
        out += c == '\n' ? ' ' : c;
    }
    return out;
}

std::string default_cell(const Option& option) {
    if (const auto required = requirement(option); !required.empty()) {
        return fmt::format("**{}**", required);
    }
    if (!option.fallback_note.empty()) {
        return cell(option.fallback_note);
    }
    return option.fallback.empty() ? "" : fmt::format("`{}`", cell(option.fallback));
}

std::string type_cell(const Option& option) {
    switch (option.kind) {
        case OptionKind::text: return "text";
        case OptionKind::secret: return "secret text";
        case OptionKind::seconds: return expectation(option) + ", seconds";
        case OptionKind::milliseconds: return expectation(option) + ", milliseconds";
        default: return expectation(option);
    }
}

std::string row(const Option& option) {
    std::string names;
    for (const std::string& name : variables(option)) {
        names += (names.empty() ? "`" : ", `") + name + "`";
    }
    if (!option.customary.empty()) names += fmt::format(", or `{}`", option.customary);
    return fmt::format("| `{}` | {} | {} | {} | {} |\n", option.path, cell(type_cell(option)),
                       default_cell(option), names, cell(option.help));
}

void add_docs(std::span<const Option* const> options, std::string& text) {
    for (const Option* option : options) {
        if (!option->doc.empty()) {
            text += fmt::format("\n`{}`: {}\n", option->path, option->doc);
        }
    }
}

// Of an object.
void add_keys(std::span<const Option> fields, std::string& text) {
    if (fields.empty()) return;
    text += "\n| key | value | default | what it is |\n|---|---|---|---|\n";
    std::vector<const Option*> options;
    for (const Option& option : fields) {
        text += fmt::format("| `{}` | {} | {} | {} |\n", option.path, cell(type_cell(option)),
                            default_cell(option), cell(option.help));
        options.push_back(&option);
    }
    add_docs(options, text);
}

std::string examples_of_object(const Option& option, const ObjectType& type) {
    const ObjectVariant* const variant = type.variants.empty() ? nullptr : type.variants.data();
    return fmt::format(
        "\nFor example, in a file and in a variable:\n\n"
        "```yaml\n{}:\n  - {}\n```\n```sh\n{}='[{}]'\n```\n",
        option.path, example_object(type, variant, Language::yaml), variables(option).front(),
        example_object(type, variant, Language::json));
}

// What the elements of the lists among `options` hold; `prefix`: of which list's elements these
// options are.
void add_elements(std::span<const Option* const> options, const std::string& prefix,
                  std::string& text) {
    for (const Option* option : options) {
        if (option->kind != OptionKind::objects) continue;
        const ObjectType& type = *option->object;
        const std::string path = fmt::format("{}{}[]", prefix, option->path);
        text +=
            fmt::format("\n### {}\n\nA {}; at most {} of them.\n", path, type.name, type.count_max);
        add_keys(type.fields, text);
        if (prefix.empty()) text += examples_of_object(*option, type);
        for (const ObjectVariant& variant : type.variants) {
            text += fmt::format("\n#### {} with {}: {}\n\nIt {}.\n", path, type.chosen_by,
                                variant.word, variant.about);
            add_keys(variant.fields, text);
        }
        add_elements(fields_of(type, nullptr).options(), path + ".", text);
        for (const ObjectVariant& variant : type.variants) {
            const OptionTable own{.options = variant.fields};
            add_elements(Declarations{own}.options(), path + ".", text);
        }
    }
}

void add_markdown(const Section& section, std::string& text) {
    if (!section.options.empty() || !section.about.empty()) {
        text +=
            section.path.empty() ? "\n## At the root\n" : fmt::format("\n## {}\n", section.path);
        if (!section.about.empty()) {
            text += fmt::format("\n{}\n", section.about);
        }
    }
    if (!section.options.empty()) {
        text += "\n| key | value | default | variables | what it is |\n|---|---|---|---|---|\n";
        for (const Option* option : section.options) {
            text += row(*option);
        }
        add_docs(section.options, text);
        add_elements(section.options, {}, text);
    }
    for (const Section& inner : section.sections) {
        add_markdown(inner, text);
    }
}

constexpr std::string_view kPreface =
    R"(# Configuration

This page is made from the program's own tables (`pg-capture config reference`).

A value is taken from, strongest first: a flag (`--postgres.host=db`), the variable that
begins with `PG_CAPTURE_`, the short variable (`PG_HOST`), the configuration file, libpq's own
variable (`PGHOST`), the default.

- The file is YAML (`.yaml`, `.yml`) or TOML (`.toml`); a dot in a key below is one level of it.
- In variables and flags lists are separated by commas, maps are `k=v,k=v`. An item that
  holds a comma goes into the file.
- Each variable `X` has a counterpart `X_FILE`: the name of a file whose content, less one line end, is
  the value. Both at once are refused.
- `${env:NAME}` and `${file:PATH}` inside a text stand for a variable and a file's content. In files
  `$${` stands for a plain `${`; in variables and flags only `$${env:` and `$${file:` need that.
- Secrets are not accepted as flags, are shown as `***`, and their files are read again whenever
  a connection is made.
- Paths of files are relative to the directory the program runs in.
- Unknown keys and variables, wrong types, values out of range and contradictions are refused,
  all at once, each with where it stands; exit code 2.
)";

// Only where there is such an option.
constexpr std::string_view kAboutObjects =
    R"(- A list of objects is JSON in a variable or a flag (`PG_CAPTURE_X='[{"key":"value"}]'`), and JSON or
  YAML in the file that `PG_CAPTURE_X_FILE` names. It takes the place of the whole list of a weaker
  source: elements have no variables of their own. References are followed in the texts within.
)";

}  // namespace

std::string help_of_flags(std::span<const Flag> flags) {
    std::string text;
    for (const Flag& flag : flags) {
        const std::string letter = flag.letter == 0 ? "    " : fmt::format("-{}, ", flag.letter);
        std::string left = fmt::format("  {}--{}", letter, flag.name);
        if (!flag.value_name.empty()) {
            left += fmt::format(" {}", flag.value_name);
        }
        text += line(left, flag.help);
    }
    return text;
}

std::string help_of_options(const Declarations& declarations) {
    std::string text;
    add_help(section_tree(declarations), text);
    return text;
}

std::string reference_markdown(const Declarations& declarations) {
    std::string text(kPreface);
    const bool objects = std::ranges::any_of(declarations.options(), [](const Option* option) {
        return option->kind == OptionKind::objects;
    });
    text += objects ? kAboutObjects : "";
    add_markdown(section_tree(declarations), text);
    return text;
}

}  // namespace pgc
