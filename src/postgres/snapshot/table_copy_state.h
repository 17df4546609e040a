// One table of one snapshot while it is read: what its rows are, and which parts of it are
// still to be read.
//
//   unopened ─▶ opening ─▶ open ─▶ read        every part was read; durable is another matter
//                  │         │
//                  ├─────────┴───▶ deferred    it was altered since the database's snapshot:
//                  │                           read in the next one
//                  └─▶ gone                    it was dropped: nothing to read
//
// A table with a key is read in ranges of keys, each in the key's order, chunk after chunk.
// Of each range two ends are known: up to where it was read, and up to where that is durable.
// What is not durable is what is left (left()), whatever happens to us.
//
// A table without a key is read by places (pages), which mean something only inside one
// snapshot of the database: left() knows nothing of them, and such a table starts over.
//
// Pure. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/error.h"
#include "core/relation.h"
#include "pgclient/link.h"
#include "postgres/catalog/lineage.h"
#include "postgres/snapshot/copy_rows.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/statements.h"

namespace pgc {

struct SnapshotTable {
    TableAddress address;
    TableAddress shown;  // as this its rows come
    std::uint64_t bytes = 0;
    std::string filter{};  // of rows, by the publication
    Lineage above{};       // of `shown`
};
// One that is listed twice, because two publications have it: the stream shows each row once, under
// the root's name if one of them says so, and if the condition of either holds.
void merge(SnapshotTable& table, SnapshotTable again);
// Of snapshot_tables_query(), each once.
[[nodiscard]] Result<std::vector<SnapshotTable>> read_snapshot_tables(const Rows& rows);

// As the filters mean tables, by the name they are shown under; or by their own. And one that the
// job includes already, or has half done, whatever it is called by now.
// The tables that a request names by patterns; those that can't be parsed name none.
TableFilter tables_named(const SnapshotRequest& request);

// Whether `table` is of that work, of which `named` is what its request names.
bool covers(const SnapshotJob& job, const TableFilter& named, const SnapshotTable& table);
// What is shown as these has partitions that are of that work, and others that are not.
std::set<Oid> partly_covered(const SnapshotJob& job, const TableFilter& named,
                             const std::vector<SnapshotTable>& tables);

// A column of a table. Two that are not alike are not the same, whatever they are called: values
// read by name from one of them would be shown as the other's.
struct ColumnShape {
    std::string name;
    std::int64_t number = 0;
    Oid type;  // of a domain: its base
    std::int64_t modifier = -1;
    bool operator==(const ColumnShape&) const = default;
};
// Every column that a table had is there as it was. More may have joined.
bool is_still(const std::vector<ColumnShape>& was, const std::vector<ColumnShape>& now) noexcept;

// A column as the catalog has it.
struct ColumnVersion {
    std::uint32_t number = 0;  // 0: the table's file, which is another one when rows are rewritten
    std::string version;       // another one after each alteration
    bool fills = false;        // it may have a value in rows that were there before it
};
ColumnsRead columns_read(const std::vector<ColumnVersion>& columns);
// Rows that were read with those columns have today the values that they had then: no column was
// altered, which may give it other values (USING), and none has joined that has a default. Changes
// of rows don't come of either.
bool has_values_of(const std::vector<ColumnVersion>& now, const ColumnsRead& read);

// What is known once it was opened.
struct TableShape {
    RelationPtr relation;
    std::vector<std::string> columns{};     // to be read
    std::vector<std::uint32_t> places{};    // of each in the relation
    std::vector<OrderedColumn> key{};       // empty: none
    Key ordered_by{};                       // as OpenTable::key
    std::vector<ColumnShape> was{};         // all its columns, in the database's snapshot …
    std::vector<ColumnVersion> versions{};  // … and their rows in the catalog
    CopyForm form = CopyForm::binary;
    std::int64_t rows = -1;  // an estimate
    std::uint32_t pages = 0;
};

class TableCopyState {
public:
    enum class State : std::uint8_t { unopened, opening, open, read, deferred, gone };

    // `left`: of a table half done; none: all of it.
    TableCopyState(SnapshotTable table, std::string where, std::optional<OpenTable> left);

    const SnapshotTable& table() const noexcept { return table_; }
    const std::string& where() const noexcept { return where_; }
    const TableShape& shape() const noexcept { return shape_; }
    State state() const noexcept { return state_; }
    std::string name() const { return table_.shown.schema + "." + table_.shown.name; }

    void begin_opening() noexcept { state_ = State::opening; }
    void give_back() noexcept { state_ = State::unopened; }
    void defer() noexcept { state_ = State::deferred; }
    void be_gone() noexcept { state_ = State::gone; }
    // The server can't send all of its values in binary after all.
    void read_as_text() noexcept { shape_.form = CopyForm::text; }
    // Into how many ranges it would best be split; 1: not at all.
    std::uint32_t parts_wanted(const TableShape& shape, std::size_t readers) const noexcept;
    // `bounds`: keys that cut it. Without a key it is cut into `parts` ranges of pages.
    void open(TableShape shape, const std::vector<Key>& bounds, std::uint32_t parts);

    struct Chunk {
        std::size_t part = 0;
        std::string condition;
        std::uint64_t limit = 0;  // of rows; 0: none
    };
    // The next one nobody reads; nothing when there is none just now.
    std::optional<Chunk> take(std::uint64_t rows_max);
    bool has_chunk() const noexcept;
    // Some of its rows were read, the last of them with this key.
    void read_up_to(std::size_t part, Key key);
    // The reader of a chunk has left it. `whole`: nothing is left of its part.
    void end_chunk(std::size_t part, bool whole);
    // In the midst of a part without a key: what was read of it can't be distinguished from the
    // rest.
    bool torn(std::size_t part) const noexcept { return shape_.key.empty() && parts_[part].dirty; }

    // A row has got this key, without all of its values: it is read once more. Not while the
    // table is read. Without a text for the key the whole table is.
    void read_again(std::optional<Key> key);

    void durable_up_to(std::size_t part, Key key);
    void durable_whole(std::size_t part);
    bool all_durable() const noexcept;
    bool part_read(std::size_t part) const noexcept { return parts_[part].read; }
    // Rows of it are durable.
    bool begun() const noexcept { return begun_; }
    // Of a table with a key that is or was open; nothing of any other: all of it is left.
    std::optional<OpenTable> left() const;

    std::uint64_t rows = 0;  // sent
    std::size_t place = 0;   // in its owner's list
    std::uint64_t rows_expected() const noexcept;

private:
    struct Part {
        KeyRange to_read{};  // `after` moves as it is read
        KeyRange left{};     // `after` moves as that is durable
        std::string pages{};
        // Of a row alone: others of such parts, read by the same statement.
        std::vector<std::size_t> with{};
        bool busy = false;
        bool dirty = false;  // rows of it were read
        bool read = false;
        bool durable = false;
    };

    bool is_free(const Part& part) const noexcept { return !part.busy && !part.read; }
    std::string take_alone(std::size_t part, std::uint64_t rows_max);
    void cut_by_keys(const std::vector<Key>& bounds);
    void cut_by_pages(std::uint32_t parts);

    const SnapshotTable table_;
    const std::string where_;
    std::optional<OpenTable> carried_;  // left of it before this group, until it is open
    TableShape shape_;
    State state_ = State::unopened;
    std::vector<Part> parts_;
    bool anew_ = false;  // whatever was read of it
    bool begun_;         // rows of it are durable
};

}  // namespace pgc
