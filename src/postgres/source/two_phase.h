// Prepared transactions as the source sees them: how far the slot may be confirmed, and what is
// said of those that nobody decides.
//
// Threads: one, the owner's.
#pragma once

#include <algorithm>
#include <cstddef>

#include "base/clock.h"
#include "base/lsn.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "postgres/stream/prepared_transactions.h"

namespace pgc {

class TwoPhase {
public:
    // An undecided one keeps the server's log, and its locks, for as long as this before it is
    // logged, and then again each time that it has been as long.
    static constexpr Duration kLong = std::chrono::minutes{10};

    // Both outlive it.
    TwoPhase(Metrics& metrics, const Clock& clock, Logger logger);
    TwoPhase(const TwoPhase&) = delete;
    TwoPhase& operator=(const TwoPhase&) = delete;
    ~TwoPhase();

    PreparedTransactions& transactions() noexcept { return transactions_; }

    // What the server may forget, when everything that commits before `safe`, or before what was
    // given earlier, is safe, and all was taken of it up to `received`.
    Lsn confirmable(Lsn safe, Lsn received) noexcept {
        safe_ = std::max(safe_, safe);
        return transactions_.begin_for(std::min(safe_, received));
    }
    bool holds() const noexcept { return transactions_.undecided() > 0; }

    // To be called often.
    void report();

private:
    static constexpr Duration kEvery = std::chrono::seconds{1};

    Metrics& metrics_;
    const Clock& clock_;
    const Logger logger_;
    PreparedTransactions transactions_;
    Lsn safe_;
    Instant report_at_{};
    Xid warned_of_;
    Instant warn_at_{};
};

}  // namespace pgc
