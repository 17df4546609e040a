#include "postgres/snapshot/group_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "pgclient/quote.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

constexpr std::size_t kOpenShown_max = 8;

// Why a table is not read.
constexpr std::string_view kNotMeant = "the filters don't include it any more";
constexpr std::string_view kIsPart =
    "it has become a part of another table since its reload was ordered";

}  // namespace

GroupTables::GroupTables(SnapshotJobs& jobs, SnapshotReports& reports, const Relations& relations,
                         Logger logger)
    : jobs_(jobs), reports_(reports), relations_(relations), logger_(std::move(logger)) {}

void GroupTables::begin(const std::vector<SnapshotTable>& tables,
                        const std::function<bool(const SnapshotJob&)>& may_read, bool apart,
                        Lsn as_of) {
    remember(jobs_.all());
    apart_ = apart;
    as_of_ = as_of;
    blocked_.clear();
    sent_of_.clear();
    half_done_.clear();
    if (apart) {
        drop_renamed(tables);
        note_begun(tables);
    }
    sent_.clear();
    tables_.clear();
    begun_.clear();
    for (SnapshotJob& job : jobs_.all()) {
        if (may_read(job) && add(job, tables)) begun_.push_back(job.request.id);
    }
}

// False: a table of it is another job's in this group.
bool GroupTables::add(SnapshotJob& job, const std::vector<SnapshotTable>& tables) {
    std::uint64_t expected = 0;
    std::uint64_t added = 0;
    bool whole = true;
    std::set<Oid> taken;
    std::string waits_for;
    const TableFilter named = tables_named(job.request);
    std::set<Oid> taken_apart;  // what is shown as these
    for (const TableJob& table_job : tables_) {
        taken.insert(table_job.table->table().address.oid);
        if (apart_) taken_apart.insert(table_job.table->table().shown.oid);
    }
    const std::set<Oid> parts = parts_of(job, named, tables);
    for (const SnapshotTable& table : tables) {
        if (job.done.contains(table.address.oid)) {
            if (job.all()) sent_.insert(table.shown.oid);
            continue;
        }
        if (!covers(job, named, table)) continue;
        const bool means = relations_.selects(table.shown.schema, table.shown.name, table.above);
        if (!means || parts.contains(table.shown.oid)) {
            forget(job, table, means ? kIsPart : kNotMeant);
            continue;
        }
        // From now on it is this table, not whichever is called like it when its turn comes.
        if (!job.all() && job.pending.insert(table.address.oid).second) jobs_.changed();
        const std::string* other = half_done_by_another(table.shown.oid, job.request.id);
        if (other != nullptr) {
            waits_for = fmt::format("snapshot {}, which has begun {}.{}", *other,
                                    table.shown.schema, table.shown.name);
        }
        if (other != nullptr || taken.contains(table.address.oid) ||
            taken_apart.contains(table.shown.oid)) {
            whole = false;
            continue;
        }
        const auto open = job.open.find(table.address.oid);
        if (job.all() && open != job.open.end() && open->second.begun) {
            sent_.insert(table.shown.oid);
        }
        tables_.push_back(
            {.job_id = job.request.id,
             .table = std::make_shared<TableCopyState>(
                 table, job.request.where,
                 open == job.open.end() ? std::nullopt : std::optional{open->second})});
        tables_.back().table->place = tables_.size() - 1;
        expected += tables_.back().table->rows_expected();
        ++added;
    }
    reports_.tables(job.request.id, added, expected);
    if (added == 0 && !waits_for.empty()) {
        blocked_.push_back(job.request.id);
        reports_.waits(job.request.id, Reported::waiting, waits_for);
        return whole;
    }
    reports_.waits(job.request.id, Reported::reading, "");
    return whole;
}

// A reload of what is shown as these would be one of a part of a table, and be taken for all of it.
std::set<Oid> GroupTables::parts_of(const SnapshotJob& job, const TableFilter& named,
                                    const std::vector<SnapshotTable>& tables) const {
    if (!job.request.reload) return {};
    std::set<Oid> parts = partly_covered(job, named, tables);
    std::erase_if(parts, [&](Oid shown) { return is_begun(job.request.id, shown); });
    return parts;
}

// Rows of it were sent under a name that it does not have any more, or that is another table's by
// now: where rows are kept by name that is half a table for ever. It is read again as a whole.
void GroupTables::drop_renamed(const std::vector<SnapshotTable>& tables) {
    std::map<Oid, const TableAddress*> shown_as;
    for (const SnapshotTable& table : tables) shown_as.emplace(table.shown.oid, &table.shown);
    for (SnapshotJob& job : jobs_.all()) {
        std::set<Oid> renamed;
        for (const auto& [oid, open] : job.open) {
            if (!open.begun || open.name.empty()) continue;
            const auto now = shown_as.find(open.shown);
            const bool same = now != shown_as.end() && now->second->schema == open.schema &&
                              now->second->name == open.name;
            if (same || !renamed.insert(open.shown).second) continue;
            ended_.push_back(
                {.id = job.request.id, .schema = open.schema, .name = open.name, .relation = {}});
            logger_.info(
                "a table that was half read is not what it was called: what was read is "
                "given up",
                {{"id", job.request.id}, {"table", quote_name(open.schema, open.name)}});
        }
        if (renamed.empty()) continue;
        std::erase_if(job.open,
                      [&](const auto& one) { return renamed.contains(one.second.shown); });
        for (const SnapshotTable& table : tables) {
            if (!renamed.contains(table.shown.oid)) continue;
            if (job.done.erase(table.address.oid) > 0 && !job.all()) {
                job.pending.insert(table.address.oid);
            }
        }
        jobs_.changed();
    }
}

// Two snapshots of a table at a time are one file where rows are kept apart from the stream: the
// end of the one would be the end of the other.
void GroupTables::note_begun(const std::vector<SnapshotTable>& tables) {
    for (const SnapshotJob& job : jobs_.all()) {
        const TableFilter named = tables_named(job.request);
        std::set<Oid> begun;
        std::set<Oid> left;
        for (const SnapshotTable& table : tables) {
            const auto open = job.open.find(table.address.oid);
            const bool done = job.done.contains(table.address.oid);
            if (done || (open != job.open.end() && open->second.begun)) {
                begun.insert(table.shown.oid);
            }
            if (!done && covers(job, named, table)) left.insert(table.shown.oid);
        }
        std::ranges::set_intersection(
            begun, left,
            std::inserter(half_done_[job.request.id], half_done_[job.request.id].end()));
        sent_of_[job.request.id] = std::move(begun);
    }
}

// Nobody waits for what it has begun itself.
const std::string* GroupTables::half_done_by_another(Oid shown, const std::string& job) const {
    const std::string* other = nullptr;
    for (const auto& [id, tables] : half_done_) {
        if (!tables.contains(shown)) continue;
        if (id == job) return nullptr;
        other = &id;
    }
    return other;
}

void GroupTables::begins(const TableCopyState& table) {
    const SnapshotJob* job = jobs_.find(job_of(table));
    if (job == nullptr || table.state() != TableCopyState::State::unopened) return;
    const TableAddress& shown = table.table().shown;
    if (apart_ && !is_begun(job->request.id, shown.oid)) {
        jobs_.note(ReloadChange::Step::voided, job->request, shown);
    }
    jobs_.note(ReloadChange::Step::begun, job->request, shown);
}

// Rows of what is shown as this table may have been sent for the job.
bool GroupTables::is_begun(const std::string& job, Oid shown) const {
    const auto before = sent_of_.find(job);
    if (before != sent_of_.end() && before->second.contains(shown)) return true;
    return std::ranges::any_of(tables_, [&](const TableJob& table_job) {
        return table_job.job_id == job && table_job.table->table().shown.oid == shown &&
               table_job.table->state() != TableCopyState::State::unopened;
    });
}

// One whose new name the filters don't mean: its changes come no more, so its rows don't either.
void GroupTables::forget(SnapshotJob& job, const SnapshotTable& table, std::string_view why) {
    if (const auto open = job.open.find(table.address.oid); open != job.open.end()) {
        jobs_.note_given_up(job.request, open->second);
    }
    if (job.pending.erase(table.address.oid) + job.open.erase(table.address.oid) == 0) return;
    jobs_.changed();
    logger_.warning("a table is no longer read",
                    {{"id", job.request.id},
                     {"table", quote_name(table.address.schema, table.address.name)},
                     {"why", why}});
}

bool GroupTables::may_read(const TableJob& table_job, bool in_time) const {
    if (table_job.over) return false;
    const TableCopyState& table = *table_job.table;
    const bool waits = table.state() == TableCopyState::State::unopened || table.has_chunk();
    if (!waits) return false;
    const SnapshotJob* job = jobs_.find(table_job.job_id);
    if (job == nullptr) return false;
    if (in_time && !job->paused) return true;
    return table.state() == TableCopyState::State::open && table.shape().key.empty();
}

std::shared_ptr<TableCopyState> GroupTables::next(bool in_time) const {
    const auto first = [&](TableCopyState::State state) -> std::shared_ptr<TableCopyState> {
        for (const TableJob& table_job : tables_) {
            if (table_job.table->state() == state && may_read(table_job, in_time)) {
                return table_job.table;
            }
        }
        return nullptr;
    };
    if (auto unopened = first(TableCopyState::State::unopened)) return unopened;
    return first(TableCopyState::State::open);
}

void GroupTables::drop_ended() {
    for (TableJob& table_job : tables_) {
        if (table_job.over || jobs_.find(table_job.job_id) != nullptr) continue;
        table_job.over = true;
        note_end(table_job, false);
    }
}

// Of what is shown as one table, with the last of its parts.
void GroupTables::note_end(const TableJob& table_job, bool whole) {
    const TableAddress& shown = table_job.table->table().shown;
    RelationPtr relation = table_job.table->shape().relation;
    for (const TableJob& other : tables_) {
        if (other.job_id != table_job.job_id || other.table->table().shown.oid != shown.oid) {
            continue;
        }
        if (!other.over) return;
        if (relation == nullptr) relation = other.table->shape().relation;
    }
    ended_.push_back({.id = table_job.job_id,
                      .schema = shown.schema,
                      .name = shown.name,
                      .relation = std::move(relation),
                      .whole = whole,
                      .as_of = as_of_});
}

void GroupTables::finish_tables() {
    for (TableJob& table_job : tables_) {
        if (table_job.over || !table_job.table->all_durable()) continue;
        table_job.over = true;
        SnapshotJob* job = jobs_.find(table_job.job_id);
        if (job == nullptr) continue;
        job->begun = job->begun || table_job.table->begun();
        job->open.erase(table_job.table->table().address.oid);
        job->pending.erase(table_job.table->table().address.oid);
        job->done.insert(table_job.table->table().address.oid);
        reports_.table_done(table_job.job_id, table_job.table->name());
        jobs_.changed();
        note_end(table_job, true);
    }
}

void GroupTables::finish_jobs() {
    std::vector<std::string> over;
    for (const std::string& id : begun_) {
        const bool left = std::ranges::any_of(tables_, [&](const TableJob& table_job) {
            return table_job.job_id == id && !table_job.over;
        });
        if (!left && jobs_.find(id) != nullptr) over.push_back(id);
    }
    for (const std::string& id : over) {
        const SnapshotJob& job = *jobs_.find(id);
        const bool none = !job.all() && job.done.empty();
        const bool were = !job.pending.empty();
        jobs_.end(id, none ? Reported::failed : Reported::done,
                  !none  ? ""
                  : were ? "its tables are gone, or not captured any more"
                         : "no captured table has this name");
    }
}

bool GroupTables::all_read(const std::string& job) const {
    return std::ranges::find(begun_, job) != begun_.end() &&
           std::ranges::all_of(tables_, [&](const TableJob& table_job) {
               return table_job.job_id != job || is_read(table_job);
           });
}

bool GroupTables::table_read(const std::string& job, Oid shown) const {
    return std::ranges::all_of(tables_, [&](const TableJob& table_job) {
        return table_job.job_id != job || table_job.table->table().shown.oid != shown ||
               is_read(table_job);
    });
}

bool GroupTables::is_read(const TableJob& table_job) noexcept {
    const TableCopyState::State state = table_job.table->state();
    return table_job.over || state == TableCopyState::State::read ||
           state == TableCopyState::State::gone;
}

bool GroupTables::left() const noexcept {
    return std::ranges::any_of(tables_, [](const TableJob& table_job) { return !table_job.over; });
}

void GroupTables::read_again(Oid shown, const std::optional<Key>& key) {
    for (const TableJob& table_job : tables_) {
        if (table_job.over || table_job.table->table().shown.oid != shown) continue;
        table_job.table->read_again(key);
        if (key) {
            logger_.debug("a row that moved is read once more",
                          {{"table", table_job.table->name()}});
        }
    }
}

void GroupTables::remember(std::vector<SnapshotJob>& jobs) const {
    for (const TableJob& table_job : tables_) {
        if (table_job.over) continue;
        auto left = table_job.table->left();
        const auto job = std::ranges::find_if(
            jobs, [&](const SnapshotJob& one) { return one.request.id == table_job.job_id; });
        if (!left || job == jobs.end()) continue;
        job->begun = job->begun || left->begun;
        job->open.insert_or_assign(table_job.table->table().address.oid, std::move(*left));
    }
}

void GroupTables::show(SnapshotReport& report) const {
    for (SnapshotReport::Request& request : report.requests) {
        for (const TableJob& table_job : tables_) {
            if (table_job.job_id != request.id || table_job.over ||
                request.open.size() >= kOpenShown_max)
                continue;
            if (table_job.table->state() != TableCopyState::State::open) continue;
            request.open.push_back({.name = table_job.table->name(),
                                    .rows = table_job.table->rows,
                                    .rows_expected = table_job.table->rows_expected()});
        }
    }
}

}  // namespace pgc
