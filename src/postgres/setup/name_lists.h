// Lists of quoted table names, as rounds over a publication compare and show them.
#pragma once

#include <string>
#include <vector>

namespace pgc {

// For a log line: the first of them, and how many more there are.
std::string listed(const std::vector<std::string>& names);
// Those of `these` that are not among `those`, in their order.
std::vector<std::string> only_in(const std::vector<std::string>& these,
                                 const std::vector<std::string>& those);

}  // namespace pgc
