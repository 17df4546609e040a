// What is reported while a source is set up: warnings of the server and of the slot, and why it was
// given up.
//
// Pure but for the log. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "observe/log.h"
#include "pgclient/connection.h"
#include "pgclient/link.h"
#include "postgres/setup/slot.h"

namespace pgc {

// Of a connection that others can read, and of bugs of this version. `replication` is connected.
void warn_of_server(const Logger& logger, const Link& replication, const ConnectionConfig& config,
                    int server_version);
// Of one that is about to be lost.
void warn_of_slot(const Logger& logger, const SlotState& slot);

// What to do about transactions that a new slot waits for.
std::string_view what_holds_up_slots(bool standby) noexcept;

// Both are retried.
Error no_connection_in_time(const ConnectionConfig& config);
Error slot_not_created(const std::string& slot, bool standby);

}  // namespace pgc
