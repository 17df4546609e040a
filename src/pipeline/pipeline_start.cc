// How a pipeline begins an attempt: what is stored and what the source finds are compared
// (start_guard.h), the first position is stored, and only then the stream is started.
#include "pipeline/pipeline.h"

#include <utility>

#include "pipeline/snapshot_choice.h"

namespace pgc {
namespace {

// Without a place to resume at it is none: older versions stored an intention before there was
// a slot.
std::optional<StoredPosition> known_position(const PositionStore::Loaded& loaded) {
    if (!loaded.position || !loaded.position->resume_at) return std::nullopt;
    return loaded.position;
}

}  // namespace

Result<Pipeline::Turn> Pipeline::connect() {
    if (!source_) {
        if (auto made = make_sink(); !made) return std::unexpected(std::move(made.error()));
        const auto known = look_up_position();
        if (!known) return std::unexpected(known.error());
        if (!*known) return wait_for_store();
        if (auto made = make_source(); !made) return std::unexpected(std::move(made.error()));
        deps_.status.waits_for(WaitsOn::source, "PostgreSQL");
    }
    const auto opened = source_->open();
    if (!opened) return std::unexpected(opened.error());
    if (!*opened) return Turn::wait;
    enter(State::guarding);
    return Turn::again;
}

// A store may still be busy with a position of the attempt before.
Result<Pipeline::Turn> Pipeline::guard() {
    if (!plan_) {
        const auto opened = open_sink();
        if (!opened) return std::unexpected(opened.error());
        if (!*opened) return Turn::wait;
        const auto idle = store().saved();
        if (!idle) return std::unexpected(idle.error());
        if (!*idle) return wait_for_store();
        const auto newest = is_newest();
        if (!newest) return std::unexpected(newest.error());
        if (!*newest) return wait_for_store();
        if (!**newest) {
            return begin_anew(retry(Error::Category::position,
                                    "the stored position was moved while we waited for the slot")
                                  .at(store().where()));
        }
        auto plan = decide();
        if (!plan) return std::unexpected(std::move(plan.error()));
        if (plan->because == StartPlan::Because::no_store) {
            store().create();
            return begin_anew(retry(Error::Category::position,
                                    "the store of positions is missing, though it was created")
                                  .at(store().where()));
        }
        if (auto planned = plan_snapshot(*plan); !planned) {
            return std::unexpected(std::move(planned.error()));
        }
        plan_ = std::move(*plan);
        started_before_ = true;
    }
    const auto stored = checkpoint(Checkpoint::Urgency::forced);
    if (!stored) return std::unexpected(stored.error());
    if (checkpoint_.saving()) return wait_for_store();
    // Meanwhile somebody may have moved the slot: look again, with the position stored. Once, for
    // with a store that is slow to read it is no better then; what is missed so is found when the
    // stream begins.
    if (!began_anew_ && deps_.clock.now() - entered_ > kIdentity_max) {
        began_anew_ = true;
        begin_attempt();
        return Turn::again;
    }
    if (auto started = start(); !started) return std::unexpected(std::move(started.error()));
    enter(State::streaming);
    return Turn::again;
}

// Whoever held the slot until now may have stored more since we looked: another place, or a
// snapshot that is left to be read. Nobody stores any more now that the slot was seen free. Nothing
// while the store is busy.
Result<std::optional<bool>> Pipeline::is_newest() const {
    const auto newest = store().load();
    if (!newest) return std::unexpected(newest.error());
    if (!*newest) return std::nullopt;
    return std::optional{(*newest)->store_is_missing == loaded_->store_is_missing &&
                         known_position(**newest) == loaded_->position};
}

// False while the store is busy.
Result<bool> Pipeline::look_up_position() {
    if (loaded_) return true;
    auto loaded = store().load();
    if (!loaded) return std::unexpected(std::move(loaded.error()));
    if (!*loaded) return false;
    loaded_ = std::move(**loaded);
    loaded_->position = known_position(*loaded_);
    return true;
}

Result<void> Pipeline::make_source() {
    const bool again = options_.snapshot == SnapshotMode::when_needed;
    const auto& position = loaded_->position;
    slots_ = std::make_shared<RelationSlots>();
    auto source = deps_.parts.make_source(
        {.may_create_slot = (!position || again) && !loaded_->store_is_missing,
         .may_replace_slot = again,
         .home = position ? std::optional{SourceHome{position->system, position->database}}
                          : std::nullopt,
         .snapshot = options_.snapshot != SnapshotMode::never,
         .slots = slots_});
    if (!source) return std::unexpected(std::move(source.error()));
    source_ = std::move(*source);
    pipeline_metrics_.source_made();
    return {};
}

Result<StartPlan> Pipeline::decide() {
    auto planned =
        plan_start(options_.name, *loaded_, source_->identity(), {.where = store().where()});
    return planned ? planned : start_over(std::move(planned.error()));
}

void Pipeline::log_start(const StartPlan& plan) const {
    using Because = StartPlan::Because;
    const SourceIdentity& identity = source_->identity();
    switch (plan.because) {
        case Because::new_slot:
            deps_.log.info("starting with a new slot",
                           {{"slot", identity.slot}, {"from", plan.from}});
            break;
        case Because::foreign_slot:
            deps_.log.warning(
                snapshot_.empty()
                    ? "the slot is there, but no position is stored: streaming from the slot's "
                      "position; rows that are in the tables already are not sent"
                    : "the slot is there, but no position is stored: streaming from the slot's "
                      "position, and a snapshot of all captured tables follows",
                {{"slot", identity.slot}, {"from", plan.from}, {"position_in", store().where()}});
            break;
        case Because::promoted:
            deps_.log.info("the server was promoted and continues our timeline",
                           {{"timeline", identity.timeline}, {"from", plan.from}});
            break;
        case Because::stored:
            deps_.log.info("continuing from the stored position", {{"from", plan.from}});
            break;
        case Because::no_store: break;
    }
    if (plan.comes_again) {
        deps_.log.warning(
            "the publication is another than when a transaction was delivered in part: all of that "
            "transaction comes again",
            {{"publication", identity.publication}, {"from", plan.from}});
    }
}

// The position can't be used: a snapshot instead, if that is what the user wants then. Not at
// another place: a host or database was mistaken for ours, and its rows are others.
Result<StartPlan> Pipeline::start_over(Error refusal) {
    if (options_.snapshot != SnapshotMode::when_needed || !loaded_->position ||
        belongs_elsewhere(*loaded_->position, source_->identity())) {
        return std::unexpected(std::move(refusal));
    }
    deps_.log.failure(LogLevel::error,
                      "the stored position can't be used: changes were missed, and a snapshot of "
                      "everything follows",
                      refusal);
    pipeline_metrics_.failed(refusal);
    return plan_start(options_.name, {}, source_->identity(), {});
}

Result<void> Pipeline::plan_snapshot(const StartPlan& plan) {
    const auto& stored = loaded_->position;
    const std::string left = stored ? stored->snapshot : std::string{};
    snapshot_ =
        snapshot_to_read(options_.snapshot,
                         {.because = plan.because, .left = left, .first_start = !started_before_});
    log_start(plan);
    StoredPosition position = plan.store_first ? *plan.store_first : *stored;
    position.snapshot = snapshot_;
    position.publication = source_->identity().publication;
    // What it knows now is stored before anything can happen to it.
    const std::string known = stored ? stored->memory : std::string{};
    source_->recall(known);
    position.memory = source_->memory();
    const bool store_now =
        plan.store_first.has_value() || snapshot_ != left || position.memory != known;
    const bool seals = sink_->positions() != nullptr;
    return checkpoint_.begin({.store = store(), .seals = seals ? sink_.get() : nullptr}, position,
                             store_now);
}

Result<void> Pipeline::start() {
    auto format = deps_.parts.make_format(source_->identity());
    if (!format) return std::unexpected(std::move(format.error()));
    auto transforms = deps_.parts.make_transforms(slots_);
    if (!transforms) return std::unexpected(std::move(transforms.error()));
    auto partition_keys = deps_.parts.make_partition_keys();
    if (!partition_keys) return std::unexpected(std::move(partition_keys.error()));
    if (auto started = source_->start(plan_->from, snapshot_); !started) return started;
    flow_ = std::make_unique<Flow>(
        Flow::Parts{.source = std::move(source_),
                    .transforms = std::move(*transforms),
                    .encoder = {std::move(*format), std::move(*partition_keys)},
                    .sink = std::move(sink_)},
        plan_->point(), options_.flow, deps_.clock, pool_, pipeline_metrics_);
    flow_->confirm(checkpoint_.safe(), false);
    (void)checkpoint_.confirm(Checkpoint::Urgency::forced);  // that was it
    progress_reported_ = false;
    return {};
}

}  // namespace pgc
