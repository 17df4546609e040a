#include "postgres/setup/slot_claim.h"

#include <utility>

#include "pgclient/answer.h"
#include "postgres/setup/statements.h"

namespace pgc {
namespace {

constexpr Duration kClaimPatience = std::chrono::seconds{60};
// A reader that is just leaving needs a moment; one that stays is somebody else.
constexpr Duration kLeavingPatience = std::chrono::seconds{3};
constexpr Duration kEndedPatience = std::chrono::seconds{15};
constexpr Duration kPoll = std::chrono::milliseconds{100};

}  // namespace

SlotClaim::SlotClaim(Terms terms, Link& sql, Link& replication, Logger logger)
    : terms_(std::move(terms)), sql_(sql), replication_(replication), logger_(std::move(logger)) {}

Result<void> SlotClaim::begin(Instant now) {
    const auto asked =
        ask(sql_, slots_query(terms_.server_version, terms_.slot), State::asking, now);
    return asked ? Result<void>{} : std::unexpected(asked.error());
}

Result<bool> SlotClaim::step(Instant now) {
    while (true) {
        if (state_ == State::waiting) {
            if (now < poll_at_) return false;
            if (auto asked = begin(now); !asked) return std::unexpected(asked.error());
        }
        auto rows = asked().result();
        if (!rows) return std::unexpected(std::move(rows.error()));
        if (!*rows) return false;
        auto settled = take(**rows, now);
        if (!settled || *settled) return settled;
    }
}

Result<bool> SlotClaim::take(const Rows& rows, Instant now) {
    switch (state_) {
        case State::asking: return take_slot(rows, now);
        case State::ending_reader: take_ended(rows, now); return false;
        case State::dropping:
        case State::altering:
        case State::waiting: break;
    }
    if (auto asked = begin(now); !asked) return std::unexpected(asked.error());
    return false;
}

Result<bool> SlotClaim::ask(Link& link, const std::string& command, State state, Instant now) {
    if (auto sent = link.send(command); !sent) return std::unexpected(std::move(sent.error()));
    state_ = state;
    deadline_ = now + kClaimPatience;
    return false;
}

Result<bool> SlotClaim::take_slot(const Rows& rows, Instant now) {
    auto slots = read_slots(rows);
    if (!slots) return std::unexpected(std::move(slots.error()));
    slot_.reset();
    if (slots->empty()) return true;
    slot_ = std::move(slots->front());
    if (auto sound = require_sound(*slot_, terms_.database, terms_.standby); !sound) {
        const bool given_up = slot_->here && !slot_->active &&
                              (slot_->wal_status == "lost" || !slot_->invalid.empty());
        if (terms_.may_replace && given_up) return replace(sound.error(), now);
        return std::unexpected(std::move(sound.error()));
    }
    if (slot_->active) return slot_is_active(now);
    if (terms_.two_phase) {
        if (!slot_->two_phase && !terms_.look_only) {
            logger_.info("two_phase of the slot is turned on", {{"slot", terms_.slot}});
        }
        return true;
    }
    if (sends_prepared(*slot_, terms_.server_version)) return turn_off_two_phase(now);
    return true;
}

Result<bool> SlotClaim::replace(const Error& why, Instant now) {
    logger_.failure(LogLevel::error,
                    "the slot can't be used: it is dropped, and a snapshot follows", why);
    return ask(sql_, drop_slot_query(terms_.slot), State::dropping, now);
}

// It was made by somebody else, or with source.two_phase.
Result<bool> SlotClaim::turn_off_two_phase(Instant now) {
    if (terms_.look_only || terms_.server_version < kAlterTwoPhaseSince) {
        return std::unexpected(two_phase_refused(*slot_));
    }
    logger_.warning(
        "two_phase of the slot is turned off: transactions are sent when they commit, those that "
        "are prepared now too",
        {{"slot", terms_.slot}});
    return ask(replication_, turn_off_two_phase_command(terms_.slot), State::altering, now);
}

Result<bool> SlotClaim::slot_is_active(Instant now) {
    if (!give_up_at_) give_up_at_ = now + kLeavingPatience;
    if (terms_.look_only || now >= *give_up_at_) return std::unexpected(slot_in_use(*slot_));
    if (!ended_reader_ && slot_->pid != 0) {
        return ask(sql_, end_stale_reader_query(slot_->pid), State::ending_reader, now);
    }
    wait(now);
    return false;
}

void SlotClaim::take_ended(const Rows& rows, Instant now) {
    if (!rows.rows.empty() && Answer{rows}.flag("ended")) {
        ended_reader_ = true;
        give_up_at_ = now + kEndedPatience;
        logger_.info("ended a session of ours that still held the slot",
                     {{"slot", terms_.slot}, {"pid", slot_->pid}});
    }
    wait(now);
}

void SlotClaim::wait(Instant now) {
    state_ = State::waiting;
    poll_at_ = now + kPoll;
    deadline_ = now + kClaimPatience;
}

void SlotClaim::wants(Wants& wants) const {
    if (state_ == State::waiting) {
        wants.until(poll_at_);
        return;
    }
    const Link& link = asked();
    wants.interests.push_back({link.fd(), true, link.wants_to_write()});
}

}  // namespace pgc
