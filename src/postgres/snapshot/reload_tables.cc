#include "postgres/snapshot/reload_tables.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

}  // namespace

bool ReloadTables::keep_all_waiting() const {
    return std::ranges::all_of(
        deps_.jobs.all(), [&](const SnapshotJob& job) { return job.paused || !may_read(job); });
}

void ReloadTables::step(Instant now) {
    std::erase_if(known_, [&](const std::string& id) { return deps_.jobs.find(id) == nullptr; });
    if (query_ && !query_->free()) {
        auto answer = query_->step(now);
        if (!answer) return;
        auto tables =
            *answer
                ? read_snapshot_tables(**answer)
                : Result<std::vector<SnapshotTable>>{std::unexpected(std::move(answer->error()))};
        if (!tables) {
            again_at_ = now + kAgain;
            deps_.logger.failure(LogLevel::warning,
                                 "which tables a reload means could not be asked; asking again",
                                 tables.error());
            return;
        }
        take(*tables);
    }
    asked_for_.clear();
    for (const SnapshotJob& job : deps_.jobs.all()) {
        if (!may_read(job)) asked_for_.insert(job.request.id);
    }
    if (asked_for_.empty()) return query_.reset();
    if (now < again_at_) return;
    if (!query_) query_.emplace(deps_.links, nullptr);
    query_->ask({.text = snapshot_tables_query(deps_.plan.server_version, deps_.plan.publications)},
                now);
}

void ReloadTables::take(const std::vector<SnapshotTable>& tables) {
    for (const std::string& id : std::exchange(asked_for_, {})) {
        if (SnapshotJob* job = deps_.jobs.find(id); job != nullptr) decide(*job, tables);
    }
}

void ReloadTables::decide(SnapshotJob& job, const std::vector<SnapshotTable>& tables) {
    const std::string id = job.request.id;
    std::set<Oid> meant;
    const Shown all = shown(job, tables, &meant);
    const bool decided_before = !job.pending.empty() || !job.done.empty();
    const SnapshotTable* part = decided_before ? nullptr : part_of_table(job, tables);
    if (part != nullptr) {
        deps_.jobs.end(id, Reported::failed,
                       fmt::format("rows of {}.{} come as those of {}.{}, and a reload is one of a "
                                   "whole table: reload {}.{}, or read it by a snapshot",
                                   part->address.schema, part->address.name, part->shown.schema,
                                   part->shown.name, part->shown.schema, part->shown.name));
        return;
    }
    if (!decided_before && all.empty()) {
        deps_.jobs.end(id, Reported::failed,
                       "no captured table has this name: see source.tables, and the publication");
        return;
    }
    const std::string other = decided_before ? std::string{} : conflict(job, all, tables);
    if (!other.empty()) {
        deps_.jobs.end(id, Reported::failed, other);
        return;
    }
    // It is these tables, whatever they are called when their turn comes.
    const std::size_t known = job.pending.size();
    job.pending.merge(meant);
    if (job.pending.size() != known) deps_.jobs.changed();
    for (const auto& [oid, table] : all) {
        deps_.jobs.note(ReloadChange::Step::ordered, job.request, table);
    }
    deps_.reports.tables(id, all.size(), 0);
    known_.insert(id);
}

ReloadTables::Shown ReloadTables::shown(const SnapshotJob& job,
                                        const std::vector<SnapshotTable>& tables,
                                        std::set<Oid>* meant) const {
    Shown all;
    const TableFilter named = tables_named(job.request);
    for (const SnapshotTable& table : tables) {
        if (job.done.contains(table.address.oid) || !covers(job, named, table)) continue;
        if (!deps_.relations.selects(table.shown.schema, table.shown.name, table.above)) continue;
        all.emplace(table.shown.oid, table.shown);
        if (meant != nullptr) meant->insert(table.address.oid);
    }
    return all;
}

// One that is named, and with it not all that is shown as one table.
const SnapshotTable* ReloadTables::part_of_table(const SnapshotJob& job,
                                                 const std::vector<SnapshotTable>& tables) {
    const TableFilter named = tables_named(job.request);
    const std::set<Oid> partly = partly_covered(job, named, tables);
    const auto part = std::ranges::find_if(tables, [&](const SnapshotTable& table) {
        return partly.contains(table.shown.oid) && covers(job, named, table);
    });
    return part == tables.end() ? nullptr : &*part;
}

std::string ReloadTables::conflict(const SnapshotJob& job, const Shown& wanted,
                                   const std::vector<SnapshotTable>& tables) const {
    for (const SnapshotJob& other : deps_.jobs.all()) {
        if (&other == &job || !other.request.reload || !known_.contains(other.request.id)) continue;
        for (const auto& [oid, table] : shown(other, tables, nullptr)) {
            if (!wanted.contains(oid)) continue;
            return fmt::format(
                "a reload of {}.{} is ordered already, {}: wait until it is over, then order again",
                table.schema, table.name, other.request.id);
        }
    }
    return {};
}

void ReloadTables::wants(Wants& wants) const {
    if (query_ && !query_->free()) return query_->wants(wants);
    const auto& jobs = deps_.jobs.all();
    if (std::ranges::any_of(jobs, [&](const SnapshotJob& job) { return !may_read(job); })) {
        wants.until(again_at_);
    }
}

}  // namespace pgc
