#include "simulation/reload_watch.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "core/snapshot.h"

namespace pgc::sim {
namespace {

std::string id_of(const ReloadOperation& reload) {
    return reload.ordered_by.substr(reload.ordered_by.rfind(' ') + 1);
}

std::uint32_t number_of(const TableId& table) {
    return static_cast<std::uint32_t>(table.name.back() - '0');
}

const ReloadOperation* find(const SimulatedRegistryServer::Pipeline& known, const std::string& id,
                            const TableId& table) {
    const auto at = std::ranges::find_if(known.reloads, [&](const ReloadOperation& reload) {
        return id_of(reload) == id && reload.table == table;
    });
    return at == known.reloads.end() ? nullptr : &*at;
}

// Of lines of the native form.
std::set<std::int64_t> keys_in(std::string_view content) {
    constexpr std::string_view kAfter = R"("after":{"id":)";
    std::set<std::int64_t> keys;
    for (std::size_t at = 0; (at = content.find(kAfter, at)) != std::string_view::npos;) {
        at += kAfter.size();
        std::int64_t key = 0;
        std::from_chars(content.data() + at, content.data() + content.size(), key);
        keys.insert(key);
    }
    return keys;
}

}  // namespace

void ReloadWatch::look(const Pipeline& known, SimulatedDisk& disk) {
    const auto jobs = read_progress(known.position->snapshot);
    if (!jobs) return world_.fail("the stored progress can't be read");
    // A snapshot that begins anew is stored before anything else is.
    if (known.position->snapshot != kWholeSnapshot) check_open(known, *jobs);
    check_done(known, *jobs);
    check_modes(known);
    for (const ReloadOperation& reload : known.reloads) {
        const std::string name = reload.ordered_by + " " + reload.table.name;
        if (reload.state != ReloadState::complete || !judged_.insert(name).second) continue;
        ++complete_;
        check_complete(reload, known, disk);
    }
}

void ReloadWatch::check_open(const Pipeline& known, const std::vector<SnapshotJob>& jobs) {
    for (const ReloadOperation& reload : known.reloads) {
        const Oid oid{kFirstOid + number_of(reload.table)};
        const bool is_read = std::ranges::any_of(jobs, [&](const SnapshotJob& job) {
            return job.request.id == id_of(reload) && !job.done.contains(oid);
        });
        if (!is_over(reload.state) && !is_read) {
            world_.fail("a reload is open that nothing reads: " + reload.ordered_by);
        }
    }
}

void ReloadWatch::check_done(const Pipeline& known, const std::vector<SnapshotJob>& jobs) {
    for (const SnapshotJob& job : jobs) {
        if (!job.request.reload) continue;
        for (const Oid oid : job.done) {
            const auto* reload =
                find(known, job.request.id, {"public", name_of(oid.value - kFirstOid)});
            if (reload == nullptr || reload->state != ReloadState::complete) {
                world_.fail("a table was read, and its reload is not complete: " + job.request.id);
            }
        }
    }
}

void ReloadWatch::check_modes(const Pipeline& known) {
    for (std::uint32_t number = 0; number < kTables; ++number) {
        const TableId table{"public", name_of(number)};
        TableMode is = TableMode::streaming;
        for (const ReloadOperation& reload : known.reloads) {
            if (reload.table != table || is_over(reload.state)) continue;
            is = std::max(is, reload.state == ReloadState::running ? TableMode::reloading
                                                                   : TableMode::pending_reload);
        }
        const auto said = known.modes.find(table);
        if (is != (said == known.modes.end() ? TableMode::streaming : said->second)) {
            world_.fail("a table is not at what it is said to be at: " + table.name);
        }
    }
}

void ReloadWatch::check_complete(const ReloadOperation& reload, const Pipeline& known,
                                 SimulatedDisk& disk) {
    std::uint64_t rows = 0;
    std::size_t files = 0;
    Lsn end;
    std::set<std::int64_t> keys;
    for (const CompleteFile& file : known.complete) {
        const bool its = file.kind == FileKind::full_reload && file.table == reload.table;
        if (!its || file.snapshot != id_of(reload)) continue;
        ++files;
        rows += file.rows;
        end = std::max(end, file.end_lsn);
        keys.merge(keys_in(disk.content("/files/" + file.path).value_or("")));
    }
    if (files == 0 || rows != reload.rows || end != reload.end_lsn) {
        return world_.fail("a reload is complete whose files are not: " + reload.ordered_by);
    }
    for (const std::int64_t key : held(number_of(reload.table), reload.start_lsn, end)) {
        if (keys.contains(key)) continue;
        return world_.fail("a reload is complete without key " + std::to_string(key) + " of " +
                           reload.table.name + ": " + reload.ordered_by);
    }
}

std::set<std::int64_t> ReloadWatch::held(std::uint32_t table, Lsn from, Lsn to) const {
    std::set<std::int64_t> keys;
    for (const Committed& transaction : history_.transactions) {
        if (transaction.commit > to) continue;
        const bool later = transaction.commit > from;
        for (const Row& row : transaction.rows) {
            if (row.table != table) continue;
            if (row.operation == Operation::truncate) keys.clear();
            if (row.old_key != 0) keys.erase(row.old_key);
            if (row.operation == Operation::remove) keys.erase(row.key);
            const bool puts =
                row.operation == Operation::insert || row.operation == Operation::update;
            if (puts && !later) keys.insert(row.key);
        }
    }
    return keys;
}

}  // namespace pgc::sim
