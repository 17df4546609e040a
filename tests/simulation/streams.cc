#include "simulation/streams.h"

#include <algorithm>

namespace pgc::sim {

void Streams::some(std::size_t next, const Send& send) {
    Random& random = world_.random;
    if (!random.chance(30)) return;
    if (random.chance(15)) return one_that_is_never_committed(send);
    const std::size_t ahead = std::min(kAhead, history_.transactions.size() - next);
    const std::size_t transaction = next + random.below(ahead);
    const Committed& committed = history_.transactions[transaction];
    if (committed.rows.empty() || committed.prepared) return;
    block(transaction, random.below(8), send);
}

bool Streams::commit(std::size_t transaction, const Send& send) {
    const Committed& committed = history_.transactions[transaction];
    if (!streamed_.contains(transaction)) {
        if (committed.rows.empty() || !world_.random.chance(20)) return false;
    }
    block(transaction, committed.rows.size(), send);
    streamed_.erase(transaction);
    ++counts_.commits;
    send({.kind = Sent::Kind::stream_commit,
          .transaction = transaction,
          .lsn = {},
          .arrives = {},
          .xid = committed.xid.value});
    return true;
}

void Streams::start(std::uint32_t xid, bool first, const Send& send) {
    send({.kind = Sent::Kind::stream_start,
          .lsn = {},
          .arrives = {},
          .xid = xid,
          .sub_xid = xid,
          .first = first});
}

void Streams::stop(std::uint32_t xid, const Send& send) {
    send({.kind = Sent::Kind::stream_stop, .lsn = {}, .arrives = {}, .xid = xid});
}

void Streams::abort(std::uint32_t xid, std::uint32_t sub_xid, const Send& send) {
    ++counts_.aborts;
    send({.kind = Sent::Kind::stream_abort,
          .lsn = {},
          .arrives = {},
          .xid = xid,
          .sub_xid = sub_xid});
}

// At most so many rows, and perhaps some at its end that are aborted right after it.
void Streams::block(std::size_t transaction, std::size_t rows, const Send& send) {
    Random& random = world_.random;
    const Committed& committed = history_.transactions[transaction];
    const std::uint32_t xid = committed.xid.value;
    Streamed& streamed = streamed_[transaction];
    start(xid, !std::exchange(streamed.began, true), send);
    std::uint32_t part = xid;  // a subtransaction that is released
    for (; rows > 0 && streamed.rows < committed.rows.size(); --rows, ++streamed.rows) {
        if (random.chance(15)) part = random.chance(50) ? xid : ++next_sub_;
        if ((committed.rows[streamed.rows].published & publications_) == 0) continue;
        send({.kind = Sent::Kind::stream_row,
              .transaction = transaction,
              .row = streamed.rows,
              .lsn = {},
              .arrives = {},
              .xid = xid,
              .sub_xid = part});
    }
    std::vector<std::uint32_t> aborted;
    if (random.chance(30)) part_that_is_aborted(xid, aborted, send);
    stop(xid, send);
    for (const std::uint32_t sub_xid : aborted) abort(xid, sub_xid, send);
}

void Streams::lost_rows(std::uint32_t xid, std::uint32_t sub_xid, const Send& send) {
    for (std::size_t n = 1 + world_.random.below(3); n > 0; --n) {
        Row row;
        row.table = static_cast<std::uint32_t>(world_.random.below(kTables));
        row.key = 1 + static_cast<std::int64_t>(world_.random.below(1000));
        row.columns = static_cast<std::uint32_t>(world_.random.below(4));
        row.identity = identity_of(row.table);
        row.lsn = Lsn{0x900};
        send({.kind = Sent::Kind::stream_lost,
              .lsn = {},
              .arrives = {},
              .xid = xid,
              .sub_xid = sub_xid,
              .lost = row});
    }
}

// Filled in the order in which the server says so: what was released into another one before that.
void Streams::part_that_is_aborted(std::uint32_t xid, std::vector<std::uint32_t>& aborted,
                                   const Send& send) {
    Random& random = world_.random;
    const std::uint32_t outer = ++next_sub_;
    const bool first = random.chance(50);
    if (first) lost_rows(xid, outer, send);
    if (!first || random.chance(50)) {
        const std::uint32_t inner = ++next_sub_;
        lost_rows(xid, inner, send);
        aborted.push_back(inner);
        if (random.chance(50)) lost_rows(xid, outer, send);
    }
    aborted.push_back(outer);
}

void Streams::one_that_is_never_committed(const Send& send) {
    Random& random = world_.random;
    if (!doomed_.empty() && random.chance(30)) {
        const std::size_t which = random.below(doomed_.size());
        abort(doomed_[which], doomed_[which], send);
        doomed_.erase(doomed_.begin() + static_cast<std::ptrdiff_t>(which));
        return;
    }
    const bool first = doomed_.empty() || random.chance(40);
    if (first) doomed_.push_back(++next_doomed_);
    const std::uint32_t xid = first ? doomed_.back() : doomed_[random.below(doomed_.size())];
    start(xid, first, send);
    lost_rows(xid, random.chance(50) ? xid : ++next_sub_, send);
    stop(xid, send);
}

}  // namespace pgc::sim
