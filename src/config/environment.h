// The process's environment as a value: read once, handed down.
#pragma once

#include <map>
#include <string>

namespace pgc {

using Environment = std::map<std::string, std::string, std::less<>>;

// The real one.
Environment read_environment();

}  // namespace pgc
