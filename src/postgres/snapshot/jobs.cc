#include "postgres/snapshot/jobs.h"

#include <algorithm>
#include <utility>

#include "core/name_pattern.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

constexpr std::string_view kJoinedPrefix = "new-";

}  // namespace

std::string joined_snapshot_id(WallTime now) {
    return std::string{kJoinedPrefix} + std::to_string(now.unix_us);
}

bool is_of_joined(const SnapshotJob& job) noexcept {
    return !job.messaged && job.request.id.starts_with(kJoinedPrefix);
}

SnapshotJobs::SnapshotJobs(SnapshotReports& reports, Logger logger)
    : reports_(reports), logger_(std::move(logger)) {}

Result<void> SnapshotJobs::restore(std::string_view progress) {
    auto jobs = read_progress(progress);
    if (!jobs) {
        return std::unexpected(
            stop(Error::Category::position,
                 "what is left of the snapshot can't be read: " + jobs.error())
                .with_hint(
                    "go back to the version that wrote it; or pg-capture position reset --yes, and "
                    "start again: the stream continues from the slot's position (nothing is lost: "
                    "it is never ahead of us) and all tables are read again"));
    }
    jobs_ = std::move(*jobs);
    ReloadChange restored{.step = ReloadChange::Step::restored};
    for (const SnapshotJob& job : jobs_) {
        if (job.request.reload) restored.left.push_back(job.request.id);
        if (job.begun || !job.done.empty() || !job.open.empty()) restored.half_read = true;
    }
    changes_.push_back(std::move(restored));
    for (const SnapshotJob& job : jobs_) {
        reports_.began(job.request.id);
        if (job.paused) reports_.waits(job.request.id, Reported::paused, "");
        logger_.info("snapshot begins", {{"id", job.request.id}, {"tables_done", job.done.size()}});
    }
    return {};
}

SnapshotJob* SnapshotJobs::find(std::string_view id) {
    const auto at =
        std::ranges::find_if(jobs_, [&](const SnapshotJob& job) { return job.request.id == id; });
    return at == jobs_.end() ? nullptr : &*at;
}

const SnapshotJob* SnapshotJobs::find(std::string_view id) const {
    const auto at =
        std::ranges::find_if(jobs_, [&](const SnapshotJob& job) { return job.request.id == id; });
    return at == jobs_.end() ? nullptr : &*at;
}

bool SnapshotJobs::may_start(const SnapshotRequest& request) {
    const auto messaged = std::ranges::count_if(jobs_, &SnapshotJob::messaged);
    const bool many = static_cast<std::size_t>(messaged) >= kMessaged_max;
    if (!many && request.id != kWholeSnapshotId) return true;
    if (!std::exchange(reported_many_, true)) {
        logger_.warning("a snapshot request in a message is refused",
                        {{"id", request.id},
                         {"why", many ? "as many snapshots as messages may request are under way"
                                      : "its id is that of the snapshot of everything"}});
    }
    return false;
}

bool SnapshotJobs::has_room(const SnapshotRequest& request) {
    // Thousands may be refused in a row, of one transaction.
    if (measured_at_ != revision_) {
        std::vector<SnapshotJob> jobs = jobs_;
        for (SnapshotJob& job : jobs) job.open.clear();
        measured_bytes_ = write_progress(jobs).size();
        measured_at_ = revision_;
    }
    return measured_bytes_ + write_progress({{.request = request}}).size() <= kRequestedBytes_max;
}

void SnapshotJobs::start(const SnapshotRequest& request, RequestedBy by, std::set<Oid> tables) {
    if (by == RequestedBy::message && !may_start(request)) return;
    const bool lawful = std::ranges::all_of(request.tables, [](const std::string& text) {
        return NamePattern::parse(text, 2).has_value();
    });
    reports_.began(request.id);
    if (!lawful || request.tables.empty()) {
        reports_.ended(request.id, Reported::failed, "tables are to be named as schema.table");
        return;
    }
    if (request.reload && !request.where.empty()) {
        reports_.ended(request.id, Reported::failed, "a reload is one of whole tables");
        return;
    }
    const bool many = by == RequestedBy::message && request.tables.size() > kTables_max;
    if (many || request.where.size() > kWhereBytes_max) {
        reports_.ended(request.id, Reported::failed,
                       "a message names 100 tables at most, and a condition has 10,000 bytes");
        return;
    }
    if (by != RequestedBy::ourselves && !has_room(request)) {
        reports_.ended(request.id, Reported::failed,
                       "too many snapshots are under way: request it again when some are over");
        if (!std::exchange(reported_many_, true)) {
            logger_.warning(
                "a snapshot request is refused: too many snapshots are under way",
                {{"id", request.id},
                 {"hint", "pg-capture snapshot list; request it again when some are over"}});
        }
        return;
    }
    jobs_.push_back(
        {.request = request, .messaged = by == RequestedBy::message, .pending = std::move(tables)});
    ++revision_;
    logger_.info("snapshot begins", {{"id", request.id}, {"tables", request.tables.front()}});
}

void SnapshotJobs::request(const SnapshotCommand& command, RequestedBy by, std::set<Oid> tables) {
    const std::string& id = command.request.id;
    if (command.verb == SnapshotCommand::Verb::start && by == RequestedBy::ourselves) {
        // A clock may show one moment twice, and another request is another one.
        SnapshotRequest ours = command.request;
        while (find(ours.id) != nullptr) ours.id += '.';
        if (is_snapshot_id(ours.id)) start(ours, by, std::move(tables));
        return;
    }
    if (command.verb == SnapshotCommand::Verb::start) {
        // The same request may come twice, from a log that is read again.
        if (find(id) == nullptr && is_snapshot_id(id))
            start(command.request, by, std::move(tables));
        return;
    }
    const auto targets = id.empty() ? requested(command.request) : std::vector<std::string>{id};
    for (const std::string& one : targets) change(one, command.verb, by);
    // An EXPORT_END comes after its reload as a rule.
    if (targets.empty() && !command.request.reload) {
        logger_.info("a snapshot request matches no snapshot");
    }
}

// Those under way that were requested: all, or those that name one of the request's tables; by a
// marker, those that one has ordered.
std::vector<std::string> SnapshotJobs::requested(const SnapshotRequest& request) const {
    std::vector<std::string> ids;
    for (const SnapshotJob& job : jobs_) {
        const auto named = [&](const std::string& table) {
            return std::ranges::find(job.request.tables, table) != job.request.tables.end();
        };
        const bool matches = request.tables.empty() || std::ranges::any_of(request.tables, named);
        const bool ordered_so = !request.reload || (job.messaged && job.request.reload &&
                                                    job.request.reload->by == request.reload->by);
        if (!job.all() && matches && ordered_so) ids.push_back(job.request.id);
    }
    return ids;
}

void SnapshotJobs::change(const std::string& id, SnapshotCommand::Verb verb, RequestedBy by) {
    SnapshotJob* job = find(id);
    if (job == nullptr) {
        if (by != RequestedBy::message || !std::exchange(reported_many_, true)) {
            logger_.warning("a request for a snapshot that is not under way", {{"id", id}});
        }
        return;
    }
    if (by == RequestedBy::message && !job->messaged) {
        if (!std::exchange(reported_many_, true)) {
            logger_.warning("a message can't change a snapshot that no message has requested",
                            {{"id", id}});
        }
        return;
    }
    switch (verb) {
        case SnapshotCommand::Verb::start: return;
        case SnapshotCommand::Verb::pause:
            job->paused = true;
            reports_.waits(id, Reported::paused, "");
            break;
        case SnapshotCommand::Verb::resume:
            job->paused = false;
            reports_.waits(id, Reported::waiting, "");
            break;
        case SnapshotCommand::Verb::cancel: end(id, Reported::cancelled, ""); return;
    }
    ++revision_;
    logger_.info("snapshot changed", {{"id", id}, {"paused", job->paused}});
}

void SnapshotJobs::end(const std::string& id, Reported state, std::string reason) {
    if (const SnapshotJob* job = find(id)) {
        for (const auto& [oid, open] : job->open) note_given_up(job->request, open);
        if (job->request.reload) {
            changes_.push_back({.step = ReloadChange::Step::over,
                                .id = id,
                                .order = *job->request.reload,
                                .why = state == Reported::cancelled ? "cancelled" : reason});
        }
    }
    std::erase_if(jobs_, [&](const SnapshotJob& job) { return job.request.id == id; });
    ++revision_;
    reported_many_ = false;
    const LogLevel level = state == Reported::failed ? LogLevel::error : LogLevel::info;
    logger_.write(level,
                  state == Reported::done        ? "snapshot is complete"
                  : state == Reported::cancelled ? "snapshot cancelled"
                                                 : "snapshot failed",
                  {{"id", id}, {"why", reason}});
    reports_.ended(id, state, std::move(reason));
}

void SnapshotJobs::note(ReloadChange::Step step, const SnapshotRequest& request,
                        const TableAddress& table) {
    if (!request.reload && step != ReloadChange::Step::voided) return;
    changes_.push_back({.step = step,
                        .id = request.id,
                        .order = request.reload.value_or(ReloadOrder{}),
                        .schema = table.schema,
                        .name = table.name});
}

void SnapshotJobs::note_given_up(const SnapshotRequest& request, const OpenTable& open) {
    if (!open.begun || open.name.empty()) return;
    note(ReloadChange::Step::voided, request,
         {.oid = open.shown, .schema = open.schema, .name = open.name});
}

bool SnapshotJobs::whole() const noexcept {
    return std::ranges::any_of(jobs_,
                               [](const SnapshotJob& job) { return job.all() && !job.paused; });
}

bool SnapshotJobs::all_paused() const noexcept {
    return std::ranges::all_of(jobs_, &SnapshotJob::paused);
}

}  // namespace pgc
