// Logs when Kafka keeps us waiting: one line after a second, one every half minute and
// when more of the cause is known, one when it is over. Nothing fails meanwhile; PostgreSQL keeps
// what we have not read.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace pgc {

class KafkaOutage {
public:
    static constexpr Duration kPatience = std::chrono::seconds{1};
    static constexpr Duration kReport_every = std::chrono::seconds{30};

    KafkaOutage(Logger logger, Metrics& metrics);

    // To be called at each turn with: what waits for Kafka (nothing: it owes us nothing), whether
    // it has confirmed or answered something since, and what it complains of.
    struct Now {
        Instant now;
        bool waiting = false;
        bool progressed = false;
        std::size_t records = 0;
    };
    void look(const Now& at, const std::optional<Error>& trouble);

    bool is_long() const noexcept { return reported_; }
    // Why, while it is long.
    const std::string& because() const noexcept { return because_; }
    // When to look again at the latest.
    Instant next() const noexcept;

private:
    const Logger logger_;
    Gauge& waiting_;
    std::optional<Instant> since_;
    Instant next_report_;
    bool reported_ = false;
    int reported_rank_ = 0;  // how much of the cause
    std::string because_;
};

}  // namespace pgc
