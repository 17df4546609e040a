#include "format/registry/registry_client.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "config/text.h"

namespace pgc {
namespace {

using Is = RegistryAnswer::Is;
using What = RegistryRequest::What;

constexpr std::size_t kLevelsRemembered_max = 50'000;
constexpr std::size_t kShown_max = 8'000;  // bytes of a schema in an error

// What is missing, so that it can be registered out of the error.
Error not_registered(const Subject& subject, const SchemaText& schema, Error why) {
    std::string shown = schema.text;
    if (shown.size() > kShown_max) {
        shown.resize(valid_utf8_prefix(std::string_view{shown}.substr(0, kShown_max)));
        shown += "…";
    }
    why.what = fmt::format("a schema is not registered under the subject \"{}\": {}", subject.name,
                           why.what);
    why.hint =
        fmt::format("register it, or set format.registry.auto_register to true; type {}, schema {}",
                    name(schema.type), shown);
    return why;
}

}  // namespace

RegistryClient::RegistryClient(RegistryLine::Deps deps)
    : config_(deps.config),
      clock_(deps.clock),
      logger_(deps.logger),
      schemas_known_(deps.metrics.gauge(Metric::registry_schemas)),
      waiting_(deps.metrics.gauge(Metric::registry_waiting)),
      line_(std::move(deps)) {
    schemas_known_.set(0);
}

Result<SchemaAnswer> RegistryClient::look_up(const Subject& subject, const SchemaText& schema) {
    const std::string key = schema_key(subject, schema);
    if (const auto id = cache_.find(key)) return SchemaAnswer::known(*id);
    if (SchemaQuestion* const asked = question(key, subject, schema)) {
        asked->asked_for = clock_.now();
        const bool stands = asked->step == Step::refused;
        if (stands && asked->ask_again_at <= clock_.now()) begin(*asked);
    }
    act();
    if (const auto id = cache_.find(key)) return SchemaAnswer::known(*id);
    const auto found = schemas_.find(key);
    if (found == schemas_.end()) return SchemaAnswer::pending();
    if (auto error = std::move(found->second.error)) {
        schemas_.erase(found);
        return std::unexpected(std::move(*error));
    }
    const auto& refusal = found->second.refusal;
    if (found->second.step == Step::restore_level) return SchemaAnswer::pending();
    if (!refusal || config_.schema_change == SchemaChange::pause) return SchemaAnswer::pending();
    return SchemaAnswer::refused(*refusal);
}

std::string RegistryClient::waits_for() const {
    std::string of_line = line_.waits_for();
    const SchemaQuestion* const question = of_line.empty() ? paused() : nullptr;
    if (question == nullptr) return of_line;
    return "the schema registry to accept a schema: " + describe(*question->refusal);
}

// The line says the same while the registry does not answer.
void RegistryClient::note_pause() {
    const bool pauses = paused() != nullptr;
    if (pauses) waiting_.set(1);
    if (!pauses && pauses_ && line_.waits_for().empty()) waiting_.set(0);
    pauses_ = pauses;
}

// What the stream waits for the registry to accept, if it does.
const RegistryClient::SchemaQuestion* RegistryClient::paused() const {
    if (config_.schema_change != SchemaChange::pause) return nullptr;
    const auto found = std::ranges::find_if(
        schemas_, [](const auto& one) { return one.second.refusal.has_value(); });
    return found == schemas_.end() ? nullptr : &found->second;
}

// Null when it has to wait for its turn.
RegistryClient::SchemaQuestion* RegistryClient::question(const std::string& key,
                                                         const Subject& subject,
                                                         const SchemaText& schema) {
    if (const auto found = schemas_.find(key); found != schemas_.end()) return &found->second;
    if (full()) return nullptr;
    make_room();
    SchemaQuestion& made =
        schemas_.emplace(key, SchemaQuestion{.subject = subject, .schema = schema}).first->second;
    begin(made);
    return &made;
}

bool RegistryClient::full() const {
    const auto asked = [](const auto& one) { return one.second.ticket.has_value(); };
    return static_cast<std::size_t>(std::ranges::count_if(schemas_, asked) +
                                    std::ranges::count_if(versions_, asked)) >= kAsked_max;
}

void RegistryClient::make_room() {
    if (schemas_.size() < kRefusals_max) return;
    const auto idle =
        std::ranges::find_if(schemas_, [](const auto& one) { return !one.second.ticket; });
    if (idle != schemas_.end()) schemas_.erase(idle);
}

void RegistryClient::act() {
    line_.act();
    for (bool any = true; std::exchange(any, false);) {
        take_schemas(any);
        take_versions(any);
        if (any) line_.act();  // sends what follows
    }
    schemas_known_.set(static_cast<double>(cache_.size()));
    forget();
    note_pause();
}

void RegistryClient::take_schemas(bool& any) {
    for (auto one = schemas_.begin(); one != schemas_.end();) {
        SchemaQuestion& question = one->second;
        auto answer = question.ticket ? line_.take(*question.ticket) : std::nullopt;
        if (answer) {
            any = true;
            question.ticket.reset();
            if (advance(question, std::move(*answer))) {
                cache_.insert(one->first, question.id);
                one = schemas_.erase(one);
                continue;
            }
        }
        ++one;
    }
}

void RegistryClient::take_versions(bool& any) {
    for (auto& [subject, question] : versions_) {
        auto answer = question.ticket ? line_.take(*question.ticket) : std::nullopt;
        if (!answer) continue;
        any = true;
        question.ticket.reset();
        advance(subject, question, std::move(*answer));
    }
}

void RegistryClient::begin(SchemaQuestion& question) {
    question.level_is_late = question.conflicted = question.lowered = false;
    question.id = {};
    const bool sets = config_.auto_register &&
                      config_.level(question.subject.of) != Compatibility::unchanged &&
                      !levels_set_.contains(question.subject.name);
    ask(question, sets ? Step::set_level : Step::schema);
}

void RegistryClient::ask(SchemaQuestion& question, SchemaQuestion::Step step) {
    question.step = step;
    RegistryRequest request{.subject = question.subject.name};
    if (step == Step::schema) {
        request.what = config_.auto_register ? What::register_schema : What::find_schema;
        request.schema = question.schema;
        request.normalize = config_.normalize;
    } else if (step == Step::read_level) {
        request.what = What::get_level;
    } else if (step == Step::lower_level) {
        request.what = What::set_level;
        request.level = Compatibility::none;
    } else if (step == Step::restore_level) {
        const auto before = lowered_[question.subject.name].before;
        request.what = before ? What::set_level : What::unset_level;
        request.level = before.value_or(Compatibility::none);
    } else {
        request.what = What::set_level;
        request.level = config_.level(question.subject.of);
    }
    question.ticket = line_.ask(std::move(request));
}

bool RegistryClient::advance(SchemaQuestion& question, RegistryAnswer answer) {
    if (question.step == Step::restore_level) return level_restored(question, answer);
    if (answer.is == Is::denied) {
        if (question.lowered) level_stays(question, answer.error);
        question.error = std::move(answer.error);
        return false;
    }
    switch (question.step) {
        case Step::set_level:
        case Step::set_level_late: return level_set(question, std::move(answer));
        case Step::read_level: return level_read(question, std::move(answer));
        case Step::lower_level: return level_lowered(question, std::move(answer));
        case Step::restore_level:
        case Step::refused:
        case Step::schema: break;
    }
    if (answer.is == Is::ok) {
        question.id = answer.id;
        return !restores_level(question) && registered(question);
    }
    if (incompatible(question, answer)) return false;
    if (answer.is == Is::absent && !config_.auto_register) {
        answer.error = not_registered(question.subject, question.schema, std::move(answer.error));
    }
    refuse(question, std::move(answer.error));
    restores_level(question);
    return false;
}

bool RegistryClient::registered(SchemaQuestion& question) {
    if (!question.level_is_late) return known(question);
    ask(question, Step::set_level_late);
    return false;
}

// True when something is asked about it.
bool RegistryClient::incompatible(SchemaQuestion& question, const RegistryAnswer& answer) {
    if (answer.status != 409) return false;
    if (!std::exchange(question.conflicted, true)) {
        ask(question, Step::schema);
        return true;
    }
    const bool evolves = config_.schema_change == SchemaChange::evolve && config_.auto_register;
    if (!evolves || question.lowered) return false;
    question.conflict = answer.error;
    question.conflict.hint.clear();
    const auto level = config_.level(question.subject.of);
    if (lowered_.contains(question.subject.name)) {
        lower_level(question, lowered_[question.subject.name].before);
    } else if (level != Compatibility::unchanged) {
        lower_level(question, level);
    } else {
        ask(question, Step::read_level);
    }
    return true;
}

void RegistryClient::lower_level(SchemaQuestion& question, std::optional<Compatibility> before) {
    question.lowered = true;
    Lowered& lowered = lowered_[question.subject.name];
    if (lowered.questions++ == 0) lowered.before = before;
    // Whoever reads this may have to set it back: we may be killed in between.
    logger_.failure(LogLevel::warning,
                    fmt::format("setting the subject's compatibility level to NONE until the "
                                "schema is registered, for schema_change is evolve; it was {}",
                                before ? kCompatibilities.word(*before) : "that of all subjects"),
                    question.conflict);
    ask(question, Step::lower_level);
}

bool RegistryClient::level_read(SchemaQuestion& question, RegistryAnswer answer) {
    if (answer.is != Is::ok && answer.is != Is::absent) {
        refuse(question, std::move(answer.error));
        return false;
    }
    // What a registry calls NONE and refuses nevertheless has its level from all subjects'.
    const bool own = answer.is == Is::ok && answer.level != Compatibility::none;
    lower_level(question, own ? std::optional{answer.level} : std::nullopt);
    return false;
}

bool RegistryClient::level_lowered(SchemaQuestion& question, RegistryAnswer answer) {
    if (answer.is == Is::ok) {
        ask(question, Step::schema);
    } else {
        refuse(question, std::move(answer.error));
        restores_level(question);
    }
    return false;
}

// True when it is asked to be what it was; then what became of the schema waits for that.
bool RegistryClient::restores_level(SchemaQuestion& question) {
    if (!question.lowered) return false;
    const auto found = lowered_.find(question.subject.name);
    if (found == lowered_.end() || --found->second.questions > 0) return false;
    ask(question, Step::restore_level);
    return true;
}

bool RegistryClient::level_restored(SchemaQuestion& question, const RegistryAnswer& answer) {
    const auto lowered = lowered_.find(question.subject.name);
    if (lowered != lowered_.end() && lowered->second.questions > 0) {
        // Another one needed it NONE meanwhile, and sets it back.
    } else if (answer.is == Is::ok) {
        lowered_.erase(question.subject.name);
    } else {
        level_stays(question, answer.error);
    }
    if (question.id != SchemaId{}) return registered(question);
    question.step = Step::refused;
    return false;
}

void RegistryClient::level_stays(const SchemaQuestion& question, const Error& why) {
    lowered_.erase(question.subject.name);
    logger_.failure(LogLevel::warning, "the subject's compatibility level stays NONE", why);
}

bool RegistryClient::level_set(SchemaQuestion& question, RegistryAnswer answer) {
    const bool early = question.step == Step::set_level;
    if (answer.is == Is::absent && early) {
        question.level_is_late = true;
        ask(question, Step::schema);
        return false;
    }
    if (answer.is != Is::ok) {
        refuse(question, std::move(answer.error));
        return false;
    }
    if (levels_set_.size() >= kLevelsRemembered_max) levels_set_.clear();
    levels_set_.insert(question.subject.name);
    if (!early) return known(question);
    ask(question, Step::schema);
    return false;
}

void RegistryClient::refuse(SchemaQuestion& question, Error why) {
    question.step = Step::refused;
    if (config_.schema_change == SchemaChange::pause && !question.refusal) {
        logger_.failure(LogLevel::warning, "waiting until the schema registry accepts a schema",
                        why);
    }
    question.refusal = std::move(why);
    question.ask_again_at = clock_.now() + config_.backoff_max;
}

bool RegistryClient::known(SchemaQuestion& question) {
    if (question.refusal) {
        logger_.info("the schema registry accepts the schema now",
                     {{"subject", question.subject.name}});
    }
    logger_.debug("a schema is known to the registry",
                  {{"subject", question.subject.name}, {"id", question.id.value}});
    return true;
}

Result<std::optional<RegistryClient::Versions>> RegistryClient::versions(const Subject& subject) {
    auto found = versions_.find(subject.name);
    if (found == versions_.end()) {
        if (full()) {
            act();
            return std::nullopt;
        }
        found = versions_.emplace(subject.name, VersionsQuestion{}).first;
        found->second.ticket = line_.ask({.what = What::list_versions, .subject = subject.name});
    }
    VersionsQuestion& question = found->second;
    question.asked_for = clock_.now();
    act();
    if (!question.done && !question.error) return std::nullopt;
    VersionsQuestion ended = std::move(question);
    versions_.erase(found);
    if (ended.error) return std::unexpected(std::move(*ended.error));
    std::ranges::reverse(ended.read);
    return std::move(ended.read);
}

void RegistryClient::ask_for_version(const std::string& subject, VersionsQuestion& question) {
    if (question.left.empty() || question.read.size() >= kVersions_max ||
        question.bytes >= kVersionsBytes_max) {
        question.done = true;
        return;
    }
    question.ticket =
        line_.ask({.what = What::get_version, .subject = subject, .version = question.left.back()});
    question.left.pop_back();
}

void RegistryClient::advance(const std::string& subject, VersionsQuestion& question,
                             RegistryAnswer answer) {
    if (answer.is == Is::denied || answer.is == Is::refused) {
        question.error = std::move(answer.error);
        return;
    }
    // A version may go between the list and the look at it.
    if (answer.is == Is::ok && answer.schema.version == 0) {
        question.left = std::move(answer.versions);
    } else if (answer.is == Is::ok) {
        question.bytes += answer.schema.schema.text.size();
        question.read.push_back(std::move(answer.schema));
    }
    ask_for_version(subject, question);
}

void RegistryClient::forget() {
    const Instant now = clock_.now();
    const auto forgotten = [&](const auto& one) {
        if (now - one.second.asked_for < kForgotten_after) return false;
        if (one.second.ticket) line_.drop(*one.second.ticket);
        return true;
    };
    std::erase_if(schemas_, [&](const auto& one) {
        const bool owes_a_level = one.second.lowered && one.second.step != Step::refused;
        return !owes_a_level && forgotten(one);
    });
    std::erase_if(versions_, forgotten);
}

void RegistryClient::wants(Wants& wants) const {
    line_.wants(wants);
    const Instant now = clock_.now();
    for (const auto& [key, question] : schemas_) {
        const bool refused = question.step == Step::refused;
        if (refused && question.ask_again_at > now) wants.until(question.ask_again_at);
    }
}

}  // namespace pgc
