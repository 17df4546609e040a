// Mistakes in the tables themselves, for a test of the program.
#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <limits>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "config/convert.h"
#include "config/declarations.h"
#include "config/loader.h"

namespace pgc {
namespace {

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

// Examples begin an element with such a key: "- type: mask".
bool leads(const Option& option) {
    return option.required && option.kind != OptionKind::objects &&
           option.path.find('.') == std::string_view::npos;
}

class FaultFinder {
public:
    explicit FaultFinder(const Declarations& declarations, std::string prefix = {},
                         std::size_t depth = 0)
        : declarations_(declarations), prefix_(std::move(prefix)), depth_(depth) {}

    std::vector<std::string> find() {
        for (const Option* option : declarations_.options()) {
            check_path(*option);
            if (depth_ == 0) {
                check_variables(*option);
            } else if (!option->variable.empty() || !option->customary.empty() ||
                       option->letter != 0) {
                fault(*option, "a key of an object has no variable and no letter of its own");
            }
            if (option->help.empty()) {
                fault(*option, "has no help");
            }
            check_kind(*option);
            check_words(*option);
            check_default(*option);
        }
        return std::move(faults_);
    }

private:
    void fault(const Option& option, std::string_view text) {
        faults_.push_back(fmt::format("{}{}: {}", prefix_, option.path, text));
    }

    void check_path(const Option& option) {
        if (!is_path(option.path)) {
            fault(option, "not a path of lower-case words");
        }
        if (!paths_.insert(option.path).second) {
            fault(option, "declared twice");
        }
        if (declarations_.is_section(option.path)) {
            fault(option, "is also a section");
        }
    }

    void check_variables(const Option& option) {
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
    }

    void check_kind(const Option& option) {
        const bool seconds = option.path.ends_with("_secs");
        const bool milliseconds = option.path.ends_with("_ms");
        if (seconds != (option.kind == OptionKind::seconds) ||
            milliseconds != (option.kind == OptionKind::milliseconds)) {
            fault(option, "a duration's path ends in its unit, _secs or _ms, and no other's does");
        }
        const bool bounded = option.min != Option::kNoMin || option.max != Option::kNoMax;
        if ((bounded && !is_number(option.kind)) || option.min > option.max) {
            fault(option, "has a range that can't be");
        }
        if ((option.kind == OptionKind::objects) != (option.object != nullptr)) {
            fault(option, "a list of objects says what they hold, and nothing else does");
        } else if (option.object != nullptr) {
            check_object(option);
        }
    }

    void check_words(const Option& option) {
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

    void check_object(const Option& option) {
        const ObjectType& type = *option.object;
        if (depth_ == ConfigLimits::object_depth) {
            fault(option, "lists of objects are nested too deep");
            return;
        }
        if (type.name.empty()) {
            fault(option, "its elements have no name");
        }
        if (type.count_max == 0 || type.count_max > ConfigLimits::objects) {
            fault(option, fmt::format("not between 1 and {} elements", ConfigLimits::objects));
        }
        if (std::ranges::none_of(type.fields, leads)) {
            fault(option, "its elements need a key that is required");
        }
        check_variants(option);
        const std::string inner = fmt::format("{}{}[].", prefix_, option.path);
        check_fields(fields_of(type, nullptr), inner);
        for (const ObjectVariant& variant : type.variants) {
            check_fields(fields_of(type, &variant), inner);
        }
    }

    void check_variants(const Option& option) {
        const ObjectType& type = *option.object;
        std::vector<std::string_view> chosen;
        for (const ObjectVariant& variant : type.variants) {
            chosen.push_back(variant.word);
            if (variant.about.empty()) {
                fault(option, fmt::format("nothing is said about {}", variant.word));
            }
        }
        const auto by = std::ranges::find(type.fields, type.chosen_by, &Option::path);
        const bool is_choice =
            by != type.fields.end() && by->kind == OptionKind::choice && leads(*by);
        if (type.chosen_by.empty() ? !chosen.empty() : !is_choice || words(*by) != chosen) {
            fault(option, "its variants are not the words of a required choice");
        }
    }

    // The keys of all elements are checked again with each variant: report them once.
    void check_fields(const Declarations& fields, const std::string& prefix) {
        for (std::string& text : FaultFinder(fields, prefix, depth_ + 1).find()) {
            if (std::ranges::find(faults_, text) == faults_.end()) {
                faults_.push_back(std::move(text));
            }
        }
    }

    void check_default(const Option& option) {
        const bool secret = option.kind == OptionKind::secret;
        const bool required = !requirement(option).empty();
        if (option.kind == OptionKind::objects) {
            if (!option.fallback.empty()) {
                fault(option, "a list of objects has no default");
            }
            return;
        }
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
    const std::string prefix_;
    const std::size_t depth_;
    std::vector<std::string> faults_;
    std::set<std::string_view> paths_;
    std::set<std::string> variables_;
    std::set<char> letters_;
};

}  // namespace

std::vector<std::string> Declarations::faults() const {
    return FaultFinder(*this).find();
}

}  // namespace pgc
