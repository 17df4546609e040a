// A slot that nobody else can follow meanwhile: its stream is begun and not read, so nothing of it
// is confirmed. For commands that write what a start relies on.
#pragma once

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "pgclient/blocking.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/slots/standing.h"

namespace pgc {

// Held for as long as the link lives. An Error when somebody else has it: slot_in_use(). Requires:
// a slot, and a sound one: no stream could be begun of another.
[[nodiscard]] Result<BlockingLink> hold_slot(const PostgresConfig& config, LinkFactory& links,
                                             const Standing& standing, const Clock& clock,
                                             Waiter& waiter);

}  // namespace pgc
