// What tables are partitions of, and were until lately.
//
// The catalog is today's, the stream is older: a table may be detached, dropped, or what is above
// it renamed, before changes are decoded that were committed earlier. So what it was below is
// remembered until the stream, all of it durable, has passed the place at which that was seen to
// be over; and it is stored with the position, so that it survives whoever saw it.
//
// Remembered are tables whose own name the filters do not decide: those that a table above them
// brings in; and, where a list of somebody else's is read, the others on it as well, or nobody
// could distinguish one of them from a partition that is gone.
//
//   1;n<above>:16400,3,5;b<above>@16B374D848:16390
//
// is the text: a version, then groups of tables: below what they are now (n) or were before (b),
// up to which place of the log where that is known, and rising OIDs, each but the first less the
// one before. <above> is schema.name/schema.name, nearest first; bytes of names that are not
// letters, digits, '_', '-' or beyond ASCII are written as %XX.
//
// Pure. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "base/lsn.h"
#include "core/name_pattern.h"
#include "postgres/catalog/lineage.h"

namespace pgc {

class Lineages {
public:
    // A longer text is cut: it goes into the record of the position, and a topic takes 1 MiB. There
    // is room for 20,000 partitions and more.
    static constexpr std::size_t kText_max = std::size_t{128} << 10;
    // So many names a table is remembered to have been below before; the latest.
    static constexpr std::size_t kBefore_max = 32;

    // The whole catalog was looked at, and this is all there is to remember now. From when on is
    // not known; settle() comes later.
    void refresh(const std::unordered_map<Oid, Lineage>& all);
    // One table was: what is above it, and the log's end, no earlier. Not `wanted`: it is not
    // there, or of no interest as it is now.
    void saw(Oid table, const Lineage& above, bool wanted, Lsn log_end);
    // The log ended here after the last refresh().
    void settle(Lsn log_end);
    // Everything before is durable and will not come again: those that it changes for.
    std::vector<Oid> forget(Lsn durable);

    bool knows(Oid table) const { return tables_.contains(table); }
    // All that it is and was below.
    Lineage above(Oid table) const;
    // Changes with all that is remembered.
    std::uint64_t revision() const noexcept { return revision_; }

    struct Text {
        std::string text;   // empty: nothing
        bool whole = true;  // nothing was cut off
    };
    // Those below something that `filter` matches come first.
    Text text(const TableFilter& filter) const;
    // Adds what a text says, of a process before; what is wrong with it otherwise.
    [[nodiscard]] Result<void, std::string> read(std::string_view text);

private:
    struct Known {
        std::optional<Lineage> now;     // empty: below nothing
        std::optional<Lineage> before;  // the latest last
        std::optional<Lsn> until;       // of `before`; none: not known yet
    };

    void set(Known& known, const Lineage& above, std::optional<Lsn> since);
    void retire(Known& known, std::optional<Lsn> since);
    [[nodiscard]] bool read_group(std::string_view group);

    std::map<Oid, Known> tables_;
    std::size_t unsettled_ = 0;  // entries whose `before` has no `until`, or more
    std::size_t befores_ = 0;    // entries that have one
    std::uint64_t revision_ = 0;
};

}  // namespace pgc
