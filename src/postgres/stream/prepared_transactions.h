// Transactions that are prepared (PREPARE TRANSACTION), and how far the slot may be confirmed for
// their sake.
//
//        PREPARE a        INSERT b (published)      COMMIT PREPARED a
//   ───────┼────────────────────┼───────────────────────────┼──────────▶ log
//          └ the rows of a are sent here, and only here     └ published here, without rows from the
//                                                             server
//
// A server that is confirmed past the first sends the second without rows after a restart. So its
// place is held from the first until what commits at the second is durable. What is rolled back
// holds nothing any more.
//
// Pure. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <deque>
#include <map>
#include <string>

#include "base/clock.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "postgres/pgoutput/messages.h"

namespace pgc {

class PreparedTransactions {
public:
    struct Prepared {
        Xid xid;
        std::string gid;  // in the words of whoever prepared it
        WallTime prepared_at;
    };

    void add(const pgoutput::Prepare& prepare);
    // Prepared, and not decided.
    bool knows(Xid xid) const noexcept { return find(xid) != undecided_.end(); }
    // Both require that it is known.
    void committed(Xid xid, Lsn commit);
    void rolled_back(Xid xid) noexcept { undecided_.erase(find(xid)); }

    // Where the stream has to begin to bring all that commits at or after `lsn`, which is not
    // later. What commits before is asked for no more: `lsn` never falls.
    Lsn begin_for(Lsn lsn) noexcept;

    std::size_t undecided() const noexcept { return undecided_.size(); }
    // The one that was prepared first; null: there is none.
    const Prepared* oldest() const noexcept {
        return undecided_.empty() ? nullptr : &undecided_.begin()->second;
    }

private:
    using Undecided = std::map<Lsn, Prepared>;  // by the place of PREPARE
    struct Committed {
        Lsn prepare;
        Lsn commit;
    };

    Undecided::const_iterator find(Xid xid) const noexcept;

    Undecided undecided_;
    std::deque<Committed> committed_;  // both rise: one that another outlasts on both sides is gone
};

}  // namespace pgc
