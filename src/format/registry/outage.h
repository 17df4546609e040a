// Logs when the registry keeps us waiting: one line after a second, one every half minute and when
// the cause becomes known, one when it is over.
//
// Threads: one, the pipeline's.
#pragma once

#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace pgc {

class RegistryOutage {
public:
    static constexpr Duration kPatience = std::chrono::seconds{1};
    static constexpr Duration kReport_every = std::chrono::seconds{30};

    RegistryOutage(Logger logger, Metrics& metrics);

    // To be called at each turn with the request that has waited longest: since when, and what
    // became of its last attempt. Nothing: none waits.
    struct Longest {
        Instant since;
        std::string url{};      // where it is asked
        std::string subject{};  // what is asked about; may be empty
        std::optional<Error> trouble{};
    };
    void look(Instant now, const std::optional<Longest>& longest);

    // "the schema registry, asked about the subject "…": …" while it is long; else empty.
    const std::string& words() const noexcept { return words_; }
    // When to look again at the latest.
    Instant next() const noexcept { return next_report_; }

private:
    void over(Instant now);

    const Logger logger_;
    Gauge& waiting_;
    Instant since_;
    Instant next_report_ = kNever;
    bool reported_ = false;
    bool knew_why_ = false;
    std::string words_;
};

}  // namespace pgc
