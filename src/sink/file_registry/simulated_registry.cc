#include "sink/file_registry/simulated_registry.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "sink/file_registry/faults.h"
#include "sink/file_registry/reload_rows.h"

namespace pgc {
namespace {

constexpr Duration kNoticeable = std::chrono::seconds{5};

using Pipeline = SimulatedRegistryServer::Pipeline;

void apply(std::vector<ReloadOperation>& to, ReloadOperation reload) {
    if (std::exchange(reload.is_new, false)) return to.push_back(std::move(reload));
    for (ReloadOperation& known : to) {
        if (is_over(known.state) || known.table != reload.table ||
            known.ordered_by != reload.ordered_by) {
            continue;
        }
        reload.requested_at = known.requested_at;
        reload.start_lsn = known.start_lsn;
        if (known.started_at != WallTime{}) reload.started_at = known.started_at;
        known = std::move(reload);
        return;
    }
}

void apply(Pipeline& to, RegistrySeal& seal) {
    for (const std::uint64_t id : seal.closed) {
        to.open.erase(id);
        to.content.last_id = std::max(to.content.last_id, id);
    }
    for (OpenFile& file : seal.open) {
        to.content.last_id = std::max(to.content.last_id, file.id);
        to.open.insert_or_assign(file.id, std::move(file));
    }
    for (CompleteFile& file : seal.complete) {
        to.paths.insert(file.path);
        to.complete.push_back(std::move(file));
    }
    for (ReloadOperation& reload : seal.reloads) apply(to.reloads, std::move(reload));
    for (DdlEvent& event : seal.ddl) to.ddl.push_back(std::move(event));
    for (auto& [table, folder] : seal.folders) to.folders[table] = std::move(folder);
    for (const auto& [table, mode] : seal.modes) to.modes[table] = mode;
    if (!seal.last_batch.empty()) to.content.last_batch = std::move(seal.last_batch);
    to.position = std::move(seal.position);
    ++to.content.seal;
}

// Two tables of one schema would have one folder (schema.cc).
bool folders_meet(const Pipeline& pipeline, const RegistrySeal& seal) {
    auto folders = pipeline.folders;
    for (const auto& [table, folder] : seal.folders) folders[table] = folder;
    std::set<std::pair<std::string, std::string>> seen;
    return std::ranges::any_of(folders, [&](const auto& one) {
        return !seen.emplace(one.first.schema, one.second).second;
    });
}

RegistryContent content_of(const Pipeline& from) {
    RegistryContent content = from.content;
    for (const auto& [id, file] : from.open) content.open.push_back(file);
    content.folders.assign(from.folders.begin(), from.folders.end());
    for (const auto& [table, mode] : from.modes) {
        if (mode != TableMode::streaming) content.modes.emplace_back(table, mode);
    }
    for (const ReloadOperation& reload : from.reloads) {
        if (is_over(reload.state)) continue;
        content.reloads.push_back(reload);
        content.reloads.back().started_at = {};
    }
    sort_reloads(content.reloads);
    return content;
}

Error lost() {
    return retry(Error::Category::connection, "the connection to the registry was lost");
}

}  // namespace

void SimulatedRegistryServer::remove() {
    exists = false;
    pipelines_.clear();
    on_their_way_.clear();
}

void SimulatedRegistryServer::take_over(const std::string& pipeline) {
    arrive();
    ++pipelines_[pipeline].generation;
}

const Pipeline& SimulatedRegistryServer::pipeline(const std::string& name) {
    arrive();
    return pipelines_[name];
}

// What has been sent by somebody who was fenced off meanwhile does nothing.
void SimulatedRegistryServer::arrive() {
    std::erase_if(on_their_way_, [&](OnItsWay& one) {
        if (one.arrives_at > clock_.now()) return false;
        Pipeline& pipeline = pipelines_[one.pipeline];
        const bool fenced =
            pipeline.generation != one.generation || pipeline.content.seal + 1 != one.number;
        const bool taken = std::ranges::any_of(one.seal.complete, [&](const CompleteFile& file) {
            return pipeline.paths.contains(file.path);
        });
        *one.outcome = fenced                             ? Outcome::fenced
                       : taken                            ? Outcome::path_is_taken
                       : folders_meet(pipeline, one.seal) ? Outcome::folder_is_taken
                                                          : Outcome::committed;
        if (*one.outcome == Outcome::committed) apply(pipeline, one.seal);
        return true;
    });
}

Instant SimulatedRegistryServer::answer_at() {
    const auto most = static_cast<std::uint64_t>(delay_max.count());
    return clock_.now() + Duration{static_cast<Duration::rep>(random_.below(most + 1))};
}

Result<std::optional<RegistryContent>> SimulatedFileRegistry::open() {
    if (state_ == State::idle) begin(State::opening, "open the registry");
    const auto there = answered(State::opening, "the registry is open");
    if (!there) return std::unexpected(there.error());
    if (!*there) return std::nullopt;
    if (!server_.exists) {
        missed_ = true;
        return RegistryContent{.missing = true};
    }
    return take_over();
}

RegistryContent SimulatedFileRegistry::take_over() {
    Pipeline& pipeline = server_.pipelines_[pipeline_];
    generation_ = ++pipeline.generation;
    number_ = pipeline.content.seal;
    position_ = pipeline.position;
    server_.take_step("after the registry is taken over");
    return content_of(pipeline);
}

Result<void> SimulatedFileRegistry::commit(const RegistrySeal& seal) {
    if (error_) return std::unexpected(*error_);
    if (generation_ == 0 || state_ != State::idle) return std::unexpected(registry_not_open());
    if (auto sound = require_sound(seal); !sound) return sound;
    begin(State::committing, "commit to the registry");
    seal_ = seal;
    outcome_ = std::make_shared<SimulatedRegistryServer::Outcome>();
    using Fault = SimulatedRegistryServer::Fault;
    const std::uint64_t chance = server_.random_.below(100);
    fault_ = chance < server_.lost_before_percent ? Fault::lost_before
             : chance < server_.lost_before_percent + server_.lost_after_percent ? Fault::lost_after
                                                                                 : Fault::none;
    if (server_.next_commit) fault_ = *std::exchange(server_.next_commit, std::nullopt);
    if (fault_ != Fault::lost_before && !server_.away()) {
        server_.on_their_way_.push_back({.arrives_at = answer_at_,
                                         .pipeline = pipeline_,
                                         .generation = generation_,
                                         .number = number_ + 1,
                                         .seal = seal,
                                         .outcome = outcome_});
    }
    return {};
}

void SimulatedFileRegistry::wants(Wants& wants) const {
    if (state_ != State::idle) wants.until(answer_at_);
}

std::string SimulatedFileRegistry::waits_for() const {
    if (state_ == State::idle || server_.clock_.now() - begun_at_ < kNoticeable) return {};
    return "the registry of files: no answer";
}

void SimulatedFileRegistry::begin(State state, const char* what) {
    assert(state_ == State::idle && "one at a time");
    server_.take_step(what);
    state_ = state;
    begun_at_ = server_.clock_.now();
    answer_at_ = server_.answer_at();
}

Result<bool> SimulatedFileRegistry::answered(State state, const char* what) {
    if (error_) return std::unexpected(*error_);
    if (state_ != state) return false;
    server_.take_step(what);
    if (server_.clock_.now() < answer_at_) return false;
    state_ = State::idle;
    server_.arrive();
    if (server_.away()) {
        Error error = retry(Error::Category::connection, "the registry of files can't be reached");
        return std::unexpected(state == State::committing ? failed(std::move(error)) : error);
    }
    return true;
}

Result<std::optional<PositionStore::Loaded>> SimulatedFileRegistry::load() {
    if (error_) return std::unexpected(*error_);
    Result<bool> idle = state_ != State::committing && state_ != State::opening;
    if (state_ == State::forgetting) idle = forgotten();
    if (state_ == State::creating) idle = created();
    if (!idle) return std::unexpected(idle.error());
    if (!*idle) return std::nullopt;
    if (generation_ != 0) return PositionStore::Loaded{.position = position_};
    return look();
}

Result<std::optional<PositionStore::Loaded>> SimulatedFileRegistry::look() {
    if (state_ == State::idle) begin(State::loading, "load the position");
    const auto there = answered(State::loading, "the position is loaded");
    if (!there) return std::unexpected(there.error());
    if (!*there) return std::nullopt;
    if (!server_.exists) return PositionStore::Loaded{.position = {}, .store_is_missing = true};
    if (missed_) return std::unexpected(failed(registry_is_fenced()));  // another one made it
    return PositionStore::Loaded{.position = server_.pipelines_[pipeline_].position};
}

Result<bool> SimulatedFileRegistry::created() {
    const auto there = answered(State::creating, "the registry is created");
    if (!there || !*there) return there;
    if (!server_.exists && !server_.may_be_made) {
        return std::unexpected(failed(registry_is_missing()));
    }
    server_.exists = true;
    if (missed_ && (take_over().seal != 0 || generation_ != 1)) {
        return std::unexpected(failed(registry_is_fenced()));
    }
    return true;
}

Result<void> SimulatedFileRegistry::Positions::save(const StoredPosition&) {
    return std::unexpected(registry_seals_positions());
}

Result<void> SimulatedFileRegistry::Positions::forget() {
    if (registry_.error_) return std::unexpected(*registry_.error_);
    registry_.begin(State::forgetting, "forget the position");
    return {};
}

Result<bool> SimulatedFileRegistry::saved() {
    if (error_) return std::unexpected(*error_);
    if (state_ == State::forgetting) return forgotten();
    return state_ == State::committing ? committed() : true;
}

Result<bool> SimulatedFileRegistry::forgotten() {
    const auto there = answered(State::forgetting, "the position is forgotten");
    if (!there || !*there) return there;
    Pipeline& pipeline = server_.pipelines_[pipeline_];
    pipeline.position.reset();
    pipeline.modes.clear();
    for (ReloadOperation& reload : pipeline.reloads) {
        if (!is_over(reload.state)) reload.state = ReloadState::failed;
    }
    ++pipeline.generation;
    generation_ = 0;
    return true;
}

Result<bool> SimulatedFileRegistry::committed() {
    const auto there = answered(State::committing, "committed to the registry");
    if (!there || !*there) return there;
    if (fault_ != SimulatedRegistryServer::Fault::none) {
        return std::unexpected(failed(lost()));
    }
    using Outcome = SimulatedRegistryServer::Outcome;
    if (*outcome_ == Outcome::fenced) return std::unexpected(failed(registry_is_fenced()));
    if (*outcome_ == Outcome::path_is_taken) return std::unexpected(failed(path_is_registered()));
    if (*outcome_ == Outcome::folder_is_taken) return std::unexpected(failed(folder_is_taken()));
    if (*outcome_ == Outcome::unknown) return std::unexpected(failed(lost()));
    ++number_;
    position_ = std::move(seal_.position);
    server_.take_step("after the registry has committed");
    return true;
}

Error SimulatedFileRegistry::failed(Error error) {
    error_ = std::move(error).at(where());
    return *error_;
}

}  // namespace pgc
