// What may still happen before a slot is lost, for people and for programs: the same in `slots` and
// `lag`.
#pragma once

#include <string>

#include "postgres/slots/slots.h"

namespace pgc {

// What follows its status: ", lost after 3.0 GB more (max_slot_wal_keep_size)"; empty: nothing.
std::string room_text(const SlotInfo& slot);

// "safe_bytes":…,"unread_seconds":…,"unread_seconds_max":…
std::string room_json(const SlotInfo& slot);

}  // namespace pgc
