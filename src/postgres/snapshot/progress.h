// Which rows are still to be read: the snapshots under way, their tables done, and of tables
// half done the ranges of keys that are left.
//
// As a text it is stored beside the position. One line a fact:
//
//   snapshot 1                   version of this text
//   request initial all          id; all: every captured table, else the patterns follow
//   table public.orders
//   where id > 5
//   reload EXPORT_START 0/1634FA0   it is a reload: how and where it was ordered
//   paused
//   messaged                     it was requested by a logical message
//   begun                        rows were sent
//   meant 16402 4                tables that are meant and not done, whatever they are called by
//                                now: rising OIDs, each but the first less the one before
//   done 16384 3 1 120           tables that are done, likewise
//   open 16402 16400 id:20::16405.742
//                                a table half done, as what its rows are shown, what orders it (a
//                                word for each column of its key), and what is left of it:
//   begun                        rows of it were sent
//   called public orders         under this name
//   columns 5 1311768467         while it was this: its last column's number, and a sum of the
//                                columns' rows in the catalog and of the number of its file
//   left 1,a%2Cb -               after this key, up to that; - is no bound
//   alone 7,x                    this key alone
//
// In words, bytes below 0x21, 0x7F, '%' and ',' are written as %XX; an empty word as %.
// The text "all" stands for one request, kWholeSnapshotId, of everything.
//
// Pure. Threads: any.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/ids.h"
#include "core/relation.h"
#include "core/snapshot.h"
#include "postgres/snapshot/key.h"

namespace pgc {

// What orders a table, of one column. If any of it is another one now, ranges of keys are
// worthless: other rows are on this side of a key than were.
struct Ordering {
    std::string column;
    Oid type;
    std::string unusual{};  // operators or collation that are not the type's usual ones
    // Of the index and of the column's row in the catalog. A column that was dropped and made
    // again, or altered with other values (USING), is no other one by its name and its type.
    std::string version{};
};
std::string ordering_word(const Ordering& ordering);
// The column of such a word; empty if it is none.
std::string_view ordered_column(std::string_view word) noexcept;

// Which columns rows of a table were read with.
struct ColumnsRead {
    std::uint32_t last = 0;  // its number; 0: not stored
    std::uint32_t sum = 0;   // of the catalog's rows up to that, and of the table's file
    bool operator==(const ColumnsRead&) const = default;
};

struct OpenTable {
    Oid shown;
    Key key;  // what orders it: an ordering_word() each
    std::vector<KeyRange> left{};
    bool begun = false;    // rows of it were sent …
    std::string schema{};  // … under this name; empty: an earlier version has not stored it
    std::string name{};
    ColumnsRead columns{};
    bool operator==(const OpenTable&) const = default;
};

struct SnapshotJob {
    SnapshotRequest request;  // no tables: all
    bool paused = false;
    bool messaged = false;  // requested by a logical message, which every role may emit
    bool begun = false;     // rows of some table were sent
    // Unless all are: tables that it has to read yet, and that may be called otherwise by now.
    std::set<Oid> pending{};
    std::set<Oid> done{};
    std::map<Oid, OpenTable> open{};

    bool all() const noexcept { return request.tables.empty(); }
    bool operator==(const SnapshotJob&) const = default;
};

// More keys alone than this, of rows that moved, and the table is read again.
inline constexpr std::size_t kAlone_max = 500;
// The relation's key has the columns that order the table.
bool has_key_of(const Relation& relation, const OpenTable& open);
// A row of the table has got this key, or one that has no text.
void add_moved(OpenTable& open, const std::optional<Key>& key);

// What is stored is small, whatever moved and however long keys are: a position topic takes
// records of 1 MiB, a file of 16 MiB is not read. Of a longer text the tables half done with the
// longest lists are read again, until it fits.
inline constexpr std::size_t kProgressBytes_max = std::size_t{256} << 10;
std::vector<SnapshotJob> bounded(std::vector<SnapshotJob> jobs);

std::string write_progress(const std::vector<SnapshotJob>& jobs);
// What is wrong with the text otherwise. An empty one is no job.
[[nodiscard]] Result<std::vector<SnapshotJob>, std::string> read_progress(std::string_view text);

}  // namespace pgc
