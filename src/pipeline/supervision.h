// What follows from an error: the one place where that is decided.
//
//   stop    an Error that says so: somebody has to fix something
//   restart likewise: nothing failed, but the next attempt goes another way. It is begun like one
//           after a failure, so that a decision that does not help can't spin
//   retry   after a pause that grows from kPause_min to kPause_max, by chance between a half
//           and the whole of it, so that many pipelines don't come back in step
//
// The longest pause is what recovery may take after the peer is back (2 s, with the
// connecting). progressed() makes the next pause short again. The same error in a row is
// counted, and logged when it is new and then every kReport_every.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <string>

#include "base/clock.h"
#include "base/error.h"
#include "base/random.h"

namespace pgc {

class Supervision {
public:
    static constexpr Duration kPause_min = std::chrono::milliseconds{100};
    static constexpr Duration kPause_max = std::chrono::milliseconds{1500};
    static constexpr Duration kReport_every = std::chrono::seconds{10};

    explicit Supervision(Random& random) noexcept : random_(random) {}

    struct Decision {
        bool stop = false;
        bool report = false;      // worth a line in the log
        std::uint64_t times = 1;  // how often this error came in a row
        Duration pause{0};        // before the next attempt
    };
    Decision failed(const Error& error, Instant now);

    // Something became durable, or the stream held for a while.
    void progressed() noexcept { pause_ = kPause_min; }

private:
    Random& random_;
    Duration pause_ = kPause_min;
    std::string last_;
    std::uint64_t times_ = 0;
    Instant reported_;
};

}  // namespace pgc
