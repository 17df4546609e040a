#include "config/declarations.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <utility>

#include "config/convert.h"

namespace pgc {
namespace {

constexpr std::int64_t kLongestSeconds = std::int64_t{10} * 365 * 24 * 3600;
constexpr std::int64_t kNoMin = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t kNoMax = std::numeric_limits<std::int64_t>::max();

bool is_number(OptionKind kind) {
    return kind == OptionKind::integer || kind == OptionKind::seconds ||
           kind == OptionKind::milliseconds;
}

bool is_word(std::string_view text, std::string_view first, std::string_view rest) {
    return !text.empty() && first.find(text.front()) != std::string_view::npos &&
           text.find_first_not_of(rest) == std::string_view::npos;
}

bool is_path(std::string_view path) {
    constexpr std::string_view letters = "abcdefghijklmnopqrstuvwxyz";
    constexpr std::string_view all = "abcdefghijklmnopqrstuvwxyz0123456789_";
    for (;;) {
        const auto dot = path.find('.');
        if (!is_word(path.substr(0, dot), letters, all)) {
            return false;
        }
        if (dot == std::string_view::npos) {
            return true;
        }
        path.remove_prefix(dot + 1);
    }
}

bool is_variable(std::string_view variable) {
    return is_word(variable, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

// Collects what is wrong with the rows of the tables.
class FaultFinder {
public:
    explicit FaultFinder(const Declarations& declarations) : declarations_(declarations) {}

    std::vector<std::string> find() {
        for (const Option* option : declarations_.options()) {
            check_names(*option);
            check_kind(*option);
            check_default(*option);
        }
        return std::move(faults_);
    }

private:
    void fault(const Option& option, std::string_view text) {
        faults_.push_back(fmt::format("{}: {}", option.path, text));
    }

    void check_names(const Option& option) {
        if (!is_path(option.path)) {
            fault(option, "not a path of lower-case words");
        }
        if (!paths_.insert(option.path).second) {
            fault(option, "declared twice");
        }
        if (declarations_.is_section(option.path)) {
            fault(option, "is also a section");
        }
        for (const std::string& variable : variables(option)) {
            if (!is_variable(variable)) {
                fault(option, fmt::format("{} is not a valid variable name", variable));
            }
            for (const auto& taken : {variable, variable + "_FILE"}) {
                if (!variables_.insert(taken).second) {
                    fault(option, fmt::format("another option has the variable {}", taken));
                }
            }
        }
        if (option.letter != 0 && !letters_.insert(option.letter).second) {
            fault(option, fmt::format("another option has the letter {}", option.letter));
        }
        if (option.help.empty()) {
            fault(option, "has no help");
        }
    }

    void check_kind(const Option& option) {
        const bool seconds = option.path.ends_with("_secs");
        const bool milliseconds = option.path.ends_with("_ms");
        if (seconds != (option.kind == OptionKind::seconds) ||
            milliseconds != (option.kind == OptionKind::milliseconds)) {
            fault(option, "a duration's path ends in its unit, _secs or _ms, and no other's does");
        }
        const bool bounded = option.min != kNoMin || option.max != kNoMax;
        if ((bounded && !is_number(option.kind)) || option.min > option.max) {
            fault(option, "has a range that can't be");
        }
        constexpr std::array<std::string_view, 7> forbidden{"null", "yes", "no", "on",
                                                            "off",  "~",   ""};
        const auto all = words(option);
        for (const std::string_view word : all) {
            if (std::ranges::find(forbidden, word) != forbidden.end()) {
                fault(option, fmt::format("YAML does not read the word \"{}\" as itself", word));
            }
        }
        if (option.kind == OptionKind::choice && all.size() < 2) {
            fault(option, "a choice without words");
        }
    }

    void check_default(const Option& option) {
        const bool secret = option.kind == OptionKind::secret;
        const bool required = !requirement(option).empty();
        if (required || secret) {
            if (!option.fallback.empty()) {
                fault(option, "a required option or a secret has no default");
            }
            if (!secret) {
                check_value(option, option.example, "example");
            }
            if (!secret && option.example.empty()) {
                fault(option, "a required option needs an example");
            }
            return;
        }
        check_value(option, option.fallback, "default");
    }

    void check_value(const Option& option, std::string_view text, std::string_view which) {
        ValueProblems problems;
        if (!value_from_text(option, text, text, {}, problems)) {
            fault(option, fmt::format("its {} is wrong: {}", which, problems.front().reason));
        }
    }

    const Declarations& declarations_;
    std::vector<std::string> faults_;
    std::set<std::string_view> paths_;
    std::set<std::string> variables_;
    std::set<char> letters_;
};

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

std::vector<std::string> Declarations::faults() const {
    return FaultFinder(*this).find();
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
            if (min == kNoMin && max == kNoMax) {
                return "an integer";
            }
            if (max == kNoMax) {
                return fmt::format("an integer of at least {}", min);
            }
            if (min == kNoMin) {
                return fmt::format("an integer of at most {}", max);
            }
            return fmt::format("an integer from {} to {}", min, max);
        case OptionKind::boolean: return "true or false";
        case OptionKind::choice: return "one of " + one_of();
        case OptionKind::list: return only_words ? "a list of " + one_of() : "a list of texts";
        case OptionKind::map:
            return only_words ? "a map to one of " + one_of() : "a map of texts (k=v,k=v)";
    }
    return {};
}

}  // namespace pgc
