#include "sink/file/reload_book.h"

#include <algorithm>
#include <iterator>
#include <set>

namespace pgc {
namespace {

// The last word of who ordered it.
std::string snapshot_id(const std::string& ordered_by) {
    return ordered_by.substr(ordered_by.rfind(' ') + 1);
}

}  // namespace

void ReloadBook::restore(const RegistryContent& content) {
    for (const auto& [table, mode] : content.modes) modes_[table] = mode;
    for (const ReloadOperation& reload : content.reloads) {
        entries_[{reload.table, snapshot_id(reload.ordered_by)}].reload = reload;
    }
}

ReloadBook::Entry& ReloadBook::entry(const ReloadChange& change, WallTime now) {
    const TableId table{change.schema, change.name};
    const auto [at, is_new] = entries_.try_emplace({table, change.id});
    Entry& entry = at->second;
    if (!is_new) return entry;
    entry.changed = true;
    entry.reload = {.table = table,
                    .ordered_by = change.order.by + " " + change.id,
                    .requested_at = now,
                    .start_lsn = change.order.at,
                    .is_new = true};
    return entry;
}

// What the snapshots do not read any more.
bool ReloadBook::fail(const std::function<bool(const std::string&)>& ended,
                      const std::string& problem, WallTime now) {
    bool failed = false;
    for (auto& [key, entry] : entries_) {
        if (entry.read || !ended(key.second)) continue;
        entry.reload.state = ReloadState::failed;
        entry.reload.problem = problem;
        entry.reload.finished_at = now;
        entry.changed = failed = true;
    }
    return failed;
}

bool ReloadBook::take(const ReloadChange& change, WallTime now) {
    using Step = ReloadChange::Step;
    if (change.step == Step::over) {
        return fail([&](const std::string& id) { return id == change.id; },
                    change.why.empty() ? "the table is gone, or not captured any more" : change.why,
                    now);
    }
    if (change.step == Step::restored) {
        const std::set<std::string> left(change.left.begin(), change.left.end());
        return fail([&](const std::string& id) { return !left.contains(id); },
                    "the snapshots have begun again without it: order it once more", now);
    }
    Entry& one = entry(change, now);
    if (change.step == Step::ordered || one.reload.state != ReloadState::requested) {
        return one.changed;
    }
    one.reload.state = ReloadState::running;
    one.reload.started_at = now;
    return one.changed = true;
}

void ReloadBook::table_ended(const SnapshotTableEnd& table, WallTime now) {
    const auto at = entries_.find({{table.schema, table.name}, table.id});
    if (at == entries_.end() || !table.whole) return;
    Entry& entry = at->second;
    entry.read = entry.changed = true;
    if (entry.reload.started_at == WallTime{}) entry.reload.started_at = now;
}

// Its files are registered by the same seal.
void ReloadBook::complete(const Key& key, ReloadOperation& reload, const RegistrySeal& seal,
                          WallTime now) {
    const auto& [table, snapshot] = key;
    reload.state = ReloadState::failed;
    reload.problem = "the table is gone";
    reload.finished_at = now;
    for (const CompleteFile& file : seal.complete) {
        const bool its = file.kind == FileKind::full_reload && file.table == table;
        if (!its || file.snapshot != snapshot) continue;
        reload.state = ReloadState::complete;
        reload.problem.clear();
        reload.rows += file.rows;
        reload.end_lsn = std::max(reload.end_lsn, file.end_lsn);
    }
}

TableMode ReloadBook::mode_of(const TableId& table) const {
    TableMode mode = TableMode::streaming;
    for (auto at = entries_.lower_bound({table, ""});
         at != entries_.end() && at->first.first == table; ++at) {
        if (at->second.reload.state == ReloadState::running) return TableMode::reloading;
        mode = TableMode::pending_reload;
    }
    return mode;
}

void ReloadBook::add_to(RegistrySeal& seal, WallTime now) {
    std::set<TableId> changed;
    for (auto at = entries_.begin(); at != entries_.end();) {
        Entry& entry = at->second;
        if (entry.read) complete(at->first, entry.reload, seal, now);
        if (entry.changed) {
            changed.insert(at->first.first);
            seal.reloads.push_back(entry.reload);
        }
        entry.changed = entry.reload.is_new = false;
        at = is_over(entry.reload.state) ? entries_.erase(at) : std::next(at);
    }
    for (const TableId& table : changed) {
        const TableMode mode = mode_of(table);
        const auto known = modes_.find(table);
        if (mode == (known == modes_.end() ? TableMode::streaming : known->second)) continue;
        if (mode == TableMode::streaming) {
            modes_.erase(known);
        } else {
            modes_[table] = mode;
        }
        seal.modes.emplace_back(table, mode);
    }
}

}  // namespace pgc
