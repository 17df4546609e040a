#include "postgres/source/two_phase.h"

#include <algorithm>
#include <string>
#include <string_view>

#include "base/percent.h"

namespace pgc {

namespace {

// Whatever the application has put into it: one line, and not a long one.
std::string shown(std::string_view gid) {
    constexpr std::size_t longest = 80;
    std::string text;
    percent_encode(text, gid.substr(0, longest), is_plain_in_line);
    return gid.size() > longest ? text + "..." : text;
}

double seconds(Duration duration) {
    return std::chrono::duration<double>(duration).count();
}

}  // namespace

TwoPhase::TwoPhase(Metrics& metrics, const Clock& clock, Logger logger)
    : metrics_(metrics), clock_(clock), logger_(std::move(logger)) {}

TwoPhase::~TwoPhase() {
    metrics_.gauge(Metric::prepared_transactions).set(0);
    metrics_.gauge(Metric::prepared_transaction_age_seconds).set(0);
}

void TwoPhase::report() {
    const Instant now = clock_.now();
    if (now < report_at_) return;
    report_at_ = now + kEvery;
    const auto* const oldest = transactions_.oldest();
    const std::chrono::microseconds since{
        oldest == nullptr ? 0 : clock_.wall().unix_us - oldest->prepared_at.unix_us};
    const Duration age = std::max<Duration>(since, Duration{0});
    metrics_.gauge(Metric::prepared_transactions)
        .set(static_cast<double>(transactions_.undecided()));
    metrics_.gauge(Metric::prepared_transaction_age_seconds).set(seconds(age));
    if (age < kLong || (oldest->xid == warned_of_ && now < warn_at_)) return;
    warned_of_ = oldest->xid;
    warn_at_ = now + kLong;
    logger_.warning(
        "a prepared transaction is not decided: the server keeps its log from there on",
        {{"gid", shown(oldest->gid)},
         {"xid", oldest->xid.value},
         {"for_seconds", static_cast<std::uint64_t>(seconds(age))},
         {"undecided", transactions_.undecided()},
         {"hint",
          "COMMIT PREPARED or ROLLBACK PREPARED, whichever its transaction manager has decided; "
          "SELECT * FROM pg_prepared_xacts shows all of them"}});
}

}  // namespace pgc
