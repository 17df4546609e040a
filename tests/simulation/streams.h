// What a walsender sends of transactions before it sends their commit, if it was asked to: blocks
// of them, one after the other, and of others that are never committed; with subtransactions that
// are aborted, nested or not.
//
// The log that it reads ends after the commit of what it streams, as that of a walsender that lags.
// So the next few transactions are there to be streamed.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <vector>

#include "simulation/history.h"
#include "simulation/world.h"

namespace pgc::sim {

struct Sent {
    enum class Kind : std::uint8_t {
        begin,
        row,
        commit,
        keepalive,
        stream_start,
        stream_row,
        stream_lost,  // a row of what is aborted
        stream_stop,
        stream_abort,
        stream_commit,
        begin_prepare,
        prepare,
        stream_prepare,
        commit_prepared,
        rollback_prepared,  // `transaction` is of History::rollbacks
    };
    Kind kind{};
    std::size_t transaction = 0;  // of the history
    std::size_t row = 0;
    Lsn lsn;             // of a keepalive
    bool reply = false;  // of a keepalive
    Instant arrives;
    std::uint32_t xid = 0;      // of what is streamed: of the whole transaction
    std::uint32_t sub_xid = 0;  // likewise: of the part of it
    bool first = false;         // of a Stream Start
    Row lost{};                 // of stream_lost
    bool of_prepared = false;   // `transaction` is of History::prepared
};

struct StreamCounts {
    std::size_t commits = 0;  // of streamed transactions
    std::size_t aborts = 0;   // of such, and of their subtransactions
};

class Streams {
public:
    using Send = std::function<void(Sent)>;

    Streams(World& world, const History& history, std::uint8_t publications, StreamCounts& counts)
        : world_(world), history_(history), publications_(publications), counts_(counts) {}

    // Perhaps a block, or an abort; the next to be committed is `next`.
    void some(std::size_t next, const Send& send);
    // The rest of `transaction` and its commit; false: nothing of it was streamed.
    bool commit(std::size_t transaction, const Send& send);

private:
    static constexpr std::size_t kAhead = 6;
    struct Streamed {
        bool began = false;
        std::size_t rows = 0;  // looked at so far
    };

    void start(std::uint32_t xid, bool first, const Send& send);
    void stop(std::uint32_t xid, const Send& send);
    void abort(std::uint32_t xid, std::uint32_t sub_xid, const Send& send);
    void block(std::size_t transaction, std::size_t rows, const Send& send);
    void lost_rows(std::uint32_t xid, std::uint32_t sub_xid, const Send& send);
    void part_that_is_aborted(std::uint32_t xid, std::vector<std::uint32_t>& aborted,
                              const Send& send);
    void one_that_is_never_committed(const Send& send);

    World& world_;
    const History& history_;
    const std::uint8_t publications_;
    StreamCounts& counts_;
    std::map<std::size_t, Streamed> streamed_;  // by transaction
    std::vector<std::uint32_t> doomed_;
    std::uint32_t next_sub_ = 0x4000'0000;
    std::uint32_t next_doomed_ = 0x3000'0000;
};

}  // namespace pgc::sim
