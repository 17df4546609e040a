#include "sink/file_registry/position_store.h"

#include <fmt/format.h>

#include <cassert>
#include <utility>

#include "core/position_text.h"
#include "pgclient/quote.h"
#include "sink/file_registry/faults.h"
#include "sink/file_registry/schema.h"

namespace pgc {
namespace {

constexpr std::string_view kReset =
    "pg-capture position reset --yes, after which changes may be missing: the next start continues "
    "from the slot's position and, unless source.snapshot.mode is never, reads all tables again";

Error changed_meanwhile() {
    return retry(Error::Category::position,
                 "the position was not stored: somebody else has stored another one since");
}

}  // namespace

Result<std::optional<StoredPosition>> understood_position(const std::optional<std::string>& text,
                                                          const FileRegistryClient& client) {
    if (!text) return std::nullopt;
    auto position = read_position(*text);
    if (!position) {
        return std::unexpected(
            stop(Error::Category::position,
                 "the stored position can't be used: " + position.error())
                .at(client.where())
                .with_hint("restore this row of cdc_registry.pipeline; or " + std::string{kReset}));
    }
    const std::string& pipeline = client.config().pipeline;
    if (position->pipeline != pipeline) {
        return std::unexpected(
            registry_of_another(position->pipeline, pipeline)
                .at(client.where())
                .with_hint("find out who wrote it into our row; or " + std::string{kReset}));
    }
    return std::optional{std::move(*position)};
}

Result<Query> making_query(const FileRegistryClient& client) {
    if (!client.config().may_make) {
        return std::unexpected(registry_is_missing().at(client.where()));
    }
    return Query{.text = registry_statements(), .answer_max = std::chrono::seconds{60}};
}

Error making_refused(Error error, const FileRegistryClient& client) {
    if (error.category == Error::Category::permission) {
        error.hint =
            fmt::format("GRANT CREATE ON DATABASE {} TO {};", quote_name(client.config().database),
                        quote_name(client.config().role));
    }
    return error;
}

RegistryPositionStore::RegistryPositionStore(LinkFactory& links, FileRegistryConfig config,
                                             const Clock& clock)
    : own_client_(std::make_unique<FileRegistryClient>(links, std::move(config), clock)),
      client_(*own_client_) {}

Result<std::optional<PositionStore::Loaded>> RegistryPositionStore::load() {
    if (state_ == State::writing) {
        const auto done = go_on_writing();
        if (done && !*done) return std::nullopt;
        // How it went is what is looked for now.
    }
    refused_.reset();
    if (state_ == State::making) {
        const auto done = go_on_making();
        if (!done) return std::unexpected(done.error());
        if (!*done) return std::nullopt;
    }
    if (state_ == State::idle) enter(State::looking, look_query(client_.config().pipeline));
    return go_on_looking();
}

void RegistryPositionStore::create() {
    assert(state_ == State::idle && "one at a time");
    auto query = making_query(client_);
    if (!query) {
        state_ = State::making;
        not_allowed_ = std::move(query.error());
        return;
    }
    enter(State::making, std::move(*query));
}

Result<void> RegistryPositionStore::save(const StoredPosition& position) {
    assert(state_ == State::idle && "one at a time");
    refused_.reset();
    saving_ = true;
    enter(State::writing, save_query(position, look_.version));
    return {};
}

Result<void> RegistryPositionStore::forget() {
    assert(state_ == State::idle && "one at a time");
    refused_.reset();
    saving_ = false;
    enter(State::writing, forget_query(client_.config().pipeline));
    return {};
}

Result<bool> RegistryPositionStore::saved() {
    if (refused_) return std::unexpected(*refused_);
    return state_ != State::writing ? true : go_on_writing();
}

void RegistryPositionStore::wants(Wants& wants) const {
    if (not_allowed_) wants.until(Instant{});
    if (state_ != State::idle) client_.wants(wants);
}

void RegistryPositionStore::enter(State state, Query query) {
    state_ = state;
    client_.ask(std::move(query));
}

Result<bool> RegistryPositionStore::go_on_making() {
    if (not_allowed_) {
        state_ = State::idle;
        return std::unexpected(*std::exchange(not_allowed_, std::nullopt));
    }
    const auto made = client_.answer();
    if (!made) {
        state_ = State::idle;
        return std::unexpected(making_refused(made.error(), client_));
    }
    if (*made) state_ = State::idle;
    return made->has_value();
}

Result<std::optional<PositionStore::Loaded>> RegistryPositionStore::go_on_looking() {
    const auto rows = client_.answer();
    if (rows && !*rows) return std::nullopt;
    state_ = State::idle;
    look_ = {};
    if (!rows && client_.was_missing()) return Loaded{.position = {}, .store_is_missing = true};
    if (!rows) return std::unexpected(rows.error());
    auto look = read_look(**rows);
    if (!look) return std::unexpected(std::move(look.error()).at(where()));
    look_ = std::move(*look);
    if (look_.schema_version > kRegistryVersion) {
        return std::unexpected(
            registry_is_newer(look_.schema_version, kRegistryVersion).at(where()));
    }
    auto position = understood_position(look_.position, client_);
    if (!position) return std::unexpected(std::move(position.error()));
    return Loaded{.position = std::move(*position)};
}

Result<bool> RegistryPositionStore::go_on_writing() {
    auto rows = client_.answer();
    if (rows && !*rows) return false;
    state_ = State::idle;
    if (!rows) {
        refused_ = std::move(rows.error());
    } else if (saving_) {
        if ((*rows)->rows.empty()) {
            refused_ = changed_meanwhile().at(where());
        } else {
            const auto now = read_version(**rows);
            if (!now) return std::unexpected(now.error());
            look_.version = *now;
        }
    }
    if (refused_) return std::unexpected(*refused_);
    return true;
}

}  // namespace pgc
