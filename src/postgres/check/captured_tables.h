// Which tables will be followed, for the other side of `check`.
#pragma once

#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"

namespace pgc {

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
