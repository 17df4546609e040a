// What the tables hold at one place of the log.
#pragma once

#include <array>
#include <cstdint>
#include <map>

#include "core/change.h"
#include "simulation/history.h"

namespace pgc::sim {

struct TableState {
    std::map<std::int64_t, Row> rows;  // by key, as they became last
    std::uint32_t columns = 0;         // that ALTER TABLE has added
    std::uint64_t file = 1;            // another one after a TRUNCATE or a rewrite
};

using Tables = std::array<TableState, kTables>;

inline void apply(Tables& tables, const Row& row) {
    TableState& table = tables[row.table];
    switch (row.operation) {
        case Operation::truncate:
            table.rows.clear();
            ++table.file;
            return;
        case Operation::remove: table.rows.erase(row.key); return;
        default:
            if (row.old_key != 0) table.rows.erase(row.old_key);
            table.rows.insert_or_assign(row.key, row);
    }
}

}  // namespace pgc::sim
