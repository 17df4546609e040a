#include "sink/file_registry/postgres_registry.h"

#include <cassert>
#include <chrono>
#include <utility>

#include "sink/file_registry/faults.h"
#include "sink/file_registry/schema.h"

namespace pgc {

PostgresFileRegistry::PostgresFileRegistry(LinkFactory& links, FileRegistryConfig config,
                                           const Clock& clock, Logger logger)
    : logger_(std::move(logger)),
      client_(links, std::move(config), clock),
      store_(client_),
      positions_(*this) {}

// What the store is busy with is waited for first: a position that is being forgotten.
Result<std::optional<RegistryContent>> PostgresFileRegistry::open() {
    if (error_) return std::unexpected(*error_);
    if (state_ == State::fresh) {
        const auto loaded = store_.load();
        if (!loaded) return std::unexpected(failed(loaded.error()));
        if (!*loaded) return std::nullopt;
        if ((*loaded)->store_is_missing) {
            state_ = State::missing;
            return RegistryContent{.missing = true};
        }
        if (auto begun = begin_taking_over(**loaded); !begun) return std::unexpected(begun.error());
    }
    const auto ready = go_on_taking_over();
    if (!ready) return std::unexpected(ready.error());
    if (!*ready) return std::nullopt;
    return std::move(content_);
}

Result<void> PostgresFileRegistry::begin_taking_over(const PositionStore::Loaded& loaded) {
    assert(!loaded.store_is_missing);
    if (store_.look().schema_version == kRegistryVersion) {
        ask(State::taking_over, take_over_query(client_.config().pipeline));
        return {};
    }
    auto query = making_query(client_);
    if (!query) return std::unexpected(failed(std::move(query.error())));
    logger_.info("the registry of files is brought up to date",
                 {{"from", store_.look().schema_version}, {"to", kRegistryVersion}});
    ask(State::updating, std::move(*query));
    return {};
}

Result<bool> PostgresFileRegistry::go_on_taking_over() {
    while (state_ == State::updating || state_ == State::taking_over || state_ == State::reading) {
        const auto rows = client_.answer();
        if (!rows) {
            return std::unexpected(failed(
                state_ == State::updating ? making_refused(rows.error(), client_) : rows.error()));
        }
        if (!*rows) return false;
        if (state_ == State::updating) {
            ask(State::taking_over, take_over_query(client_.config().pipeline));
            continue;
        }
        const auto taken = state_ == State::taking_over ? take_over(**rows) : take_content(**rows);
        if (!taken) return taken;
    }
    return true;
}

Result<bool> PostgresFileRegistry::take_over(const Rows& rows) {
    auto taken = read_take_over(rows);
    if (!taken) return std::unexpected(failed(std::move(taken.error())));
    auto position = understood_position(taken->position, client_);
    if (!position) return std::unexpected(failed(std::move(position.error())));
    version_ = taken->version;
    // Made by us a moment ago, and already somebody else's.
    if (created_ && version_ != RegistryVersion{.generation = 1, .seal = 0}) {
        return std::unexpected(failed(registry_is_fenced()));
    }
    position_ = std::move(*position);
    content_ = {.seal = version_.seal,
                .last_batch = std::move(taken->last_batch),
                .last_id = taken->last_id};
    ask(State::reading, content_query(client_.config().pipeline));
    return true;
}

Result<bool> PostgresFileRegistry::take_content(const Rows& rows) {
    const auto generation = read_content(rows, content_);
    if (!generation) return std::unexpected(failed(generation.error()));
    if (*generation != version_.generation) return std::unexpected(failed(registry_is_fenced()));
    state_ = State::ready;
    logger_.info("the registry of files is open", {{"where", where()},
                                                   {"generation", version_.generation},
                                                   {"seal", version_.seal},
                                                   {"open_files", content_.open.size()}});
    return true;
}

Result<void> PostgresFileRegistry::commit(const RegistrySeal& seal) {
    if (error_) return std::unexpected(*error_);
    if (state_ != State::ready) return std::unexpected(registry_not_open());
    if (auto sound = require_sound(seal); !sound) return sound;
    sealing_ = seal.position;
    ask(State::committing, commit_query(seal, client_.config().pipeline, version_));
    return {};
}

Result<bool> PostgresFileRegistry::saved() {
    if (error_) return std::unexpected(*error_);
    if (state_ == State::committing) return go_on_committing();
    return store_.saved();
}

Result<bool> PostgresFileRegistry::go_on_committing() {
    const auto rows = client_.answer();
    if (!rows) return std::unexpected(failed(rows.error()));
    if (!*rows) return false;
    if ((*rows)->rows.empty()) return std::unexpected(failed(registry_is_fenced()));
    ++version_.seal;
    position_ = std::exchange(sealing_, std::nullopt);
    state_ = State::ready;
    return true;
}

Result<std::optional<PositionStore::Loaded>> PostgresFileRegistry::load() {
    if (error_) return std::unexpected(*error_);
    if (state_ == State::ready) return PositionStore::Loaded{.position = position_};
    if (state_ == State::committing) return std::nullopt;
    if (state_ == State::fresh || state_ == State::missing) {
        auto loaded = store_.load();
        const bool found = loaded && *loaded && !(*loaded)->store_is_missing;
        if (state_ == State::fresh || !found) return loaded;
        // Somebody else has made it, since it was missing when we opened it.
        if (!created_) return std::unexpected(failed(registry_is_fenced()));
        if (auto begun = begin_taking_over(**loaded); !begun) return std::unexpected(begun.error());
    }
    if (!created_) return std::nullopt;  // open() goes on
    const auto ready = go_on_taking_over();
    if (!ready) return std::unexpected(ready.error());
    if (!*ready) return std::nullopt;
    return PositionStore::Loaded{.position = position_};
}

void PostgresFileRegistry::Positions::create() {
    registry_.created_ = registry_.state_ == State::missing;
    registry_.store_.create();
}

Result<void> PostgresFileRegistry::Positions::save(const StoredPosition&) {
    return std::unexpected(registry_seals_positions());
}

// Whoever has it open is fenced off by that; we, too.
Result<void> PostgresFileRegistry::Positions::forget() {
    if (registry_.error_) return std::unexpected(*registry_.error_);
    if (registry_.state_ == State::ready) registry_.state_ = State::fresh;
    return registry_.store_.forget();
}

void PostgresFileRegistry::wants(Wants& wants) const {
    if (error_) return;
    store_.idle() ? client_.wants(wants) : store_.wants(wants);
}

std::string PostgresFileRegistry::waits_for() const {
    const Duration waiting = client_.waiting();
    if (error_ || waiting < kNoticeable) return {};
    return "the registry of files: no answer for " +
           std::to_string(std::chrono::duration_cast<std::chrono::seconds>(waiting).count()) + " s";
}

void PostgresFileRegistry::ask(State state, Query query) {
    state_ = state;
    client_.ask(std::move(query));
}

Error PostgresFileRegistry::failed(Error error) {
    if (error.where.empty()) error.where = where();
    error_ = std::move(error);
    return *error_;
}

}  // namespace pgc
