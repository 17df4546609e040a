#include "postgres/stream/prepared_transactions.h"

#include <algorithm>
#include <cassert>

namespace pgc {

void PreparedTransactions::add(const pgoutput::Prepare& prepare) {
    undecided_.insert_or_assign(prepare.prepare_lsn, Prepared{.xid = prepare.xid,
                                                              .gid = std::string{prepare.gid},
                                                              .prepared_at = prepare.prepared_at});
}

PreparedTransactions::Undecided::const_iterator PreparedTransactions::find(Xid xid) const noexcept {
    return std::ranges::find_if(undecided_,
                                [xid](const auto& entry) { return entry.second.xid == xid; });
}

void PreparedTransactions::committed(Xid xid, Lsn commit) {
    const auto found = find(xid);
    assert(found != undecided_.end());
    while (!committed_.empty() && committed_.back().prepare >= found->first) committed_.pop_back();
    committed_.push_back({found->first, commit});
    undecided_.erase(found);
}

Lsn PreparedTransactions::begin_for(Lsn lsn) noexcept {
    while (!committed_.empty() && committed_.front().commit < lsn) committed_.pop_front();
    if (!committed_.empty()) lsn = std::min(lsn, committed_.front().prepare);
    if (!undecided_.empty()) lsn = std::min(lsn, undecided_.begin()->first);
    return lsn;
}

}  // namespace pgc
