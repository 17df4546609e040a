// What of HTTP the registry's client uses, so that a registry in memory can stand in.
//
// Threads: one, the owner's.
#pragma once

#include <vector>

#include "base/wait.h"
#include "http/client.h"

namespace pgc {

class RegistryHttp {
public:
    using Id = HttpClient::Id;
    using Finished = HttpClient::Finished;

    RegistryHttp() = default;
    RegistryHttp(const RegistryHttp&) = delete;
    RegistryHttp& operator=(const RegistryHttp&) = delete;
    virtual ~RegistryHttp() = default;

    virtual bool full() const = 0;
    // As those of HttpClient.
    [[nodiscard]] virtual Result<Id> begin(HttpCall call) = 0;
    [[nodiscard]] virtual std::vector<Finished> poll() = 0;
    virtual void give_up(Id id) = 0;
    // Adds what poll() waits for; nothing where nothing is in flight.
    virtual void wants(Wants& wants) const = 0;
};

}  // namespace pgc
