// What keeps us from brokers, as far as it was reported: of all that was reported, the cause that
// says most is the answer, whichever came first or last.
//
// A certificate that is not believed comes with connections that break, a wrong password with
// requests that find nobody; which of them is reported first is chance. So a broker's error is
// only replaced by one that says as much, and what says less is not shown beside it.
//
// Threads: one.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"

namespace pgc {

// How much an error says of its cause: 0 that there was no answer, 1 that nobody was reached,
// 2 what has to be changed before there can be one.
int kafka_cause_rank(const Error& error) noexcept;

class KafkaBrokerErrors {
public:
    // librdkafka repeats what lasts every 30 s: what was not repeated is over.
    static constexpr Duration kLasts = std::chrono::seconds{45};
    static constexpr std::size_t kBrokers_max = 64;

    // Of one broker, or of none that was named (empty).
    void add(std::string_view broker, Error error, Instant now);
    // Nobody can be reached: says less than any of the others.
    void all_down(Error error, Instant now);
    // Somebody was: all that was reported is over.
    void clear() noexcept;

    struct Worst {
        Error error;       // `where` names the broker
        Instant since;     // when the first of those that last was met
        bool all_brokers;  // nobody can be reached
    };
    // The one that says most; of those that say as much, the newest. Nothing if all is well as
    // far as we know.
    std::optional<Worst> worst(Instant now) const;

private:
    struct Entry {
        Error error;
        Instant since;
        Instant last;
    };
    std::map<std::string, Entry, std::less<>> by_broker_;
    std::optional<Entry> all_down_;
};

}  // namespace pgc
