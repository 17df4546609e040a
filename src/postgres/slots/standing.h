// Where the slot and the server stand, for a person who wants to know whether a stored position
// fits them: what a start finds out before the start guard, without making anything.
#pragma once

#include <optional>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/source.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/setup/slot.h"

namespace pgc {

struct Standing {
    SourceIdentity identity;  // slot_is_gone: there is no such slot
    std::optional<SlotState> slot;
    int server_version = 0;
    bool standby = false;
    bool two_phase = false;  // source.two_phase

    // The stream could be read from the slot, once nobody else does: an Error says why not.
    [[nodiscard]] Result<void> sound() const;
};

// All references outlive the call only.
[[nodiscard]] Result<Standing> ask_standing(const PostgresConfig& config, LinkFactory& links,
                                            const Clock& clock, Waiter& waiter);

}  // namespace pgc
