#include "cli/position_access.h"

#include <fmt/core.h>

#include <utility>

#include "cli/instance.h"
#include "cli/position_store.h"
#include "postgres/setup/slot.h"
#include "postgres/slots/hold.h"

namespace pgc {
namespace {

Error stop_it_first(Error error) {
    error.next = Error::Next::stop;
    error.hint = "stop it first: a position is its own while it runs";
    return error;
}

// Who asks for a store by name gets it, whatever is made by itself.
PipelineSpec with_store(PipelineSpec spec) {
    if (spec.kafka) spec.kafka->topics.create = true;
    return spec;
}

}  // namespace

PositionAccess::PositionAccess(Deps& deps, const Program& program, std::string name,
                               SqlSession::Access access)
    : deps_(deps),
      program_(program),
      session_(deps, program, std::move(name), access),
      store_(make_position_store(with_store(session_.spec()), deps.files, deps.clock,
                                 session_.logger("pipeline"))) {}

Result<void> PositionAccess::require_nobody(const Standing& standing) {
    if (standing.slot && standing.slot->active) {
        return std::unexpected(stop_it_first(slot_in_use(*standing.slot)));
    }
    const auto instance = ask_instance(program_.settings, deps_.files, deps_.clock);
    if (!instance || instance->about.pipeline != pipeline()) return {};
    return std::unexpected(stop_it_first(
        stop(Error::Category::server, fmt::format("an instance of pipeline {} runs", pipeline()))
            .at("http.listen " + program_.settings.text("http.listen"))));
}

Result<void> PositionAccess::hold(const Standing& standing) {
    if (!standing.slot || !standing.sound()) return {};
    auto held =
        hold_slot(session_.config(), session_.links(), standing, deps_.clock, session_.waiter());
    if (!held) {
        const bool in_use = held.error().category == Error::Category::server;
        return std::unexpected(in_use ? stop_it_first(std::move(held.error()))
                                      : std::move(held.error()));
    }
    held_.emplace(std::move(*held));
    return {};
}

Result<Standing> PositionAccess::look() {
    return ask_standing(session_.config(), session_.links(), deps_.clock, session_.waiter());
}

Result<void> PositionAccess::release() {
    if (!held_) return {};
    const std::uint32_t pid = held_->link().backend_pid();
    held_.reset();
    const Instant until = deps_.clock.now() + kStore_max;
    for (;;) {
        const auto standing = look();
        if (!standing) return std::unexpected(standing.error());
        const auto& slot = standing->slot;
        if (!slot || !slot->active || slot->pid != pid || deps_.clock.now() >= until) return {};
        Wants wants;
        wants.until(deps_.clock.now() + std::chrono::milliseconds{20});
        session_.waiter().wait(wants);
    }
}

Result<PositionStore::Loaded> PositionAccess::load() {
    const Instant until = deps_.clock.now() + kStore_max;
    for (;;) {
        auto loaded = store_->load();
        if (!loaded) return std::unexpected(std::move(loaded.error()));
        if (*loaded) {
            if ((*loaded)->position && !(*loaded)->position->resume_at) (*loaded)->position.reset();
            return std::move(**loaded);
        }
        if (auto waited = wait(until); !waited) return std::unexpected(waited.error());
    }
}

Result<void> PositionAccess::create() {
    store_->create();
    const auto loaded = load();
    if (!loaded) return std::unexpected(loaded.error());
    return {};
}

Result<void> PositionAccess::save(const StoredPosition& position) {
    if (auto begun = store_->save(position); !begun) return begun;
    return wait_saved(deps_.clock.now() + kStore_max);
}

Result<void> PositionAccess::forget() {
    if (auto begun = store_->forget(); !begun) return begun;
    return wait_saved(deps_.clock.now() + kStore_max);
}

Result<void> PositionAccess::wait_saved(Instant until) {
    for (;;) {
        const auto saved = store_->saved();
        if (!saved) return std::unexpected(saved.error());
        if (*saved) return {};
        if (auto waited = wait(until); !waited) return waited;
    }
}

Result<void> PositionAccess::wait(Instant until) {
    if (deps_.clock.now() >= until) {
        return std::unexpected(
            stop(Error::Category::sink, "the store of positions does not answer")
                .at(store_->where())
                .with_hint("pg-capture check shows what is wrong with it; then try again"));
    }
    Wants wants;
    store_->wants(wants);
    wants.until(until);
    session_.waiter().wait(wants);
    return {};
}

}  // namespace pgc
