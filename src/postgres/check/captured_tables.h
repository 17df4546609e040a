// Which tables will be followed, for the other side of `check`.
#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"

namespace pgc {

// At most so many tables are named in a finding, or have findings of their own.
inline constexpr std::size_t kNamed_max = 20;

struct CapturedTable {
    std::string schema;
    std::string name;
    bool operator==(const CapturedTable&) const = default;
};

// What the publication sends of the tables meant by the filters, and what will be added to
// it: by the names their changes will carry (a partitioned table's, where it is its root's).
[[nodiscard]] Result<std::vector<CapturedTable>> captured_tables(BlockingLink& link,
                                                                 const PostgresConfig& config);

}  // namespace pgc
