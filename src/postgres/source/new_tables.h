// Tables that have come since they were looked at last, and whose rows are to be read.
//
// Those that our own alteration has let join are remembered by the publication's comment until the
// request to read them is stored. Of all others, what was captured before is what remembers them:
// it is stored together with the request, so whoever is killed between the two compares again.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/ids.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/options.h"
#include "postgres/snapshot/snapshot.h"

namespace pgc {

class NewTables {
public:
    // `config` outlives it.
    explicit NewTables(const PostgresConfig& config) : config_(config) {}

    // What was captured when pg-capture last ran: covered_tables.h.
    void recall(std::string_view memory) { captured_ = read_known(memory); }

    // A look at the publication: `joined` by our own alteration, `covered` by whomever. Requests of
    // `snapshot` what is new; `begun`: it may have read something.
    void take(const std::vector<std::string>& joined, const CoveredTables& covered,
              Snapshot& snapshot, bool begun, WallTime now);

    // The snapshot that reads what joined is stored: the comment need not remember it any more.
    bool are_stored(const Snapshot& snapshot) const noexcept {
        return !joined_.empty() && snapshot.stored_revision() >= stored_with_;
    }
    // Requires that; gives them.
    std::vector<std::string> settle() { return std::exchange(joined_, {}); }

    // As it is to be stored. None: nobody knows.
    const std::optional<KnownTables>& captured() const noexcept { return captured_; }
    // Counts its changes.
    std::uint64_t revision() const noexcept { return revision_; }

private:
    void request(std::vector<std::string> tables, std::set<Oid> known, Snapshot& snapshot,
                 bool begun, WallTime now);

    const PostgresConfig& config_;
    std::optional<KnownTables> captured_;
    std::uint64_t revision_ = 0;
    // While that is not stored: it is when the snapshot of this revision is.
    std::vector<std::string> joined_;
    std::uint64_t stored_with_ = 0;
};

}  // namespace pgc
