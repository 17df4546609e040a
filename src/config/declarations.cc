#include "config/declarations.h"

#include <fmt/core.h>

#include <algorithm>
#include <limits>

namespace pgc {
namespace {

constexpr std::int64_t kLongestSeconds = std::int64_t{10} * 365 * 24 * 3600;

}  // namespace

Declarations::Declarations(std::span<const OptionTable> tables)
    : tables_(tables.begin(), tables.end()) {
    for (const OptionTable& table : tables_) {
        for (const Option& option : table.options) {
            options_.push_back(&option);
            by_path_.emplace(option.path, &option);
            for (auto dot = option.path.find('.'); dot != std::string_view::npos;
                 dot = option.path.find('.', dot + 1)) {
                sections_.emplace(option.path.substr(0, dot), "");
            }
        }
    }
    for (const OptionTable& table : tables_) {
        if (const auto found = sections_.find(table.section);
            found != sections_.end() && found->second.empty()) {
            found->second = table.about;
        }
    }
}

const Option* Declarations::find(std::string_view path) const {
    const auto found = by_path_.find(path);
    return found == by_path_.end() ? nullptr : found->second;
}

const Option* Declarations::find_letter(char letter) const {
    const auto found = std::ranges::find(options_, letter, &Option::letter);
    return letter == 0 || found == options_.end() ? nullptr : *found;
}

bool Declarations::is_section(std::string_view path) const {
    return sections_.contains(path);
}

std::string_view Declarations::about(std::string_view section) const {
    const auto found = sections_.find(section);
    return found == sections_.end() ? std::string_view{} : found->second;
}

Declarations fields_of(const ObjectType& type, const ObjectVariant* variant) {
    const OptionTable common{.options = type.fields};
    if (variant == nullptr) {
        return {common};
    }
    return {common, {.options = variant->fields}};
}

std::vector<std::string> key_names(const Declarations& declarations) {
    std::vector<std::string> names;
    for (const Option* option : declarations.options()) {
        names.emplace_back(option->path);
        if (const auto dot = option->path.rfind('.'); dot != std::string_view::npos) {
            names.emplace_back(option->path.substr(0, dot));
        }
    }
    return names;
}

std::string long_variable(const Option& option) {
    std::string name = "PG_CAPTURE_";
    for (const char c : option.path) {
        const bool lower = c >= 'a' && c <= 'z';
        name += c == '.' ? '_' : lower ? static_cast<char>(c - 'a' + 'A') : c;
    }
    return name;
}

std::vector<std::string> variables(const Option& option) {
    std::vector<std::string> names;
    if (!option.variable.empty()) {
        names.emplace_back(option.variable);
    }
    if (auto full = long_variable(option); full != option.variable) {
        names.push_back(std::move(full));
    }
    return names;
}

std::string requirement(const Option& option) {
    if (option.required) {
        return "required";
    }
    const auto equals = option.required_with.find('=');
    return option.required_with.empty()
               ? ""
               : fmt::format("required with {}: {}", option.required_with.substr(0, equals),
                             option.required_with.substr(equals + 1));
}

std::vector<std::string_view> words(const Option& option) {
    std::vector<std::string_view> all;
    std::string_view rest = option.words;
    while (!rest.empty()) {
        const auto bar = rest.find('|');
        all.push_back(rest.substr(0, bar));
        rest = bar == std::string_view::npos ? std::string_view{} : rest.substr(bar + 1);
    }
    return all;
}

Range range(const Option& option) {
    switch (option.kind) {
        case OptionKind::seconds:
            return {std::max<std::int64_t>(option.min, 0), std::min(option.max, kLongestSeconds)};
        case OptionKind::milliseconds:
            return {std::max<std::int64_t>(option.min, 0),
                    std::min(option.max, kLongestSeconds * 1000)};
        default: return {option.min, option.max};
    }
}

std::string expectation(const Option& option) {
    const auto one_of = [&] {
        std::string text;
        for (const std::string_view word : words(option)) {
            text += (text.empty() ? "" : ", ") + std::string(word);
        }
        return text;
    };
    const auto [min, max] = range(option);
    const bool only_words = !option.words.empty();
    switch (option.kind) {
        case OptionKind::text:
        case OptionKind::secret: return "a text";
        case OptionKind::integer:
        case OptionKind::seconds:
        case OptionKind::milliseconds:
            if (min == Option::kNoMin && max == Option::kNoMax) {
                return "an integer";
            }
            if (max == Option::kNoMax) {
                return fmt::format("an integer of at least {}", min);
            }
            if (min == Option::kNoMin) {
                return fmt::format("an integer of at most {}", max);
            }
            return fmt::format("an integer from {} to {}", min, max);
        case OptionKind::boolean: return "true or false";
        case OptionKind::choice: return "one of " + one_of();
        case OptionKind::list: return only_words ? "a list of " + one_of() : "a list of texts";
        case OptionKind::map:
            return only_words ? "a map to one of " + one_of() : "a map of texts (k=v,k=v)";
        case OptionKind::objects: return "a list of objects";
    }
    return {};
}

}  // namespace pgc
