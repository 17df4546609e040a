// Three steps: gather everything that was given, settle each option (the strongest
// value wins, the others are only checked), let the rooms look for contradictions.
#include "config/loader.h"

#include <fmt/core.h>

#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "base/ascii.h"
#include "config/convert.h"
#include "config/document.h"
#include "config/entries.h"
#include "config/evaluator.h"
#include "config/given.h"
#include "config/load_errors.h"
#include "config/nearest.h"
#include "config/section_walk.h"

namespace pgc {
namespace {

constexpr std::string_view kPrefix = "PG_CAPTURE_";
constexpr std::string_view kFileSuffix = "_FILE";

// Weakest first.
enum class Rank : std::uint8_t { customary, file, short_variable, long_variable, flag };
constexpr std::size_t kRanks = 5;

class Loader {
public:
    Loader(const Declarations& declarations, const Sources& sources, Files& files)
        : declarations_(declarations),
          sources_(sources),
          files_(files),
          evaluator_(sources.environment, files, errors_),
          from_file_{.file = sources.file} {}

    std::expected<Settings, Errors> load() {
        read_file();
        read_variables();
        for (const FlagValue& flag : sources_.command_line.options) {
            read_flag(flag);
        }
        for (const Option* option : declarations_.options()) {
            entries_.push_back(settle(*option));
        }
        refuse_unknown_variables();
        return finish();
    }

private:
    using Givens = std::array<std::optional<Given>, kRanks>;

    // --- what is given ---
    void read_file();
    bool parse_file();
    void refuse_unknown_key(const std::string& path, const Node::Member& member);
    void read_variables();
    void read_variable(const Option& option, const std::string& name, Rank rank);
    void read_customary(const Option& option);
    void read_flag(const FlagValue& flag);
    void refuse_unknown_variables();
    std::string no_variable_of_an_element(std::string_view name) const;
    void give(const Option& option, Rank rank, Given given) {
        given_[&option][static_cast<std::size_t>(rank)] = std::move(given);
    }
    void give_variable(const Option& option, Rank rank, Given::Form form, std::string_view name,
                       const std::string& text);

    // --- what comes of it ---
    Settings::Entry settle(const Option& option);
    void require(Settings::Entry& entry, bool given);
    void require_with_choices();
    std::expected<Settings, Errors> finish();

    const Declarations& declarations_;
    const Sources& sources_;
    Files& files_;

    LoadErrors errors_;
    Evaluator evaluator_;
    const Provenance from_file_;
    Node root_;
    bool file_readable_ = true;
    std::map<const Option*, Givens> given_;
    std::set<std::string, std::less<>> declared_variables_;
    std::vector<Settings::Entry> entries_;
};

void Loader::read_file() {
    root_.kind = Node::Kind::map;
    file_readable_ = sources_.file.empty() || parse_file();
    each_text(root_, [this](const Node& node) {
        evaluator_.note_references(node.text, ReferenceStyle::strict);
    });
    const auto unknown = [this](const std::string& path, const Node::Member& member) {
        refuse_unknown_key(path, member);
    };
    const std::string no_name;
    auto given = SectionWalk(declarations_, from_file_, no_name, errors_, unknown).walk(root_);
    for (auto& [option, value] : given) {
        give(*option, Rank::file, std::move(value));
    }
}

bool Loader::parse_file() {
    const auto content = files_.read(sources_.file);
    if (!content) {
        errors_.add_problem(from_file_, {}, {{}, content.error().what, {}});
        return false;
    }
    if (!*content) {
        errors_.add_problem(from_file_, {}, {{}, "no such file", {}});
        return false;
    }
    auto parsed = parse_document(sources_.file, **content);
    if (!parsed) {
        const auto& [place, reason] = parsed.error();
        std::string where = from_file_.where(place);
        if (place.line > 0) {
            where += fmt::format(":{}", place.column);
        }
        errors_.add(from_file_, place, {std::move(where), {}, reason, {}, {}});
        return false;
    }
    root_ = std::move(*parsed);
    return true;
}

void Loader::refuse_unknown_key(const std::string& path, const Node::Member& member) {
    errors_.add_problem(from_file_, path,
                        {member.place, "unknown key", nearest(path, key_names(declarations_))});
}

void Loader::read_variables() {
    for (const Option* option : declarations_.options()) {
        read_customary(*option);
        if (!option->variable.empty()) {
            read_variable(*option, std::string(option->variable), Rank::short_variable);
        }
        if (const std::string full = long_variable(*option); full != option->variable) {
            read_variable(*option, full, Rank::long_variable);
        }
    }
}

void Loader::give_variable(const Option& option, Rank rank, Given::Form form, std::string_view name,
                           const std::string& text) {
    give(option, rank,
         {.form = form,
          .from = {.source = Origin::Source::environment,
                   .giver = fmt::format("environment {}", name),
                   .style = ReferenceStyle::lenient},
          .text = text});
}

void Loader::read_variable(const Option& option, const std::string& name, Rank rank) {
    const std::string file_name = name + std::string(kFileSuffix);
    declared_variables_.insert(name);
    declared_variables_.insert(file_name);
    const auto direct = sources_.environment.find(name);
    const auto by_file = sources_.environment.find(file_name);
    const bool has_direct = direct != sources_.environment.end();
    const bool has_file = by_file != sources_.environment.end();
    if (has_file) {
        give_variable(option, rank, Given::Form::file, file_name, by_file->second);
    }
    if (has_direct) {
        evaluator_.note_references(direct->second, ReferenceStyle::lenient);
        give_variable(option, rank, Given::Form::text, name, direct->second);
    }
    if (has_direct && has_file) {
        errors_.add({.source = Origin::Source::environment}, {},
                    {fmt::format("environment {}, environment {}", name, file_name),
                     std::string(option.path),
                     "given twice, as a value and as a file",
                     {},
                     fmt::format("unset one of {} and {}", name, file_name)});
    }
}

void Loader::read_customary(const Option& option) {
    if (option.customary.empty()) return;
    const auto found = sources_.environment.find(option.customary);
    if (found == sources_.environment.end() || found->second.empty()) return;
    give_variable(option, Rank::customary, Given::Form::text, option.customary, found->second);
}

void Loader::read_flag(const FlagValue& flag) {
    const Provenance from{.source = Origin::Source::flag,
                          .giver = "flag " + flag.spelled,
                          .style = ReferenceStyle::lenient};
    const Option* option = declarations_.find(flag.path);
    if (option == nullptr) {
        errors_.add_problem(from, flag.path, {{}, "unknown key", {}});
        return;
    }
    evaluator_.note_references(flag.text, ReferenceStyle::lenient);
    give(*option, Rank::flag, {.form = Given::Form::text, .from = from, .text = flag.text});
}

void Loader::refuse_unknown_variables() {
    std::vector<std::string> candidates;
    for (const Option* option : declarations_.options()) {
        const std::string stem = long_variable(*option).substr(kPrefix.size());
        candidates.push_back(stem);
        candidates.push_back(stem + std::string(kFileSuffix));
    }
    for (const auto& [name, value] : sources_.environment) {
        if (!name.starts_with(kPrefix) || declared_variables_.contains(name) ||
            evaluator_.referenced().contains(name)) {
            continue;
        }
        std::string hint = no_variable_of_an_element(name);
        const std::string stem = nearest(std::string_view(name).substr(kPrefix.size()), candidates);
        errors_.add({.source = Origin::Source::environment}, {},
                    {"environment " + name,
                     {},
                     "unknown variable",
                     stem.empty() || !hint.empty() ? "" : std::string(kPrefix) + stem,
                     std::move(hint)});
    }
}

// The hint for a name like PG_CAPTURE_TRANSFORMS_0_TYPE; empty for other names.
std::string Loader::no_variable_of_an_element(std::string_view name) const {
    for (const Option* option : declarations_.options()) {
        const std::string whole = long_variable(*option);
        if (option->kind != OptionKind::objects || !name.starts_with(whole + "_")) {
            continue;
        }
        const std::string_view rest = name.substr(whole.size() + 1);
        if (!rest.empty() && is_digit(rest.front())) {
            return fmt::format("give the whole list as JSON in {}", whole);
        }
    }
    return {};
}

Settings::Entry Loader::settle(const Option& option) {
    Settings::Entry entry = unset(option);
    const std::string key(option.path);
    const Givens& givens = given_[&option];
    bool given = false;
    for (std::size_t rank = kRanks; rank-- > 0;) {
        if (!givens[rank]) {
            continue;
        }
        if (given) {
            Settings::Entry overruled = unset(option);
            evaluator_.read(*givens[rank], key, false, overruled);
        } else {
            evaluator_.read(*givens[rank], key, true, entry);
        }
        given = true;
    }
    if (option.required && option.path != sources_.not_needed) {
        require(entry, given);
    }
    return entry;
}

void Loader::require(Settings::Entry& entry, bool given) {
    const Option& option = *entry.option;
    if (entry.broken) {
        return;
    }
    if (given) {
        if (is_empty(entry.value)) {
            entry.broken = true;
            errors_.add_missing(
                {entry.origin.text, std::string(option.path), "must not be empty", {}, {}});
        }
        return;
    }
    entry.broken = true;
    if (!file_readable_) {
        return;  // it may stand there
    }
    const auto names = variables(option);
    std::string either;
    for (const std::string& name : names) {
        either += (either.empty() ? "" : " or ") + name;
    }
    const std::string last =
        option.kind == OptionKind::secret
            ? fmt::format("or by the name of a file in {}{}", names.front(), kFileSuffix)
            : fmt::format("or by the flag --{}", option.path);
    const auto condition = option.required_with;
    errors_.add_missing(
        {sources_.file,
         std::string(option.path),
         requirement(option) + ", but not given",
         {},
         fmt::format("give {} in a configuration file, {} in the environment, {}{}", option.path,
                     either, last,
                     condition.empty() ? ""
                                       : fmt::format("; or choose another {}",
                                                     condition.substr(0, condition.find('='))))});
}

void Loader::require_with_choices() {
    for (Settings::Entry& entry : entries_) {
        const std::string_view condition = entry.option->required_with;
        if (!condition.empty() && applies(condition, entries_)) {
            require(entry, entry.origin.source != Origin::Source::fallback);
        }
    }
}

std::expected<Settings, Errors> Loader::finish() {
    if (sources_.conditional) {
        require_with_choices();
    }
    Settings settings(std::move(entries_));
    if (file_readable_) {
        for (const OptionTable& table : declarations_.tables()) {
            if (table.check != nullptr) {
                table.check(settings, errors_.contradictions());
            }
        }
    }
    Errors all = std::move(errors_).in_order(sources_.command_line.errors);
    if (!all.empty()) {
        return std::unexpected(std::move(all));
    }
    return settings;
}

}  // namespace

std::expected<Settings, Errors> load(const Declarations& declarations, const Sources& sources,
                                     Files& files) {
    return Loader(declarations, sources, files).load();
}

}  // namespace pgc
