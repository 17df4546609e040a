#include "simulation/snapshot_oracle.h"

#include <fmt/core.h>

#include <algorithm>
#include <charconv>
#include <limits>

namespace pgc::sim {
namespace {

std::optional<std::int64_t> number_behind(std::string_view text, std::string_view head) {
    const auto at = text.find(head);
    if (at == std::string_view::npos) return std::nullopt;
    text.remove_prefix(at + head.size());
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

std::optional<std::uint32_t> table_called(std::string_view name) {
    for (std::uint32_t table = 0; table < kTables; ++table) {
        if (name == "public." + name_of(table)) return table;
    }
    return std::nullopt;
}

std::int64_t lower_key(const SnapshotRequest& request) {
    return number_behind(request.where, "id > ").value_or(0);
}

std::int64_t bound(const Key& key, std::int64_t otherwise) {
    return key.empty() ? otherwise : number_behind(key.front(), "").value_or(otherwise);
}

// Something of the table that this key may belong to is still to be read.
bool leaves(const SnapshotJob& job, std::uint32_t table, std::int64_t key) {
    const Oid oid{kFirstOid + table};
    if (job.done.contains(oid)) return false;
    const auto open = job.open.find(oid);
    if (open == job.open.end()) return true;
    return std::ranges::any_of(open->second.left, [&](const KeyRange& range) {
        if (range.alone) return key == bound(range.upto, 0);
        return key > bound(range.after, 0) &&
               key <= bound(range.upto, std::numeric_limits<std::int64_t>::max());
    });
}

}  // namespace

void SnapshotOracle::learn_history() {
    for (; learnt_ < history_.transactions.size(); ++learnt_) {
        const Committed& transaction = history_.transactions[learnt_];
        for (const Row& row : transaction.rows) learn(row, transaction.commit);
    }
}

void SnapshotOracle::learn(const Row& row, Lsn commit) {
    Versions& versions = versions_[row.table];
    const auto becomes = [&](std::int64_t key, const Row* now) {
        versions[key].push_back({commit, now});
    };
    switch (row.operation) {
        case Operation::truncate:
            for (auto& [key, all] : versions) {
                if (all.back().row != nullptr) all.push_back({commit, nullptr});
            }
            return;
        case Operation::remove: becomes(row.key, nullptr); return;
        default:
            if (row.old_key != 0) becomes(row.old_key, nullptr);
            becomes(row.key, &row);
    }
}

std::optional<SnapshotOracle::Version> SnapshotOracle::version_at(std::uint32_t table,
                                                                  std::int64_t key, Lsn at) const {
    const auto found = versions_[table].find(key);
    if (found == versions_[table].end()) return std::nullopt;
    const auto& all = found->second;
    const auto next =
        std::ranges::find_if(all, [&](const Version& version) { return version.commit >= at; });
    if (next == all.begin() || std::prev(next)->row == nullptr) return std::nullopt;
    return *std::prev(next);
}

std::vector<std::uint32_t> SnapshotOracle::tables_of(const SnapshotRequest& request) const {
    std::vector<std::uint32_t> tables;
    for (std::uint32_t table = 0; table < kTables; ++table) {
        const auto is_it = [&](const std::string& name) { return table_called(name) == table; };
        if (table == filtered_) continue;
        if (request.tables.empty() || std::ranges::any_of(request.tables, is_it)) {
            tables.push_back(table);
        }
    }
    return tables;
}

bool SnapshotOracle::may_be_read(std::uint32_t table, std::int64_t key, Lsn at,
                                 std::size_t instance) const {
    const auto is_for = [&](const SnapshotRequest& request) {
        const auto tables = tables_of(request);
        return std::ranges::find(tables, table) != tables.end() && key > lower_key(request);
    };
    // One that moved may have come from what is left.
    const auto& all = versions_[table].at(key);
    const bool moved = std::ranges::any_of(all, [&](const Version& version) {
        return version.row != nullptr && version.row->old_key != 0 && version.commit < at;
    });
    return std::ranges::any_of(requested_, is_for) ||
           std::ranges::any_of(left_at_begin_[instance], [&](const SnapshotJob& job) {
               return is_for(job.request) && (moved || leaves(job, table, key));
           });
}

void SnapshotOracle::durable_read(const Record& record, std::size_t instance) {
    learn_history();
    ++reads_;
    const Lsn at{record.commit_lsn.value + 1};  // the row comes in just before
    places_.insert(at);
    std::optional<std::uint32_t> table;
    for (std::uint32_t i = 0; i < kTables; ++i) {
        if (record.value.find(fmt::format("\"table\":\"{}\"", name_of(i))) !=
            std::string_view::npos) {
            table = i;
        }
    }
    const auto key = number_behind(record.value, "\"id\":");
    if (!table || !key || *table == filtered_) {
        world_.fail(
            fmt::format("a row was read of no table of ours: {}", record.value.substr(0, 200)));
        return;
    }
    const auto row = fmt::format("row {} of {} at {}", *key, name_of(*table), to_string(at));
    world_.note("durable: ", row);
    const auto version = version_at(*table, *key, at);
    if (!version) return world_.fail(row + " was read, but is not there");
    const bool says =
        record.value.find("\"v\":\"" + token(*version->row)) != std::string_view::npos;
    if (!says || record.key != (is_keyed(*table) ? fmt::format("{{\"id\":{}}}", *key) : "")) {
        world_.fail(fmt::format("{} was read as {}", row, record.value.substr(0, 200)));
    }
    if (!may_be_read(*table, *key, at, instance))
        world_.fail(row + " was read, but it was not left");
    Known& known = known_[*table][*key];
    known.as_of = std::max(known.as_of, version->commit);
    known.reported_at = std::max(known.reported_at, at);
    if (takes(known, {record.commit_lsn, record.ordinal})) {
        known.version = version->row->version;
        known.read_at = {record.commit_lsn, record.ordinal};
        known.read_as_of = version->commit;
    }
    note_reported(record, *version->row);
    if (!is_keyed(*table) && !read_at_[*table][at].insert(*key).second) {
        world_.fail(row + " was read twice at one place, and has no key to know it by");
    }
}

void SnapshotOracle::durable_change(const Record& record, const Row& row, std::size_t part) {
    auto& known = known_[row.table];
    const auto becomes = [&](std::int64_t key, std::uint64_t version) {
        Known& one = known[key];
        const Position place{record.commit_lsn, record.ordinal};
        if (place <= one.read_at && record.commit_lsn > one.read_as_of) {
            world_.fail(fmt::format("row {} of {} changes at {}, not behind its READ at {}", key,
                                    name_of(row.table), to_string(place), to_string(one.read_at)));
        }
        one.as_of = std::max(one.as_of, record.commit_lsn);
        one.reported_at = std::max(one.reported_at, record.commit_lsn);
        if (takes(one, place)) one.version = version;
    };
    switch (row.operation) {
        case Operation::truncate:
            for (auto& [key, one] : known) becomes(key, 0);
            return;
        case Operation::remove: becomes(row.key, 0); return;
        default: break;
    }
    const bool in_two = row.old_key != 0 && is_keyed(row.table);
    if (row.old_key != 0 && part == 0) becomes(row.old_key, 0);
    if (in_two && part == 0) return;
    becomes(row.key, row.version);
    note_reported(record, row);
}

void SnapshotOracle::note_reported(const Record& record, const Row& row) {
    const auto begin = record.value.find("\"after\":");
    if (begin == std::string_view::npos) return;
    const auto after = record.value.substr(begin);
    constexpr std::string_view head = "\"note\":\"";
    const auto at = after.find(head);
    if (at == std::string_view::npos) return;
    notes_reported_.insert(row.note);
    const auto reported = after.substr(at + head.size());
    if (reported.starts_with(note_of(row)) || reported.starts_with("as it is now")) return;
    world_.fail(fmt::format("row {} of {} has note {}, not {}", row.key, name_of(row.table),
                            note_of(row), reported.substr(0, 20)));
}

void SnapshotOracle::starts_over() {
    known_ = {};
    notes_reported_.clear();
    read_at_ = {};
    promises_.clear();
    kept_.clear();
    jobs_.clear();
}

void SnapshotOracle::promise(const SnapshotJob& job, Lsn since) {
    const bool is_known = std::ranges::any_of(
        promises_, [&](const Promise& one) { return one.id == job.request.id; });
    if (is_known) return;
    // It may have begun before it was stored.
    if (const auto at = requested_at_.find(job.request.id); at != requested_at_.end()) {
        since = std::min(since, at->second);
    }
    promises_.push_back({.id = job.request.id,
                         .tables = tables_of(job.request),
                         .above = lower_key(job.request),
                         .since = since});
}

void SnapshotOracle::stored(const StoredPosition& position) {
    auto jobs = read_progress(position.snapshot);
    if (!jobs) {
        world_.fail("a progress was stored that can't be read: " + jobs.error());
        return;
    }
    jobs_ = std::move(*jobs);
    if (!position.resume_at) return;
    learn_history();
    for (const SnapshotJob& job : jobs_) promise(job, position.resume_at);
    std::vector<Promise> open;
    for (Promise& promise : promises_) {
        const auto job = std::ranges::find_if(
            jobs_, [&](const SnapshotJob& one) { return one.request.id == promise.id; });
        const bool is_open = job != jobs_.end();
        if (!is_open && cancelled_.contains(promise.id)) continue;
        check(promise, is_open ? &*job : nullptr, position.resume_at);
        (is_open ? open : kept_).push_back(std::move(promise));
    }
    promises_ = std::move(open);
}

void SnapshotOracle::check(Promise& promise, const SnapshotJob* job, Lsn at) {
    for (const std::uint32_t table : promise.tables) {
        if (is_keyed(table)) {
            check_keyed(promise, job, table, at);
        } else if (job == nullptr || job->done.contains(Oid{kFirstOid + table})) {
            if (promise.whole.contains(table)) continue;
            if (!read_whole(promise, table)) {
                world_.fail(name_of(table) + " was stored as read, but never was as a whole");
            }
            promise.whole.insert(table);
        }
    }
}

void SnapshotOracle::check_keyed(const Promise& promise, const SnapshotJob* job,
                                 std::uint32_t table, Lsn at) {
    for (const auto& [key, all] : versions_[table]) {
        const auto version = version_at(table, key, at);
        if (!version || key <= promise.above) continue;
        if (job != nullptr && leaves(*job, table, key)) continue;
        // It was gone where the table was read, and the stream is yet to say so.
        const bool goes = std::ranges::any_of(
            all, [&](const Version& later) { return later.commit >= at && later.row == nullptr; });
        if (goes) continue;
        const auto known = known_[table].find(key);
        if (known != known_[table].end() && known->second.as_of >= version->commit &&
            known->second.reported_at >= promise.since) {
            continue;
        }
        world_.fail(
            fmt::format("row {} of {} was stored as read, but is not known", key, name_of(table)));
        return;
    }
}

bool SnapshotOracle::read_whole(const Promise& promise, std::uint32_t table) const {
    const auto whole_at = [&](Lsn at) {
        if (at < promise.since) return false;
        const auto found = read_at_[table].find(at);
        return std::ranges::all_of(versions_[table], [&](const auto& one) {
            const bool there =
                one.first > promise.above && version_at(table, one.first, at).has_value();
            return !there || (found != read_at_[table].end() && found->second.contains(one.first));
        });
    };
    // One that was empty leaves nothing to be seen.
    return std::ranges::any_of(places_, whole_at) || whole_at(promise.since) ||
           std::ranges::any_of(history_.transactions,
                               [&](const Committed& one) { return whole_at(one.end); });
}

void SnapshotOracle::check_begun() {
    const auto whole = [](const Promise& promise) { return promise.id == kWholeSnapshotId; };
    if (!wants_everything_ || std::ranges::any_of(kept_, whole)) return;
    world_.fail("rows that were there before the stream were never read");
}

void SnapshotOracle::compare() {
    check_begun();
    learn_history();
    for (const Promise& promise : kept_) {
        for (const std::uint32_t table : promise.tables) compare(promise, table);
    }
}

void SnapshotOracle::compare(const Promise& promise, std::uint32_t table) {
    for (const auto& [key, all] : versions_[table]) {
        if (key <= promise.above) continue;
        const auto found = known_[table].find(key);
        const std::uint64_t known = found == known_[table].end() ? 0 : found->second.version;
        const std::uint64_t truth = all.back().row == nullptr ? 0 : all.back().row->version;
        // With a condition, a row may move to where it holds after the table was read.
        const bool note =
            truth == 0 || promise.above > 0 || notes_reported_.contains(all.back().row->note);
        if (known == truth && note) continue;
        world_.fail(fmt::format("row {} of {} is v{}, but known as v{}{}", key, name_of(table),
                                truth, known, note ? "" : ", without its note"));
        return;
    }
}

}  // namespace pgc::sim
