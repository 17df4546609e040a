// Turns host names into addresses without stopping the caller.
//
// getaddrinfo() blocks for as long as the name servers like, and libpq calls it in the
// midst of its "non-blocking" connect. So names are looked up here first, on a thread of
// their own, and libpq is given addresses: every address of every host as one entry of its
// lists, in order. Addresses and socket directories need no look-up and no thread.
//
// The thread can't be cancelled. It is left behind when the look-up is destroyed early: it
// owns what it writes to, together with the object, and ends when getaddrinfo() does.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/connection.h"

namespace pgc {

// As libpq wants them: lists of equal length, comma-separated.
struct AddressList {
    std::string hosts;
    std::string addresses;  // empty items for sockets
    std::string ports;
};

// One entry of the lists.
struct HostEntry {
    std::string host;
    std::string address;
    std::string port;

    bool operator==(const HostEntry&) const = default;
};

// The same entries, beginning with the one after `last`; as they are if it is none of them.
// libpq passes a host over that refuses, but waits for ever for one that is silent: who gives
// up on a silent one begins with the next.
AddressList beginning_after(const AddressList& list, const HostEntry& last);

class AddressLookup {
public:
    explicit AddressLookup(std::vector<PostgresHost> hosts);
    ~AddressLookup();
    AddressLookup(const AddressLookup&) = delete;
    AddressLookup& operator=(const AddressLookup&) = delete;

    // Readable once take() has an answer.
    int fd() const noexcept;
    // Nothing while looking up; an Error when not one host is known. Once.
    std::optional<Result<AddressList>> take();

private:
    struct Shared;
    std::shared_ptr<Shared> shared_;
};

}  // namespace pgc
