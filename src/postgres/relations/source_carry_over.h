// What must outlive a source: kept by whoever makes sources, handed to each in turn.
//
// After an Error a source is destroyed and another one built. What the server could not send, or
// we not read, in binary is in its log still and would come again: hence "ask for text" sticks
// until the slot has passed all that was in the log then.
//
// The catalog is today's, the stream may be older: types of relations in use are remembered, so
// that rows keep their form when a type is dropped before they are decoded. So is what tables are
// and were partitions of (lineages.h), which outlives the process, too: Source::recall().
#pragma once

#include <cstddef>
#include <optional>
#include <set>
#include <string>
#include <unordered_map>

#include "base/ids.h"
#include "base/lsn.h"
#include "postgres/relations/lineages.h"
#include "postgres/types/type_map.h"

namespace pgc {

struct SourceCarryOver {
    // More types than that are not remembered: who makes and drops types without end gets text.
    static constexpr std::size_t kTypes_max = 20'000;

    bool text_only = false;
    std::optional<Lsn> text_until{};  // set by the source that connects next
    // Until it is here, transactions are not asked for before they are committed: there was no
    // place for them.
    Lsn unstreamed_until{};
    bool reported_unusable_spill = false;
    // The slot is older than the second publication: its place in the log has only the first.
    bool without_inserts = false;
    std::unordered_map<Oid, CatalogType> types{};
    Lineages lineages{};
    bool recalled = false;               // what a process before had stored of them was read
    bool reported_cut = false;           // that not all of them can be stored
    bool reported_captured_cut = false;  // nor all captured tables
    std::set<std::string>
        reported_left{};  // tables that no filter names, reported (UnnamedTableLog)
};

}  // namespace pgc
