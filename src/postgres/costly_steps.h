// Steps for a person that cost data, in one place, so that each of them says so.
//
// tools/house_rules.py holds every text of the tree that advises to drop a slot or to remove
// a stored position to the same: it names what is lost. Steps that keep everything come first.
#pragma once

#include <string>
#include <string_view>

namespace pgc {

// Only for a slot that can't be read any more, or never to the end.
std::string begin_anew();

std::string drop_slot_step(std::string_view slot);

// For whatever else the server refuses: nothing is lost while the slot waits.
std::string_view fix_and_go_on() noexcept;

}  // namespace pgc
