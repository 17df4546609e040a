// The process's environment as a value: read once, handed down.
//
// Only main calls these, before there are threads: libraries read the environment without a lock,
// from any thread, so nothing changes it afterwards (tools/house_rules.py).
#pragma once

#include <map>
#include <span>
#include <string>

namespace pgc {

using Environment = std::map<std::string, std::string, std::less<>>;

// The real one.
Environment read_environment();

// Takes these variables out of the real one, so that no library reads them.
void remove_from_environment(std::span<const char* const> names) noexcept;

}  // namespace pgc
