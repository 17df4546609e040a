// Gets an answer to each request, however long that takes: several addresses in turn, pauses that
// grow, again and again.
//
//   ask ─▶ due ─▶ in flight ─┬─ ok, absent, refused, denied ─▶ answered
//           ▲                │
//           └── next address, at once; after the last a pause
//
// What an address answers first decides where the next request goes. A certificate that is not
// trusted, or a file of ours that can't be used, is only an answer once every address fails so.
//
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/wait.h"
#include "format/registry/answer.h"
#include "format/registry/config.h"
#include "format/registry/http_port.h"
#include "format/registry/outage.h"
#include "format/registry/request.h"
#include "observe/log.h"
#include "observe/metrics.h"

namespace pgc {

class RegistryLine {
public:
    // All but the logger outlive it.
    struct Deps {
        const RegistryConfig& config;
        RegistryHttp& http;
        const Clock& clock;
        Metrics& metrics;
        Logger logger;
        std::uint64_t seed = 0;  // of the pauses' jitter
    };
    explicit RegistryLine(Deps deps);
    RegistryLine(const RegistryLine&) = delete;
    RegistryLine& operator=(const RegistryLine&) = delete;
    ~RegistryLine();

    using Ticket = std::uint64_t;
    Ticket ask(RegistryRequest request);
    // The answer, once; none while it is not there. Never `failed`.
    std::optional<RegistryAnswer> take(Ticket ticket);
    // Nobody waits for the answer any more.
    void drop(Ticket ticket);

    // Sends what is due, receives what has come. Never blocks. Whatever is there then is to be
    // taken before wants() is asked for: that adds what act() waits for.
    void act();
    void wants(Wants& wants) const;
    const std::string& waits_for() const noexcept { return outage_.words(); }

private:
    struct Pending {
        RegistryRequest request;
        Instant asked;
        Instant due;
        std::size_t url = 0;          // where it goes, or has gone
        std::size_t failed_here = 0;  // addresses of this round
        bool hopeless = true;         // all of them in a way that doesn't pass by itself
        std::uint64_t rounds = 0;     // that failed
        std::optional<RegistryHttp::Id> in_flight{};
        std::optional<Error> trouble{};
        std::optional<RegistryAnswer> answer{};
    };

    void send_due();
    Result<RegistryHttp::Id> send(const Pending& pending);
    void receive(Pending& pending, const Result<HttpAnswer>& answer);
    void failed(Pending& pending, Error error);
    Duration pause(std::uint64_t rounds);
    void watch();

    const RegistryConfig& config_;
    RegistryHttp& http_;
    const Clock& clock_;
    Metrics& metrics_;
    const Logger logger_;
    Random random_;
    RegistryOutage outage_;
    std::size_t url_ = 0;  // that answered last
    std::map<Ticket, Pending> pending_;
    Ticket last_ticket_ = 0;
};

}  // namespace pgc
