#include "config/flags.h"

#include <fmt/core.h>

#include <algorithm>
#include <optional>
#include <set>
#include <utility>

#include "base/ascii.h"
#include "config/nearest.h"
#include "config/text.h"

namespace pgc {
namespace {

// Could be the value of a flag before it: not a flag, but a negative number or "-".
bool is_value(std::string_view argument) {
    return !argument.starts_with('-') || argument == "-" ||
           (argument.size() > 1 && is_digit(argument[1]));
}

class Parser {
public:
    Parser(std::span<const std::string> arguments, std::span<const Flag> flags,
           const Declarations& declarations)
        : rest_(arguments), flags_(flags), declarations_(declarations) {}

    CommandLine parse() {
        while (!rest_.empty()) {
            const std::string& argument = rest_.front();
            rest_ = rest_.subspan(1);
            if (argument == "--") {
                line_.arguments.insert(line_.arguments.end(), rest_.begin(), rest_.end());
                break;
            }
            if (argument.starts_with("--")) {
                take_long(argument);
            } else if (is_value(argument)) {
                line_.arguments.push_back(argument);
            } else {
                take_letters(std::string_view(argument).substr(1));
            }
        }
        return std::move(line_);
    }

private:
    // One flag as it was met: with "=value" or the rest of its letters, or without.
    struct Met {
        std::string spelled;
        std::optional<std::string> attached;
    };

    void refuse(const Met& met, std::string_view key, std::string reason, std::string near = {},
                std::string hint = {}) {
        line_.errors.add({"flag " + met.spelled, std::string(key), std::move(reason),
                          std::move(near), std::move(hint)});
    }

    void take_long(std::string_view argument) {
        const auto equals = argument.find('=');
        Met met{std::string(argument.substr(0, equals)), std::nullopt};
        if (equals != std::string_view::npos) {
            met.attached = argument.substr(equals + 1);
        }
        const std::string_view name = std::string_view(met.spelled).substr(2);
        const auto flag = std::ranges::find(flags_, name, &Flag::name);
        if (flag != flags_.end()) {
            take_flag(*flag, met);
        } else if (const Option* option = declarations_.find(name)) {
            take_option(*option, met);
        } else {
            take_unknown(name, met);
        }
    }

    // -v, -jv, -c FILE, -cFILE
    void take_letters(std::string_view letters) {
        while (!letters.empty()) {
            const char letter = letters.front();
            letters.remove_prefix(1);
            Met met{std::string("-") + letter, std::nullopt};
            const auto flag = std::ranges::find(flags_, letter, &Flag::letter);
            const Option* option = declarations_.find_letter(letter);
            if (flag == flags_.end() && option == nullptr) {
                refuse(met, {}, "unknown flag");
                return;
            }
            const bool is_switch = flag != flags_.end() ? flag->value_name.empty()
                                                        : option->kind == OptionKind::boolean;
            if (!is_switch && !letters.empty()) {
                met.attached = letters.substr(letters.starts_with('=') ? 1 : 0);
                letters = {};
            }
            if (flag != flags_.end()) {
                take_flag(*flag, met);
            } else {
                take_option(*option, met);
            }
        }
    }

    // Nothing, with an error, if it has none.
    std::optional<std::string> value_of(const Met& met, std::string_view key) {
        if (met.attached) {
            return met.attached;
        }
        if (!rest_.empty() && is_value(rest_.front())) {
            std::string value = rest_.front();
            rest_ = rest_.subspan(1);
            return value;
        }
        refuse(met, key, "needs a value");
        return std::nullopt;
    }

    void take_flag(const Flag& flag, const Met& met) {
        const bool is_switch = flag.value_name.empty();
        if (is_switch && met.attached && *met.attached != "true" && *met.attached != "false") {
            refuse(met, {},
                   fmt::format("expected true or false, got {}", in_quotes(*met.attached)));
            return;
        }
        const auto value = is_switch ? met.attached.value_or("true") : value_of(met, {});
        if (!value || (is_switch && *value == "false") || !allowed(flag, *value, met)) {
            return;
        }
        if (!flag.sets_path.empty()) {
            add_option(flag.sets_path, is_switch ? std::string(flag.sets_value) : *value, met);
            return;
        }
        const auto [known, fresh] = line_.flags.emplace(flag.name, *value);
        if (!fresh && known->second != *value) {
            refuse(met, {}, "given twice, with different values");
        }
    }

    bool allowed(const Flag& flag, std::string_view value, const Met& met) {
        std::vector<std::string> candidates;
        for (const std::string_view word : words({.words = flag.words})) {
            candidates.emplace_back(word);
        }
        if (candidates.empty() || std::ranges::find(candidates, value) != candidates.end()) {
            return true;
        }
        std::string all;
        for (const std::string& word : candidates) {
            all += (all.empty() ? "" : ", ") + word;
        }
        refuse(met, {}, fmt::format("expected one of {}, got {}", all, in_quotes(value)),
               nearest(value, candidates));
        return false;
    }

    void take_option(const Option& option, const Met& met) {
        if (option.kind == OptionKind::boolean) {
            add_option(option.path, met.attached.value_or("true"), met);
            return;
        }
        auto value = value_of(met, option.path);
        if (option.kind == OptionKind::secret) {
            const auto names = variables(option);
            refuse(met, option.path,
                   "a secret is not taken from the command line, where others see it", {},
                   fmt::format("set {}, or {}_FILE to the name of a file", names.front(),
                               names.front()));
        } else if (value) {
            add_option(option.path, *value, met);
        }
    }

    void add_option(std::string_view path, std::string text, const Met& met) {
        const auto earlier = std::ranges::find(line_.options, path, &FlagValue::path);
        if (earlier == line_.options.end()) {
            line_.options.push_back({std::string(path), std::move(text), met.spelled});
        } else if (earlier->text != text) {
            refuse(met, path,
                   met.spelled == earlier->spelled
                       ? "given twice, with different values"
                       : fmt::format("contradicts flag {}", earlier->spelled));
        }
    }

    void take_unknown(std::string_view name, const Met& met) {
        std::vector<std::string> candidates;
        for (const Flag& flag : flags_) {
            candidates.emplace_back(flag.name);
        }
        for (const Option* option : declarations_.options()) {
            candidates.emplace_back(option->path);
        }
        const std::string near = nearest(name, candidates);
        refuse(met, {}, "unknown flag", near.empty() ? near : "--" + near);
        // Its value, most likely: not to be reported as another error, it may be a secret.
        if (!met.attached && !rest_.empty() && is_value(rest_.front())) {
            rest_ = rest_.subspan(1);
        }
    }

    std::span<const std::string> rest_;
    std::span<const Flag> flags_;
    const Declarations& declarations_;
    CommandLine line_;
};

}  // namespace

CommandLine parse_command_line(std::span<const std::string> arguments, std::span<const Flag> flags,
                               const Declarations& declarations) {
    return Parser(arguments, flags, declarations).parse();
}

std::vector<std::string> faults(std::span<const Flag> flags, const Declarations& declarations) {
    std::vector<std::string> found;
    std::set<std::string_view> names;
    std::set<char> letters;
    for (const Flag& flag : flags) {
        if (!names.insert(flag.name).second || declarations.find(flag.name) != nullptr) {
            found.push_back(fmt::format("--{}: the name is taken", flag.name));
        }
        const bool taken = declarations.find_letter(flag.letter) != nullptr;
        if (flag.letter != 0 && (!letters.insert(flag.letter).second || taken)) {
            found.push_back(fmt::format("--{}: the letter {} is taken", flag.name, flag.letter));
        }
        if (!flag.sets_path.empty() && declarations.find(flag.sets_path) == nullptr) {
            found.push_back(fmt::format("--{}: sets no declared option", flag.name));
        }
        if (flag.help.empty()) {
            found.push_back(fmt::format("--{}: has no help", flag.name));
        }
    }
    return found;
}

}  // namespace pgc
