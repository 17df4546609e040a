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

// Forgets one of `all` that is not being asked about, where there are too many.
void make_room(auto& all) {
    if (all.size() < RegistryClient::kRefusals_max) return;
    const auto idle = std::ranges::find_if(all, [](const auto& one) { return !one.second.ticket; });
    if (idle != all.end()) all.erase(idle);
}

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
    const SchemaQuestion& asked = found->second;
    const bool stands = asked.refusal && asked.step != Step::restore_level && !pauses();
    SchemaAnswer answer = stands ? SchemaAnswer::refused(*asked.refusal) : SchemaAnswer::pending();
    answer.refusals = asked.refusals;
    return answer;
}

// Its answer is still waited for where the level is not what it was.
void RegistryClient::drop(const Subject& subject, const SchemaText& schema) {
    const auto found = schemas_.find(schema_key(subject, schema));
    if (found == schemas_.end()) return;
    SchemaQuestion& question = found->second;
    question.refusal.reset();
    if (question.lowered && question.step != Step::refused) return;
    if (question.ticket) line_.drop(*question.ticket);
    schemas_.erase(found);
}

std::string RegistryClient::waits_for() const {
    std::string of_line = line_.waits_for();
    const Pause pause = of_line.empty() ? paused() : Pause{};
    if (pause.refusal == nullptr) return of_line;
    return fmt::format("the schema registry to {}: {}", pause.until, describe(*pause.refusal));
}

// The line says the same while the registry does not answer.
void RegistryClient::note_pause() {
    const bool paused = this->paused().refusal != nullptr;
    if (paused) waiting_.set(1);
    if (!paused && paused_ && line_.waits_for().empty()) waiting_.set(0);
    paused_ = paused;
}

auto RegistryClient::paused() const -> Pause {
    if (!pauses()) return {};
    const auto refused = [](const auto& one) { return one.second.refusal.has_value(); };
    if (const auto schema = std::ranges::find_if(schemas_, refused); schema != schemas_.end()) {
        return {"accept a schema", &*schema->second.refusal};
    }
    if (const auto asked = std::ranges::find_if(versions_, refused); asked != versions_.end()) {
        return {"show which schemas it has", &*asked->second.refusal};
    }
    return {};
}

// Null when it has to wait for its turn.
RegistryClient::SchemaQuestion* RegistryClient::question(const std::string& key,
                                                         const Subject& subject,
                                                         const SchemaText& schema) {
    if (const auto found = schemas_.find(key); found != schemas_.end()) return &found->second;
    if (full()) return nullptr;
    make_room(schemas_);
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
    if (pauses() && !question.refusal) {
        logger_.failure(LogLevel::warning, "waiting until the schema registry accepts a schema",
                        why);
    }
    question.refusal = std::move(why);
    ++question.refusals;
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
        make_room(versions_);
        found = versions_.emplace(subject.name, VersionsQuestion{}).first;
        list_versions(found->first, found->second);
    }
    VersionsQuestion& question = found->second;
    question.asked_for = clock_.now();
    const bool stands = question.refusal && !question.ticket;
    if (stands && question.ask_again_at <= clock_.now()) list_versions(subject.name, question);
    act();
    if (question.done || question.error) {
        VersionsQuestion ended = std::move(question);
        versions_.erase(found);
        if (ended.error) return std::unexpected(std::move(*ended.error));
        std::ranges::reverse(ended.read);
        return std::move(ended.read);
    }
    if (!question.refusal || pauses()) return std::nullopt;
    return std::unexpected(*question.refusal);
}

void RegistryClient::list_versions(const std::string& subject, VersionsQuestion& question) {
    question.left.clear();
    question.read.clear();
    question.bytes = 0;
    question.ticket = line_.ask({.what = What::list_versions, .subject = subject});
}

void RegistryClient::ask_for_version(const std::string& subject, VersionsQuestion& question) {
    if (question.left.empty() || question.read.size() >= kVersions_max ||
        question.bytes >= kVersionsBytes_max) {
        question.done = true;
        if (std::exchange(question.refusal, std::nullopt)) {
            logger_.info("the schema registry shows now which schemas it has",
                         {{"subject", subject}});
        }
        return;
    }
    question.ticket =
        line_.ask({.what = What::get_version, .subject = subject, .version = question.left.back()});
    question.left.pop_back();
}

void RegistryClient::advance(const std::string& subject, VersionsQuestion& question,
                             RegistryAnswer answer) {
    if (answer.is == Is::refused) return refuse(question, std::move(answer.error));
    if (answer.is == Is::denied) {
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

void RegistryClient::refuse(VersionsQuestion& question, Error why) {
    if (pauses() && !question.refusal) {
        logger_.failure(LogLevel::warning,
                        "waiting until the schema registry shows which schemas it has", why);
    }
    question.refusal = std::move(why);
    question.ask_again_at = clock_.now() + config_.backoff_max;
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
    for (const auto& [subject, question] : versions_) {
        const bool refused = question.refusal && !question.ticket;
        if (refused && question.ask_again_at > now) wants.until(question.ask_again_at);
    }
}

}  // namespace pgc
