#include "pipeline/start_guard.h"

#include <fmt/core.h>

#include <algorithm>
#include <cassert>
#include <utility>

namespace pgc {
namespace {

// Each way in which stored position and source don't fit together.
class Guard {
public:
    Guard(const StoredPosition& stored, const SourceIdentity& source, const StoreWords& store)
        : stored_(stored), source_(source), store_(store) {}

    std::optional<Error> objection() const {
        if (auto error = other_place()) return error;
        if (auto error = diverged()) return error;
        if (auto error = lost_log()) return error;
        return moved_slot();
    }

private:
    Error refuse(std::string what) const {
        return stop(Error::Category::position, std::move(what))
            .at(fmt::format("slot {}, stored position {} in {}", source_.slot,
                            to_string(stored_.resume_at), store_.where));
    }
    std::string accept_gap() const {
        return fmt::format(
            "pg-capture position reset --yes, and start again: {} and, unless "
            "source.snapshot.mode is never, all tables are read again; rows that were deleted in "
            "between are not reported. source.snapshot.mode when_needed does so by itself{}",
            source_.slot_is_gone ? "a new slot is made"
                                 : "the stream continues from the slot's position",
            source_.slot_is_gone
                ? ""
                : "; if the changes in between can be done without (or were taken over by other "
                  "means), pg-capture adopt --no-snapshot after the reset");
    }

    std::optional<Error> other_place() const {
        const auto differs = [&](std::string_view what, std::string_view was,
                                 std::string_view is) -> std::optional<Error> {
            if (was == is) return std::nullopt;
            return refuse(fmt::format("the stored position belongs to {} {}, not to {}", what, was,
                                      is))
                .with_hint(fmt::format(
                    "connect to the {} it belongs to, or give this pipeline another name; or, if "
                    "further changes from there may be lost, pg-capture position reset --yes",
                    what));
        };
        if (auto e = differs("database system", stored_.system, source_.system)) return e;
        if (auto e = differs("database", stored_.database, source_.database)) return e;
        return differs("slot", stored_.slot, source_.slot);
    }

    std::optional<Error> diverged() const {
        if (source_.timeline == stored_.timeline) return std::nullopt;
        const auto left =
            std::ranges::find(source_.history, stored_.timeline, &TimelineSwitch::timeline);
        if (source_.timeline < stored_.timeline || left == source_.history.end()) {
            return refuse(fmt::format("the server is on timeline {}, which does not descend from "
                                      "ours, {}",
                                      source_.timeline, stored_.timeline))
                .with_hint("capture from the server that continued it, or reload the tables; " +
                           accept_gap());
        }
        if (left->at >= stored_.reach()) return std::nullopt;
        return refuse(fmt::format("the server left our timeline {} at {}, before our position: "
                                  "changes we have sent do not exist there",
                                  stored_.timeline, to_string(left->at)))
            .with_hint("compare the tables with the destination, or reload them; " + accept_gap());
    }

    std::optional<Error> lost_log() const {
        if (stored_.reach() <= source_.server_end) return std::nullopt;
        return refuse(fmt::format("the server's WAL ends at {}, before our position: it was "
                                  "restored to an earlier state",
                                  to_string(source_.server_end)))
            .with_hint("compare the tables with the destination, or reload them; " + accept_gap());
    }

    std::optional<Error> moved_slot() const {
        if (source_.slot_is_gone) {
            return refuse(
                       "the slot is gone, though we have read from it: what was committed since "
                       "was not kept for us")
                .with_hint("reload the tables; " + accept_gap());
        }
        if (source_.slot_is_new) {
            return refuse(
                       "the slot was gone and had to be created again: what was committed in "
                       "between was not kept for us")
                .with_hint("reload the tables; " + accept_gap());
        }
        if (stored_.resume_at >= source_.slot_confirmed) return std::nullopt;
        return refuse(fmt::format("the slot is at {}, ahead of our position: somebody else read "
                                  "from it, moved it or re-created it",
                                  to_string(source_.slot_confirmed)))
            .with_hint(
                "find out who uses the slot (each pipeline needs its own) and reload the tables; " +
                accept_gap());
    }

    const StoredPosition& stored_;
    const SourceIdentity& source_;
    const StoreWords& store_;
};

Error store_is_missing(const SourceIdentity& source, const StoreWords& store) {
    return stop(Error::Category::position,
                "the slot is there, but the store of positions is missing: if we have read from "
                "the slot before, changes that were never delivered can't be distinguished from "
                "delivered ones")
        .at(fmt::format("slot {} at {}, no {}", source.slot, to_string(source.slot_confirmed),
                        store.where))
        .with_hint(
            "pg-capture adopt, if nobody but this pipeline has ever read from the slot: it creates "
            "the store and stores the slot's position; the next start continues from there and "
            "reads all tables again, or not (--no-snapshot)");
}

StoredPosition position_at(std::string_view pipeline, const SourceIdentity& source, Lsn at) {
    return {.pipeline = std::string{pipeline},
            .system = source.system,
            .timeline = source.timeline,
            .database = source.database,
            .slot = source.slot,
            .resume_at = at};
}

}  // namespace

bool belongs_elsewhere(const StoredPosition& stored, const SourceIdentity& source) noexcept {
    return stored.system != source.system || stored.database != source.database;
}

Result<StartPlan> plan_start(std::string_view pipeline, const PositionStore::Loaded& loaded,
                             const SourceIdentity& source, const StoreWords& store) {
    using Because = StartPlan::Because;
    const auto& stored = loaded.position;
    if (loaded.store_is_missing) {
        assert(!stored && !source.slot_is_new && "no slot is created before the store");
        if (!source.slot_is_gone) return std::unexpected(store_is_missing(source, store));
        return StartPlan{.from = {}, .because = Because::no_store, .store_first = {}};
    }
    if (!stored) {
        assert(!source.slot_is_gone && "without a position a missing slot is created");
        return StartPlan{.from = source.slot_confirmed,
                         .because = source.slot_is_new ? Because::new_slot : Because::foreign_slot,
                         .store_first = position_at(pipeline, source, source.slot_confirmed)};
    }
    if (auto error = Guard{*stored, source, store}.objection()) {
        return std::unexpected(std::move(*error));
    }
    StartPlan plan{.from = stored->resume_at,
                   .within = stored->within,
                   .because = Because::stored,
                   .store_first = {}};
    const bool counts = source.publication.empty() || stored->publication == source.publication;
    if (plan.within != Position{} && !counts) {
        plan.within = {};
        plan.comes_again = true;
    }
    if (stored->timeline != source.timeline) plan.because = Because::promoted;
    if (plan.because == Because::promoted || plan.comes_again) {
        plan.store_first = position_at(pipeline, source, stored->resume_at);
        plan.store_first->within = plan.within;
    }
    return plan;
}

}  // namespace pgc
