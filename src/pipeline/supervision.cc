#include "pipeline/supervision.h"

#include <algorithm>

namespace pgc {

Supervision::Decision Supervision::failed(const Error& error, Instant now) {
    std::string text = describe(error);
    const bool is_new = text != last_;
    times_ = is_new ? 1 : times_ + 1;
    last_ = std::move(text);

    Decision decision{.stop = error.next == Error::Next::stop, .times = times_};
    decision.report = is_new || decision.stop || now - reported_ >= kReport_every;
    if (decision.report) reported_ = now;
    if (decision.stop) return decision;

    const auto half = static_cast<std::uint64_t>(pause_.count() / 2);
    decision.pause = Duration{static_cast<Duration::rep>(half + random_.below(half + 1))};
    pause_ = std::min(pause_ * 2, kPause_max);
    return decision;
}

}  // namespace pgc
