// Link over libpq.
//
//   looking up ─▶ connecting ─▶ pinning ─▶ ready ⇄ command ─▶ copying ─▶ leaving copy
//
// Non-blocking throughout: names are looked up aside (address_lookup.h), libpq only gets
// addresses; the TLS handshake goes on with the socket. What remains on the calling thread
// is computation: loading authorities (milliseconds with "system"), SCRAM's hash.
//
// Nothing reaches libpq but what is set here: main takes libpq's own variables (PGSERVICE,
// PGHOSTADDR, …) out of the environment (parameters.h), and every parameter that libpq would look
// for in files (.pgpass, ~/.postgresql) is given a value.
//
// After an Error that the server sent for a command the link lives on; after any other
// it is dead. No time limits here: the owner, who has a clock, gives up on a link.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "observe/log.h"
#include "pgclient/connection.h"
#include "pgclient/link.h"

namespace pgc {

struct HostEntry;

class LibpqLinkFactory final : public LinkFactory {
public:
    LibpqLinkFactory(ConnectionConfig config, std::string application_name, Logger logger);

    Result<std::unique_ptr<Link>> make(Use use) override;

private:
    ConnectionConfig config_;
    std::string application_name_;
    std::shared_ptr<HostEntry> silent_;  // who let the last attempt wait in vain; shared with links
    Logger logger_;
};

// How our sessions call themselves. `instance` distinguishes this process from every other with the
// same slot: a session that bears it and is not one of ours any more may be ended.
std::string application_name(std::string_view slot, std::uint64_t instance);

}  // namespace pgc
