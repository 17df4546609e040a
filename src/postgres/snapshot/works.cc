#include "postgres/snapshot/works.h"

#include <algorithm>
#include <utility>

#include "core/name_pattern.h"

namespace pgc {

using Reported = SnapshotReport::State;

namespace {

constexpr std::string_view kJoinedPrefix = "new-";

}  // namespace

std::string joined_snapshot_id(WallTime now) {
    return std::string{kJoinedPrefix} + std::to_string(now.unix_us);
}

bool is_of_joined(const SnapshotWork& work) noexcept {
    return !work.messaged && work.request.id.starts_with(kJoinedPrefix);
}

SnapshotWorks::SnapshotWorks(SnapshotReports& reports, Logger logger)
    : reports_(reports), logger_(std::move(logger)) {}

Result<void> SnapshotWorks::take_up(std::string_view progress) {
    auto works = read_progress(progress);
    if (!works) {
        return std::unexpected(
            stop(Error::Category::position,
                 "what is left of the snapshot can't be read: " + works.error())
                .mended_by(
                    "go back to the version that wrote it; or pg-capture position reset --yes, and "
                    "start again: the stream goes on from where the slot stands (nothing is lost: "
                    "it is never ahead of us) and all tables are read anew"));
    }
    works_ = std::move(*works);
    for (const SnapshotWork& work : works_) {
        reports_.began(work.request.id);
        if (work.paused) reports_.waits(work.request.id, Reported::paused, "");
        logger_.info("snapshot begins",
                     {{"id", work.request.id}, {"tables_done", work.done.size()}});
    }
    return {};
}

SnapshotWork* SnapshotWorks::find(std::string_view id) {
    const auto at = std::ranges::find_if(
        works_, [&](const SnapshotWork& work) { return work.request.id == id; });
    return at == works_.end() ? nullptr : &*at;
}

const SnapshotWork* SnapshotWorks::find(std::string_view id) const {
    const auto at = std::ranges::find_if(
        works_, [&](const SnapshotWork& work) { return work.request.id == id; });
    return at == works_.end() ? nullptr : &*at;
}

bool SnapshotWorks::may_start(const SnapshotRequest& request) {
    const auto messaged = std::ranges::count_if(works_, &SnapshotWork::messaged);
    const bool many = static_cast<std::size_t>(messaged) >= kMessaged_max;
    if (!many && request.id != kWholeSnapshotId) return true;
    if (!std::exchange(told_many_, true)) {
        logger_.warning("an order by a message is refused",
                        {{"id", request.id},
                         {"why", many ? "as many snapshots as messages may order are under way"
                                      : "its id is that of the snapshot of everything"}});
    }
    return false;
}

bool SnapshotWorks::has_room(const SnapshotRequest& request) {
    // Thousands may be refused in a row, of one transaction.
    if (measured_at_ != revision_) {
        std::vector<SnapshotWork> works = works_;
        for (SnapshotWork& work : works) work.open.clear();
        measured_bytes_ = write_progress(works).size();
        measured_at_ = revision_;
    }
    return measured_bytes_ + write_progress({{.request = request}}).size() <= kOrderedBytes_max;
}

void SnapshotWorks::start(const SnapshotRequest& request, OrderedBy by, std::set<Oid> tables) {
    if (by == OrderedBy::message && !may_start(request)) return;
    const bool lawful = std::ranges::all_of(request.tables, [](const std::string& text) {
        return NamePattern::parse(text, 2).has_value();
    });
    reports_.began(request.id);
    if (!lawful || request.tables.empty()) {
        reports_.ended(request.id, Reported::failed, "tables are to be named as schema.table");
        return;
    }
    const bool many = by == OrderedBy::message && request.tables.size() > kTables_max;
    if (many || request.where.size() > kWhereBytes_max) {
        reports_.ended(request.id, Reported::failed,
                       "a message names 100 tables at most, and a condition has 10,000 bytes");
        return;
    }
    if (by != OrderedBy::ourselves && !has_room(request)) {
        reports_.ended(request.id, Reported::failed,
                       "too many snapshots are under way: order it again when some are over");
        if (!std::exchange(told_many_, true)) {
            logger_.warning(
                "an order is refused: too many snapshots are under way",
                {{"id", request.id},
                 {"mend", "pg-capture snapshot list; order it again when some are over"}});
        }
        return;
    }
    works_.push_back(
        {.request = request, .messaged = by == OrderedBy::message, .meant = std::move(tables)});
    ++revision_;
    logger_.info("snapshot begins", {{"id", request.id}, {"tables", request.tables.front()}});
}

void SnapshotWorks::order(const SnapshotOrder& order, OrderedBy by, std::set<Oid> tables) {
    const std::string& id = order.request.id;
    if (order.command == SnapshotOrder::Command::start && by == OrderedBy::ourselves) {
        // A clock may show one moment twice, and another order is another one.
        SnapshotRequest ours = order.request;
        while (find(ours.id) != nullptr) ours.id += '.';
        if (is_snapshot_id(ours.id)) start(ours, by, std::move(tables));
        return;
    }
    if (order.command == SnapshotOrder::Command::start) {
        // The same order may come twice, from a log that is read again.
        if (find(id) == nullptr && is_snapshot_id(id)) start(order.request, by, std::move(tables));
        return;
    }
    const auto meant = id.empty() ? ordered(order.request) : std::vector<std::string>{id};
    for (const std::string& one : meant) change(one, order.command, by);
    if (meant.empty()) logger_.info("an order, but no snapshot that it could mean");
}

// Those under way that were ordered: all, or those that name one of the request's tables.
std::vector<std::string> SnapshotWorks::ordered(const SnapshotRequest& request) const {
    std::vector<std::string> ids;
    for (const SnapshotWork& work : works_) {
        const auto named = [&](const std::string& table) {
            return std::ranges::find(work.request.tables, table) != work.request.tables.end();
        };
        const bool is_meant = request.tables.empty() || std::ranges::any_of(request.tables, named);
        if (!work.all() && is_meant) ids.push_back(work.request.id);
    }
    return ids;
}

void SnapshotWorks::change(const std::string& id, SnapshotOrder::Command command, OrderedBy by) {
    using Command = SnapshotOrder::Command;
    SnapshotWork* work = find(id);
    if (work == nullptr) {
        if (by != OrderedBy::message || !std::exchange(told_many_, true)) {
            logger_.warning("an order for a snapshot that is not under way", {{"id", id}});
        }
        return;
    }
    if (by == OrderedBy::message && !work->messaged) {
        if (!std::exchange(told_many_, true)) {
            logger_.warning("a message can't change a snapshot that no message has ordered",
                            {{"id", id}});
        }
        return;
    }
    switch (command) {
        case Command::start: return;
        case Command::pause:
            work->paused = true;
            reports_.waits(id, Reported::paused, "");
            break;
        case Command::resume:
            work->paused = false;
            reports_.waits(id, Reported::waiting, "");
            break;
        case Command::cancel: end(id, Reported::cancelled, ""); return;
    }
    ++revision_;
    logger_.info("snapshot ordered", {{"id", id}, {"paused", work->paused}});
}

void SnapshotWorks::end(const std::string& id, Reported state, std::string reason) {
    std::erase_if(works_, [&](const SnapshotWork& work) { return work.request.id == id; });
    ++revision_;
    told_many_ = false;
    const LogLevel level = state == Reported::failed ? LogLevel::error : LogLevel::info;
    logger_.write(level,
                  state == Reported::done        ? "snapshot is complete"
                  : state == Reported::cancelled ? "snapshot cancelled"
                                                 : "snapshot failed",
                  {{"id", id}, {"why", reason}});
    reports_.ended(id, state, std::move(reason));
}

bool SnapshotWorks::whole() const noexcept {
    return std::ranges::any_of(works_,
                               [](const SnapshotWork& work) { return work.all() && !work.paused; });
}

bool SnapshotWorks::all_paused() const noexcept {
    return std::ranges::all_of(works_, &SnapshotWork::paused);
}

}  // namespace pgc
