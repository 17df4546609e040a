#include "postgres/stream/side_queries.h"

#include <algorithm>
#include <limits>
#include <string_view>
#include <utility>

#include "postgres/catalog/table_facts.h"
#include "postgres/stream/statements.h"

namespace pgc {

SideQueries::SideQueries(Deps deps, std::unique_ptr<Link> sql, Instant now)
    : deps_(std::move(deps)),
      questions_(deps_.links, std::move(sql)),
      slot_due_(now),
      maintenance_(deps_.links, nullptr) {
    const PostgresConfig& config = deps_.config;
    if (config.heartbeat_interval > Duration{0} && !config.heartbeat_sql.empty()) {
        beat_due_ = now + config.heartbeat_interval;
    }
    // One that is not ours to alter may get tables all the same, whose rows are to be read.
    if ((config.manage_publication && deps_.plan.maintained) || config.snapshot.new_tables) {
        keeper_.emplace(config, deps_.plan.server_version, deps_.logger,
                        deps_.plan.publications.size() < 2);
        keep_again(now);
    }
    if (deps_.plan.text_for_now) reconsider_again(now, std::nullopt);
}

void SideQueries::keep_again(Instant now) noexcept {
    const Duration pause = deps_.config.tables_refresh;
    keep_due_ = pause > Duration{0} ? now + pause : kNever;
    if (std::exchange(keep_soon_, false)) keep_due_ = now;
}

void SideQueries::settle(const std::vector<std::string>& joined, Instant now) {
    if (!keeper_) return;
    keeper_->settle(joined);
    keep_soon_ = keeping_over_ != nullptr;
    keep_due_ = now;
}

void SideQueries::verify_start(Lsn from) noexcept {
    start_ = Start::unverified;
    from_ = from;
    asked_since_start_ = false;
}

void SideQueries::reselect() {
    if (!reselect_) reselect_ = reselection(deps_.assembler.wanted());
}

Result<void> SideQueries::step(Instant now) {
    if (auto done = do_maintenance(now); !done) return done;
    // An answer may bring the next question, so twice around at most.
    for (int round = 0; round < 2; ++round) {
        if (asked_ == Asked::nothing) ask(now);
        if (asked_ == Asked::nothing) return {};
        auto answer = questions_.step(now);
        if (!answer) return {};
        if (auto taken = take(std::move(*answer)); !taken) return taken;
    }
    return {};
}

void SideQueries::ask(Instant now) {
    if (start_ == Start::unverified) return ask_slot(now);
    auto question = deps_.relations.question();
    if (question && question->urgent) return ask_catalog(std::move(*question), now);
    if (reselect_) {
        asked_ = Asked::reselect;
        questions_.ask(reselect_->query, now);
    } else if (now >= slot_due_) {
        ask_slot(now);
    } else if (question) {
        ask_catalog(std::move(*question), now);
    }
}

void SideQueries::ask_slot(Instant now) {
    asked_ = Asked::slot;
    asked_since_start_ = start_ != Start::not_yet;
    slot_due_ = now + SlotHealth::kInterval;
    questions_.ask({.text = slot_health_query(deps_.plan.server_version),
                    .parameters = {deps_.plan.slot, deps_.plan.publications.front(),
                                   deps_.plan.publications.back()}},
                   now);
}

void SideQueries::ask_catalog(Relations::Question question, Instant now) {
    asked_ = Asked::catalog;
    questions_.ask({.text = table_facts_query(deps_.plan.server_version, question.unique_indexes),
                    .parameters = table_facts_parameters(question.relation, question.types,
                                                         deps_.plan.publications, question.schema)},
                   now);
    catalog_ = std::move(question);
}

Result<void> SideQueries::take(QueryRunner::Answer answer) {
    switch (std::exchange(asked_, Asked::nothing)) {
        case Asked::nothing: return {};
        case Asked::slot: return take_slot(std::move(answer));
        case Asked::catalog: return take_catalog(answer);
        case Asked::reselect: take_reselect(answer); return {};
    }
    return {};
}

Result<void> SideQueries::take_slot(QueryRunner::Answer answer) {
    auto health = answer ? read_slot_health(*answer)
                         : Result<SlotHealth>{std::unexpected(std::move(answer.error()))};
    if (!health) {
        const bool ends = health.error().category == Error::Category::connection &&
                          deps_.holds_slot && deps_.holds_slot();
        if (start_ == Start::unverified || ends) return std::unexpected(std::move(health.error()));
        deps_.logger.failure(LogLevel::warning, "the slot's health is not known", health.error());
        return {};
    }
    measure(*health);
    if (auto fine = judge(*health, deps_.plan, deps_.may_replace_slot); !fine) return fine;
    if (start_ == Start::unverified && asked_since_start_) {
        if (auto fine = judge_start(*health, deps_.plan, from_); !fine) return fine;
        start_ = Start::verified;
    }
    note_risk(*health);
    return {};
}

void SideQueries::measure(const SlotHealth& health) {
    server_end_ = std::max(server_end_, health.server_end);
    walsender_waits_for_ = health.walsender_waits_for;
    Metrics& metrics = deps_.metrics;
    metrics.gauge(Metric::slot_active).set(health.active ? 1 : 0);
    metrics.gauge(Metric::slot_retained_bytes).set(static_cast<double>(health.retained_bytes));
    metrics.gauge(Metric::slot_safe_bytes)
        .set(health.safe_wal_bytes ? static_cast<double>(*health.safe_wal_bytes)
                                   : std::numeric_limits<double>::quiet_NaN());
    for (const std::string_view status : {"reserved", "extended", "unreserved", "lost"}) {
        metrics.gauge(Metric::slot_wal_status, {status}).set(status == health.wal_status ? 1 : 0);
    }
}

void SideQueries::note_risk(const SlotHealth& health) {
    const SlotRisk risk = risk_of(health);
    if (risk != std::exchange(risk_, risk)) report(risk, health, deps_.logger);
}

Result<void> SideQueries::take_catalog(const QueryRunner::Answer& answer) {
    const Relations::Question question = *std::exchange(catalog_, std::nullopt);
    if (!answer) return std::unexpected(answer.error());
    const auto facts = read_table_facts(*answer);
    if (!facts) return std::unexpected(facts.error());
    return deps_.relations.answer(question, *facts);
}

void SideQueries::take_reselect(const QueryRunner::Answer& answer) {
    const Reselection asked = *std::exchange(reselect_, std::nullopt);
    if (!answer) {
        deps_.logger.failure(LogLevel::warning,
                             "values that the stream left out could not be fetched",
                             answer.error());
    }
    deps_.assembler.provide(answer ? reselected(asked, *answer) : Reselected{});
}

Result<void> SideQueries::do_maintenance(Instant now) {
    if (beating_) {
        if (const auto answer = maintenance_.step(now)) {
            beating_ = false;
            if (!*answer) {
                deps_.logger.failure(LogLevel::warning, "the heartbeat failed", answer->error());
            }
        }
    }
    if (keeping_over_ != nullptr || (maintenance_.free() && now >= keep_due_)) {
        if (auto kept = keep_publication(now); !kept) return kept;
    }
    if (choosing_over_ != nullptr || (maintenance_.free() && now >= reconsider_due_)) {
        if (auto done = reconsider_text(now); !done) return done;
    }
    if (maintenance_.free() && now >= beat_due_) beat(now);
    return {};
}

void SideQueries::reconsider_again(Instant now, std::optional<bool> broken) {
    const Duration pause = deps_.config.tables_refresh;
    reconsider_due_ =
        now + (pause > Duration{0} ? pause * kReconsidering : std::chrono::minutes{1});
    choosing_over_ = nullptr;
    if (broken) maintenance_.give_back(*broken);
}

// Binary is asked for when a stream begins, so it starts over.
Result<void> SideQueries::reconsider_text(Instant now) {
    if (choosing_over_ == nullptr) {
        const auto link = maintenance_.lend(now);
        if (!link) {
            reconsider_again(now, std::nullopt);
            return {};
        }
        if (*link == nullptr) return {};  // still connecting
        choosing_over_ = *link;
        choice_.emplace(deps_.plan.server_version, deps_.plan.publications);
        if (auto begun = choice_->begin(*choosing_over_); !begun) {
            reconsider_again(now, choosing_over_->sqlstate().empty());
            return {};
        }
    }
    const auto all = choice_->step(*choosing_over_);
    if (!all) {
        reconsider_again(now, choosing_over_->sqlstate().empty());
        deps_.logger.failure(LogLevel::warning, "the published types are not known", all.error());
        return {};
    }
    if (!*all) return {};
    reconsider_again(now, false);
    if (!**all || !deps_.text_ended || !deps_.text_ended()) return {};
    return std::unexpected(
        restart_with(
            Error::Category::server,
            "every published type has a binary form again: reconnecting to take values as that")
            .at("publication " + deps_.plan.publication));
}

void SideQueries::beat(Instant now) {
    beat_due_ = now + deps_.config.heartbeat_interval;
    beating_ = true;
    maintenance_.ask({.text = deps_.config.heartbeat_sql, .may_repeat = false}, now);
}

Result<void> SideQueries::keep_publication(Instant now) {
    if (keeping_over_ == nullptr) {
        const auto link = maintenance_.lend(now);
        if (!link) {
            keep_again(now);
            deps_.logger.failure(LogLevel::warning, "new tables can't be looked for", link.error());
            return {};
        }
        if (*link == nullptr) return {};  // still connecting
        keeping_over_ = *link;
        if (auto begun = keeper_->begin(*keeping_over_, false); !begun) {
            return publication_round_failed(begun.error(), now);
        }
    }
    const auto state = keeper_->step(*keeping_over_);
    if (!state) return publication_round_failed(state.error(), now);
    if (!*state) return {};
    keeping_over_ = nullptr;
    maintenance_.give_back(false);
    keep_again(now);
    if (deps_.on_tables) deps_.on_tables(**state);
    for (const std::string& table : (*state)->added) {
        deps_.logger.info("a table was added to the publication", {{"table", table}});
    }
    for (const std::string& table : (*state)->removed) {
        deps_.logger.info("a table left the publication", {{"table", table}});
    }
    return {};
}

Result<void> SideQueries::publication_round_failed(const Error& error, Instant now) {
    const bool broken = keeping_over_->sqlstate().empty();
    keeping_over_ = nullptr;
    maintenance_.give_back(broken);
    keep_again(now);
    deps_.logger.failure(LogLevel::warning, "the publication could not be updated", error);
    const bool anothers =
        error.category == Error::Category::configuration && error.next == Error::Next::stop;
    return anothers ? Result<void>{std::unexpected(error)} : Result<void>{};
}

void SideQueries::wants(Wants& wants) const {
    questions_.wants(wants);
    maintenance_.wants(wants);
    if (maintenance_.free() && !maintenance_.connecting()) {
        wants.until(beat_due_);
        wants.until(std::max(std::min(keep_due_, reconsider_due_), maintenance_.lends_at()));
    }
    if (asked_ != Asked::nothing) return;
    wants.until(slot_due_);
    if (reselect_ || deps_.relations.has_question()) wants.until(Instant{});
}

}  // namespace pgc
