// Three steps: gather everything that was given, settle each option (the strongest
// value wins, the others are only checked), let the rooms look for contradictions.
#include "config/loader.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "config/convert.h"
#include "config/document.h"
#include "config/interpolation.h"
#include "config/nearest.h"

namespace pgc {
namespace {

constexpr std::string_view kPrefix = "PG_CAPTURE_";
constexpr std::string_view kFileSuffix = "_FILE";

// Weakest first.
enum class Rank : std::uint8_t { customary, file, short_variable, long_variable, flag };
constexpr std::size_t kRanks = 5;

// A value somebody gave, not yet read.
struct Given {
    enum class Form : std::uint8_t { node, text, file };
    Form form = Form::text;
    Origin origin;
    const Node* node = nullptr;
    std::string text;  // or the path of the file that holds it
};

class Loader {
public:
    Loader(const Declarations& declarations, const Sources& sources, Files& files)
        : declarations_(declarations), sources_(sources), files_(files) {}

    std::expected<Settings, Errors> load() {
        read_file();
        walk(root_, {});
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
    void walk(const Node& section, const std::string& prefix);
    void take_member(const std::string& path, const Node::Member& member);
    void read_variables();
    void read_variable(const Option& option, const std::string& name, Rank rank);
    void read_customary(const Option& option);
    void read_flag(const FlagValue& flag);
    void refuse_unknown_variables();
    Given& give(std::string_view path, Rank rank, Given given);

    // --- what comes of it ---
    Settings::Entry settle(const Option& option);
    std::optional<Settings::Value> evaluate(const Given& given, bool follow,
                                            Settings::Entry& entry);
    std::optional<Settings::Value> evaluate_text(const Given& given, bool follow,
                                                 Settings::Entry& entry);
    std::optional<Settings::Value> evaluate_node(const Given& given, bool follow,
                                                 Settings::Entry& entry);
    std::optional<Settings::Value> evaluate_file(const Given& given, Settings::Entry& entry);
    std::optional<std::string> follow_references(const std::vector<TextPart>& parts,
                                                 const Given& given, Place place,
                                                 Settings::Entry& entry);
    void note_references(std::string_view text, ReferenceStyle style);
    void require(Settings::Entry& entry, bool given);
    void require_with_choices();
    bool applies(std::string_view condition) const;
    std::expected<Settings, Errors> finish();

    void refuse(const Given& given, const Option& option, ValueProblem problem);
    void refuse_in_file(Place place, std::string key, std::string reason, std::string near = {});
    std::string place_in_file(Place place) const {
        return place.line == 0 ? sources_.file : fmt::format("{}:{}", sources_.file, place.line);
    }

    const Declarations& declarations_;
    const Sources& sources_;
    Files& files_;

    Node root_;
    bool file_readable_ = true;
    std::map<std::string_view, Givens> given_;
    std::set<std::string, std::less<>> known_variables_;  // declared or named by a reference
    std::vector<Settings::Entry> entries_;

    std::vector<std::pair<Place, ConfigError>> file_errors_;
    Errors flag_errors_;
    Errors variable_errors_;
    Errors missing_;
};

void Loader::refuse_in_file(Place place, std::string key, std::string reason, std::string near) {
    file_errors_.emplace_back(
        place,
        ConfigError{place_in_file(place), std::move(key), std::move(reason), std::move(near), {}});
}

void Loader::refuse(const Given& given, const Option& option, ValueProblem problem) {
    ConfigError error{given.origin.text,
                      std::string(option.path),
                      std::move(problem.reason),
                      std::move(problem.nearest),
                      {}};
    switch (given.origin.source) {
        case Origin::Source::file:
            error.where = place_in_file(problem.place);
            file_errors_.emplace_back(problem.place, std::move(error));
            break;
        case Origin::Source::flag: flag_errors_.add(std::move(error)); break;
        case Origin::Source::environment:
        case Origin::Source::fallback: variable_errors_.add(std::move(error)); break;
    }
}

void Loader::read_file() {
    root_.kind = Node::Kind::map;
    if (sources_.file.empty()) {
        return;
    }
    file_readable_ = false;
    const auto content = files_.read(sources_.file);
    if (!content) {
        refuse_in_file({}, {}, content.error().what);
        return;
    }
    if (!*content) {
        refuse_in_file({}, {}, "no such file");
        return;
    }
    auto parsed = parse_document(sources_.file, **content);
    if (!parsed) {
        const Place place = parsed.error().place;
        refuse_in_file(place, {}, parsed.error().reason);
        if (place.line > 0) {
            file_errors_.back().second.where += fmt::format(":{}", place.column);
        }
        return;
    }
    file_readable_ = true;
    root_ = std::move(*parsed);
    each_text(root_,
              [this](const Node& node) { note_references(node.text, ReferenceStyle::strict); });
}

Given& Loader::give(std::string_view path, Rank rank, Given given) {
    auto& slot = given_[path][static_cast<std::size_t>(rank)];
    slot = std::move(given);
    return *slot;
}

void Loader::walk(const Node& section, const std::string& prefix) {
    std::map<std::string_view, Place> seen;
    for (const Node::Member& member : section.members) {
        const std::string path = prefix + member.key;
        const auto [first, fresh] = seen.emplace(member.key, member.place);
        if (!fresh) {
            refuse_in_file(member.place, path,
                           fmt::format("given twice, first on line {}", first->second.line));
            continue;
        }
        take_member(path, member);
    }
}

void Loader::take_member(const std::string& path, const Node::Member& member) {
    if (const Option* option = declarations_.find(path)) {
        const auto& earlier = given_[option->path][static_cast<std::size_t>(Rank::file)];
        if (earlier) {
            refuse_in_file(member.place, path,
                           fmt::format("given twice, first at {}", earlier->origin.text));
            return;
        }
        give(option->path, Rank::file,
             {Given::Form::node,
              {Origin::Source::file, place_in_file(member.place)},
              &member.value,
              {}});
    } else if (declarations_.is_section(path)) {
        const Node::Kind kind = member.value.kind;
        if (kind == Node::Kind::map) {
            walk(member.value, path + ".");
        } else if (kind != Node::Kind::nothing) {
            refuse_in_file(member.place, path, "is a section, not a value");
        }
    } else {
        std::vector<std::string> candidates;
        for (const Option* candidate : declarations_.options()) {
            candidates.emplace_back(candidate->path);
            if (const auto dot = candidate->path.rfind('.'); dot != std::string_view::npos) {
                candidates.emplace_back(candidate->path.substr(0, dot));
            }
        }
        refuse_in_file(member.place, path, "unknown key", nearest(path, candidates));
    }
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

void Loader::read_variable(const Option& option, const std::string& name, Rank rank) {
    const std::string file_name = name + std::string(kFileSuffix);
    known_variables_.insert(name);
    known_variables_.insert(file_name);
    const auto direct = sources_.environment.find(name);
    const auto by_file = sources_.environment.find(file_name);
    const bool has_direct = direct != sources_.environment.end();
    const bool has_file = by_file != sources_.environment.end();
    if (has_file) {
        give(option.path, rank,
             {Given::Form::file,
              {Origin::Source::environment, "environment " + file_name},
              nullptr,
              by_file->second});
    }
    if (has_direct) {
        note_references(direct->second, ReferenceStyle::lenient);
        give(option.path, rank,
             {Given::Form::text,
              {Origin::Source::environment, "environment " + name},
              nullptr,
              direct->second});
    }
    if (has_direct && has_file) {
        variable_errors_.add({fmt::format("environment {}, environment {}", name, file_name),
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
    give(option.path, Rank::customary,
         {Given::Form::text,
          {Origin::Source::environment, fmt::format("environment {}", option.customary)},
          nullptr,
          found->second});
}

void Loader::read_flag(const FlagValue& flag) {
    const Option* option = declarations_.find(flag.path);
    if (option == nullptr) {
        flag_errors_.add({"flag " + flag.spelled, flag.path, "unknown key", {}, {}});
        return;
    }
    note_references(flag.text, ReferenceStyle::lenient);
    give(option->path, Rank::flag,
         {Given::Form::text, {Origin::Source::flag, "flag " + flag.spelled}, nullptr, flag.text});
}

void Loader::note_references(std::string_view text, ReferenceStyle style) {
    const auto parts = split_references(text, style);
    for (const TextPart& part : parts.value_or(std::vector<TextPart>{})) {
        if (part.kind == TextPart::Kind::variable) {
            known_variables_.insert(part.text);
        }
    }
}

void Loader::refuse_unknown_variables() {
    std::vector<std::string> candidates;
    for (const Option* option : declarations_.options()) {
        const std::string stem = long_variable(*option).substr(kPrefix.size());
        candidates.push_back(stem);
        candidates.push_back(stem + std::string(kFileSuffix));
    }
    for (const auto& [name, value] : sources_.environment) {
        if (!name.starts_with(kPrefix) || known_variables_.contains(name)) {
            continue;
        }
        const std::string stem = nearest(std::string_view(name).substr(kPrefix.size()), candidates);
        variable_errors_.add({"environment " + name,
                              {},
                              "unknown variable",
                              stem.empty() ? stem : std::string(kPrefix) + stem,
                              {}});
    }
}

std::optional<std::string> Loader::follow_references(const std::vector<TextPart>& parts,
                                                     const Given& given, Place place,
                                                     Settings::Entry& entry) {
    std::string whole;
    bool good = true;
    entry.secret_parts.clear();
    for (const TextPart& part : parts) {
        std::string text = part.text;
        std::string file;
        if (part.kind == TextPart::Kind::variable) {
            const auto found = sources_.environment.find(part.text);
            if (found == sources_.environment.end()) {
                refuse(given, *entry.option,
                       {place,
                        fmt::format("${{env:{0}}}: there is no variable {0} in the environment",
                                    part.text),
                        {}});
                good = false;
                continue;
            }
            text = found->second;
        } else if (part.kind == TextPart::Kind::file) {
            auto content = read_value_file(part.text, files_);
            if (!content) {
                refuse(
                    given, *entry.option,
                    {place, fmt::format("${{file:{}}}: {}", part.text, content.error().what), {}});
                good = false;
                continue;
            }
            file = part.text;
            text = std::move(*content);
        }
        whole += text;
        if (entry.option->kind == OptionKind::secret) {
            entry.secret_parts.push_back({file.empty() ? Secret(std::move(text)) : Secret{}, file});
        }
    }
    return good ? std::optional(std::move(whole)) : std::nullopt;
}

std::optional<Settings::Value> Loader::evaluate_text(const Given& given, bool follow,
                                                     Settings::Entry& entry) {
    const auto parts = split_references(given.text, ReferenceStyle::lenient);
    if (!parts) {
        refuse(given, *entry.option, {{}, parts.error(), {}});
        return std::nullopt;
    }
    const bool referenced = has_reference(*parts);
    if (referenced && !follow) {
        return std::nullopt;
    }
    const auto text = follow_references(*parts, given, {}, entry);
    if (!text) {
        return std::nullopt;
    }
    if (referenced) {
        entry.written = given.text;
    }
    ValueProblems problems;
    auto value = value_from_text(*entry.option, *text, given.text, {}, problems);
    for (ValueProblem& problem : problems) {
        refuse(given, *entry.option, std::move(problem));
    }
    return value;
}

std::optional<Settings::Value> Loader::evaluate_file(const Given& given, Settings::Entry& entry) {
    const auto content = read_value_file(given.text, files_);
    if (!content) {
        refuse(given, *entry.option, {{}, content.error().what, {}});
        return std::nullopt;
    }
    entry.written = "${file:" + given.text + "}";
    entry.secret_parts = {{Secret{}, given.text}};
    ValueProblems problems;
    auto value = value_from_text(*entry.option, *content, entry.written, {}, problems);
    for (ValueProblem& problem : problems) {
        refuse(given, *entry.option, std::move(problem));
    }
    return value;
}

std::optional<Settings::Value> Loader::evaluate_node(const Given& given, bool follow,
                                                     Settings::Entry& entry) {
    bool referenced = false;
    const Expander expand = [&](const std::string& text, Place place) -> std::optional<Expanded> {
        const auto parts = split_references(text, ReferenceStyle::strict);
        if (!parts) {
            refuse(given, *entry.option, {place, parts.error(), {}});
            return std::nullopt;
        }
        const bool here = has_reference(*parts);
        referenced = referenced || here;
        if (here && !follow) {
            return std::nullopt;
        }
        auto whole = follow_references(*parts, given, place, entry);
        if (!whole) {
            return std::nullopt;
        }
        return Expanded{std::move(*whole), here};
    };
    ValueProblems problems;
    auto value = value_from_node(*entry.option, *given.node, expand, problems);
    for (ValueProblem& problem : problems) {
        refuse(given, *entry.option, std::move(problem));
    }
    if (referenced) {
        entry.written = written_form(*given.node);
    }
    return value;
}

std::optional<Settings::Value> Loader::evaluate(const Given& given, bool follow,
                                                Settings::Entry& entry) {
    switch (given.form) {
        case Given::Form::node: return evaluate_node(given, follow, entry);
        case Given::Form::text: return evaluate_text(given, follow, entry);
        case Given::Form::file: return follow ? evaluate_file(given, entry) : std::nullopt;
    }
    return std::nullopt;
}

Settings::Value default_of(const Option& option) {
    ValueProblems problems;
    auto value = value_from_text(option, option.fallback, option.fallback, {}, problems);
    if (value) {
        return std::move(*value);
    }
    // A required one, which has no default; the value is never seen by the program.
    switch (option.kind) {
        case OptionKind::integer:
        case OptionKind::seconds:
        case OptionKind::milliseconds: return range(option).min > 0 ? range(option).min : 0;
        case OptionKind::boolean: return false;
        default: return std::string{};
    }
}

Settings::Entry Loader::settle(const Option& option) {
    Settings::Entry entry;
    entry.option = &option;
    entry.value = default_of(option);
    Givens& givens = given_[option.path];
    bool follow = true;
    for (std::size_t rank = kRanks; rank-- > 0;) {
        if (!givens[rank]) {
            continue;
        }
        const Given& given = *givens[rank];
        if (!follow) {
            Settings::Entry overruled;
            overruled.option = &option;
            (void)evaluate(given, follow, overruled);
            continue;
        }
        follow = false;
        entry.origin = given.origin;
        if (auto value = evaluate(given, true, entry)) {
            entry.value = std::move(*value);
        } else {
            entry.broken = true;
        }
    }
    if (option.required && option.path != sources_.not_needed) {
        require(entry, !follow);
    }
    return entry;
}

bool is_empty(const Settings::Value& value) {
    if (const auto* text = std::get_if<std::string>(&value)) {
        return text->empty();
    }
    if (const auto* list = std::get_if<Settings::List>(&value)) {
        return list->empty();
    }
    const auto* map = std::get_if<Settings::Map>(&value);
    return map != nullptr && map->empty();
}

void Loader::require(Settings::Entry& entry, bool given) {
    const Option& option = *entry.option;
    if (entry.broken) {
        return;
    }
    if (given) {
        if (is_empty(entry.value)) {
            entry.broken = true;
            missing_.add(
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
    missing_.add(
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

// Whether the choice that makes an option required was made.
bool Loader::applies(std::string_view condition) const {
    const auto equals = condition.find('=');
    const auto other =
        std::ranges::find(entries_, condition.substr(0, equals),
                          [](const Settings::Entry& entry) { return entry.option->path; });
    return other != entries_.end() && !other->broken &&
           value_to_text(other->value) == condition.substr(equals + 1);
}

void Loader::require_with_choices() {
    for (Settings::Entry& entry : entries_) {
        const std::string_view condition = entry.option->required_with;
        if (!condition.empty() && applies(condition)) {
            require(entry, entry.origin.source != Origin::Source::fallback);
        }
    }
}

std::expected<Settings, Errors> Loader::finish() {
    if (sources_.conditional) {
        require_with_choices();
    }
    Errors all = sources_.command_line.errors;
    all.append(flag_errors_);
    std::ranges::stable_sort(file_errors_, [](const auto& a, const auto& b) {
        return std::pair(a.first.line, a.first.column) < std::pair(b.first.line, b.first.column);
    });
    for (auto& [place, error] : file_errors_) {
        all.add(std::move(error));
    }
    all.append(variable_errors_);
    all.append(missing_);
    Settings settings(std::move(entries_));
    if (file_readable_) {
        for (const OptionTable& table : declarations_.tables()) {
            if (table.check != nullptr) {
                table.check(settings, all);
            }
        }
    }
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
