// Judges rows that were there before the stream, and what is stored of the snapshots.
//
//   exact     a row read at a place C is the one that all commits before C, and no other, have
//             made of it
//   in place  after every change that commits before C, before every one that commits later.
//             So no row is older than what was told of its key before
//   no tie    a consumer that keeps the highest (LSN, ordinal) of each key and drops the rest loses
//             no change that is newer than what was read
//   read      only what was left when the attempt began, or was requested since
//   left      what the stored progress does not name as left is known: of each row that the
//             tables hold at the stored position, something as new was delivered since the
//             snapshot was stored first
//   state     what comes of taking all records in their order is what the tables hold; values
//             that are not sent with each change are known as well
//
// A table without a key is known when all of it was read at one place.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/lsn.h"
#include "core/record.h"
#include "core/store.h"
#include "postgres/snapshot/progress.h"
#include "simulation/history.h"
#include "simulation/world.h"

namespace pgc::sim {

class SnapshotOracle {
public:
    SnapshotOracle(World& world, const History& history, std::uint32_t filtered)
        : world_(world), history_(history), filtered_(filtered) {}

    static bool is_read(const Record& record) noexcept {
        return record.value.find("\"op\":\"READ\"") != std::string_view::npos;
    }

    // What is left, as stored, is what the source is asked for.
    void attempt_begins() { left_at_begin_[world_.instance()] = jobs_; }
    void life_begins() {
        if (!two_) requested_.clear();
    }
    // Records of the one before may come late (Oracle).
    void has_two_instances() noexcept { two_ = true; }
    void requested(const SnapshotRequest& request, Lsn now) {
        requested_.push_back(request);
        requested_at_.emplace(request.id, now);
    }
    // From now on nobody wants it read.
    void cancelled(const std::string& id) { cancelled_.insert(id); }
    void durable_read(const Record& record, std::size_t instance);
    // A change of a key comes in two parts.
    void durable_change(const Record& record, const Row& row, std::size_t part);
    void stored(const StoredPosition& position);
    // Changes were missed: what was told before is worth nothing.
    void starts_over();

    // As stored.
    const std::vector<SnapshotJob>& jobs() const noexcept { return jobs_; }
    bool over() const noexcept { return jobs_.empty(); }
    // At the end.
    void compare();
    // A snapshot of everything must have been stored, by whoever dies when.
    void wants_everything() noexcept { wants_everything_ = true; }
    void check_begun();

    std::size_t reads() const noexcept { return reads_; }
    std::size_t places() const noexcept { return places_.size(); }

private:
    struct Version {
        Lsn commit;
        const Row* row = nullptr;  // none: deleted
    };
    // Of one table, by key, in commit order.
    using Versions = std::map<std::int64_t, std::vector<Version>>;
    // Rows that must be read sooner or later.
    struct Promise {
        std::string id;
        std::vector<std::uint32_t> tables;
        std::int64_t above = 0;  // keys
        Lsn since;
        std::set<std::uint32_t> whole{};  // of those without a key
    };
    // What a follower of the records knows of a row.
    struct Known {
        Lsn as_of;                  // of the newest that was ever told
        Lsn reported_at;            // place of the last that was told
        std::uint64_t version = 0;  // reported last; 0: it is gone
        Position read_at;           // of the last READ, and the commit that made what it told
        Lsn read_as_of;
        Position place{};  // of what was taken last
    };
    // A consumer that keeps the newest place of each row takes this one.
    bool takes(Known& known, Position place) const noexcept {
        if (two_ && place < known.place) return false;
        known.place = place;
        return true;
    }

    void note_reported(const Record& record, const Row& row);
    void learn_history();
    void learn(const Row& row, Lsn commit);
    // The row as commits before `at` made it; none: it isn't there.
    std::optional<Version> version_at(std::uint32_t table, std::int64_t key, Lsn at) const;
    bool may_be_read(std::uint32_t table, std::int64_t key, Lsn at, std::size_t instance) const;
    void promise(const SnapshotJob& job, Lsn since);
    void check(Promise& promise, const SnapshotJob* job, Lsn at);
    void check_keyed(const Promise& promise, const SnapshotJob* job, std::uint32_t table, Lsn at);
    bool read_whole(const Promise& promise, std::uint32_t table) const;
    void compare(const Promise& promise, std::uint32_t table);
    std::vector<std::uint32_t> tables_of(const SnapshotRequest& request) const;

    World& world_;
    const History& history_;
    const std::uint32_t filtered_;
    std::array<Versions, kTables> versions_;
    std::size_t learnt_ = 0;  // transactions
    std::array<std::map<std::int64_t, Known>, kTables> known_;
    // Of tables without a key: what was read at each place.
    std::array<std::map<Lsn, std::set<std::int64_t>>, kTables> read_at_;
    std::set<std::uint64_t> notes_reported_;  // of rows, whatever their keys were then
    std::vector<SnapshotJob> jobs_;
    std::array<std::vector<SnapshotJob>, 2> left_at_begin_;  // by instance
    bool two_ = false;
    std::vector<SnapshotRequest> requested_;
    std::map<std::string, Lsn> requested_at_;  // by id
    std::set<std::string> cancelled_;
    std::vector<Promise> promises_;
    std::vector<Promise> kept_;
    bool wants_everything_ = false;
    std::set<Lsn> places_;
    std::size_t reads_ = 0;
};

}  // namespace pgc::sim
