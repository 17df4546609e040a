#include "postgres/stream/timeline_watch.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "pgclient/answer.h"
#include "postgres/setup/identity.h"
#include "postgres/stream/statements.h"

namespace pgc {

TimelineWatch::TimelineWatch(LinkFactory& links, Logger logger, const SourceIdentity& known)
    : logger_(std::move(logger)),
      slot_(known.slot),
      timeline_(known.timeline),
      questions_(links, nullptr, LinkFactory::Use::replication) {}

void TimelineWatch::stream_begins(Lsn from) noexcept {
    in_use_ = true;
    certain_ = std::max(certain_, from);
}

Result<void> TimelineWatch::step(Instant now) {
    while (!for_good_) {
        if (asked_ == Asked::nothing) {
            if (now < due_) return {};
            due_ = now + kEvery;
            asked_ = Asked::replayed;
            questions_.ask({.text = replayed_query(slot_, in_use_)}, now);
        }
        const auto answer = questions_.step(now);
        if (!answer) return {};
        if (std::exchange(asked_, Asked::nothing) == Asked::replayed) {
            take_replayed(*answer, now);
        } else if (auto same = take_timeline(*answer, now); !same) {
            return same;
        }
    }
    return {};
}

void TimelineWatch::take_replayed(const QueryRunner::Answer& answer, Instant now) {
    if (!answer) return not_known(answer.error(), now);
    if (answer->rows.empty()) {
        if (const auto link = questions_.lend(now); link && *link != nullptr) {
            questions_.give_back(true);
        }
        return not_known(retry(Error::Category::server,
                               "the server that answered is not the one we read from: the slot is "
                               "not there, or not in use"),
                         now);
    }
    Answer row{*answer};
    in_recovery_ = row.flag("in_recovery");
    replayed_ = row.lsn("replayed");  // none: it was no standby since its start
    if (!row.sound()) return not_known(strange_answer("how far a standby has got"), now);
    asked_ = Asked::timeline;
    // Over the same connection or not at all: another one may lead to another server.
    questions_.ask({.text = "IDENTIFY_SYSTEM", .may_repeat = false}, now);
}

Result<void> TimelineWatch::take_timeline(const QueryRunner::Answer& answer, Instant now) {
    SourceIdentity found;
    if (!answer) {
        not_known(answer.error(), now);
        return {};
    }
    if (auto read = read_system(*answer, found); !read) {
        not_known(read.error(), now);
        return {};
    }
    if (found.timeline == timeline_) {
        certain_ = std::max(certain_, replayed_);
        for_good_ = !in_recovery_;
        return {};
    }
    return std::unexpected(
        retry(Error::Category::server,
              fmt::format("the standby we follow has moved from timeline {} to {}: it, or the "
                          "server it follows, was promoted; reconnecting",
                          timeline_, found.timeline))
            .at("slot " + slot_));
}

void TimelineWatch::not_known(const Error& error, Instant now) {
    due_ = now + kPause;
    logger_.failure(LogLevel::warning,
                    "it is not known whether the standby is still on its timeline: until it is, no "
                    "further position is stored",
                    error);
}

std::optional<Lsn> TimelineWatch::certain_until() const noexcept {
    return for_good_ ? std::nullopt : std::optional{certain_};
}

void TimelineWatch::wants(Wants& wants) const {
    if (for_good_) return;
    questions_.wants(wants);
    if (asked_ == Asked::nothing) wants.until(due_);
}

}  // namespace pgc
