#include "postgres/source/new_tables.h"

#include <algorithm>
#include <functional>
#include <iterator>

#include "postgres/snapshot/jobs.h"

namespace pgc {

void NewTables::take(const std::vector<std::string>& joined, const CoveredTables& covered,
                     Snapshot& snapshot, bool begun, WallTime now) {
    std::vector<std::string> fresh;
    const std::set<std::string_view> before{joined_.begin(), joined_.end()};
    std::ranges::copy_if(joined, std::back_inserter(fresh),
                         [&](const std::string& table) { return !before.contains(table); });
    joined_.insert(joined_.end(), fresh.begin(), fresh.end());
    const std::set<std::string, std::less<>> ours{fresh.begin(), fresh.end()};
    const std::set<std::string_view> all_joined{joined_.begin(), joined_.end()};
    std::set<Oid> known;
    for (const CoveredTable& table : covered.tables) {
        if (ours.contains(table.name)) known.insert(table.oid);
    }
    if (captured_ && config_.snapshot.new_tables) {
        for (CoveredTable& table : come_since(*captured_, covered)) {
            known.insert(table.oid);
            if (!all_joined.contains(table.name)) fresh.push_back(std::move(table.name));
        }
    }
    if (!fresh.empty()) request(std::move(fresh), std::move(known), snapshot, begun, now);
    if (KnownTables captured = known_tables(covered); captured_ != captured) {
        captured_ = std::move(captured);
        ++revision_;
    }
}

// Their rows are in no stream, but for what was written since they joined.
// `known` of them, however they are called when their turn comes.
void NewTables::request(std::vector<std::string> tables, std::set<Oid> known, Snapshot& snapshot,
                        bool begun, WallTime now) {
    if (snapshot.has_all_before_it() && !begun) {
        // One of everything, which has yet to look what there is: any word of it will do. Once it
        // has read something, that may have been one of these before it left the publication.
        stored_with_ = snapshot.revision() + 1;
        return;
    }
    snapshot.request({.verb = SnapshotCommand::Verb::start,
                      .request = {.id = joined_snapshot_id(now), .tables = std::move(tables)}},
                     RequestedBy::ourselves, std::move(known));
    stored_with_ = snapshot.revision();
}

}  // namespace pgc
