// Which tables' rows are captured, and which of them were not when that was looked at before.
//
// What such a table held before is in no stream, however it has come: a partition attached, a table
// moved to another schema or logged at last, filters widened, a publication altered by whomever.
// So what was captured is remembered beside the position (Source::memory), and compared at each
// start and each look:
//
//   captured 16384,3*771,1       OIDs, rising, each but the first less the one before; - for none;
//                                after the * what attached it
//   captured all 16384,3,1       these were all tables of the database that can be captured
//
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/ids.h"

namespace pgc {

struct CoveredTable {
    Oid oid;           // of a table that holds rows, whatever name they are shown under
    std::string name;  // quoted
    // If any table was captured when it was created, this one was, and it is the first one that
    // its rows have lain in: nothing moved them here from where they were not in the log.
    bool pristine = false;
    // Captured because of a table above it: what attached it there. With another attachment it was
    // off meanwhile. 0: for its own sake.
    std::uint32_t attached_by = 0;
};

struct CoveredTables {
    bool all = false;                  // also those that will be created
    std::vector<CoveredTable> tables;  // rising OIDs
};

struct KnownTables {
    struct Table {
        Oid oid;
        std::uint32_t attached_by = 0;
        bool operator==(const Table&) const = default;
    };
    bool all = false;
    std::vector<Table> tables;  // rising OIDs
    bool operator==(const KnownTables&) const = default;
};

KnownTables known_tables(const CoveredTables& now);

// Those whose rows before they were captured nobody has sent, as far as one can know:
// one that was created since, when all are captured, had its first row captured.
std::vector<CoveredTable> come_since(const KnownTables& before, const CoveredTables& now);

// What is stored has a bound (progress.h has the greater part): of more than some 50,000 tables
// nothing is written, and empty is what it gives.
inline constexpr std::size_t kKnownBytes_max = std::size_t{256} << 10;
std::string write_known(const KnownTables& known);
// Nothing when no line of the text says it.
std::optional<KnownTables> read_known(std::string_view text);

}  // namespace pgc
