// What every format promises the pipeline: changes in, bytes out.
//
// A format turns one logical change into records. What every format would do alike is not its
// business: the pipeline splits a change of the key (pipeline/key_changes.h), adds tombstones and
// what decides the partition, and fills in the batch's lane, end, times and relations
// (pipeline/encoder.h).
//
// Life: made for one attempt, once the source's identity is known. It may be destroyed at any time,
// also while it waits; what has to outlive it (ids of a registry) belongs to whoever makes it.
//
// Threads: owned and called by the pipeline thread alone. A format may run threads of its own;
// they end before the destructor returns.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "core/record.h"

namespace pgc {

// How far Format::encode() got. The records of all changes before `next` are in the batch, of those
// from there on none is.
struct Encoded {
    enum class Why : std::uint8_t {
        all,      // there are no more
        waits,    // for something (a schema's id): to be called again for the rest
        refused,  // change `next` can't be written, `error` says why. Those after it are asked for
    };
    std::size_t next = 0;
    Why why = Why::all;
    // Of a refused one: a value came in a binary form that can't be read, and in text it could be.
    bool text_would_do = false;
    Error error{};

    static Encoded all(std::size_t changes) { return {.next = changes}; }
    static Encoded waits(std::size_t at) { return {.next = at, .why = Why::waits}; }
    static Encoded refused(std::size_t at, Error why) {
        return {.next = at, .why = Why::refused, .error = std::move(why)};
    }
};

// Where a transaction of the source begins or ends, for consumers who want to know.
struct TransactionMark {
    enum class Kind : std::uint8_t { begin, end };
    // How many of the records are of this table.
    struct Table {
        std::string_view schema;
        std::string_view name;
        std::uint64_t events = 0;
    };
    Kind kind = Kind::begin;
    Xid xid;
    Lsn commit_lsn;
    Lsn lsn;  // of a begin: of the first change that has a record; of an end: where the stream goes
              // on
    WallTime committed_at;
    WallTime handled_at;
    std::uint64_t ordinal = 0;  // of the first record; of an end, above that of the last
    // Only of an end: the records that were written where they belong, in the order in which the
    // tables came first; those of logical messages are in `events` and in no table.
    std::uint64_t events = 0;
    std::span<const Table> tables{};
};

class Format {
public:
    Format() = default;
    Format(const Format&) = delete;
    Format& operator=(const Format&) = delete;
    virtual ~Format() = default;

    // Appends the records of the changes of `batch` from index `from` on, in their order, to `out`.
    // Of each it fills in the relation, operation, change, commit_lsn and ordinal, key and value,
    // to_all_partitions of a TRUNCATE, and headers of its own if it has any; what they point to is
    // in out.arena. A change may have any number of records, and `batch` no changes at all.
    //
    // Until `next` is past the last change it is called again with the same batch and `out`: after
    // a wait with `next`, at each turn of the loop, whether or not what it waits for is there;
    // after a refused change with the one after it. Never blocks. What is decided once for a
    // relation is kept by its slot.
    //
    // The error of a refused change names table, column and LSN but no value. An Error instead is
    // of the format as a whole: `out` is not to be used, and the attempt ends.
    [[nodiscard]] virtual Result<Encoded> encode(const Batch& batch, std::size_t from,
                                                 RecordBatch& out) = 0;

    // Appends the one record of a mark: key, value, commit_lsn and ordinal. False: it waits,
    // nothing was appended, and it is to be called again. Never blocks. After an Error the attempt
    // ends.
    [[nodiscard]] virtual Result<bool> encode_mark(const TransactionMark& mark,
                                                   RecordBatch& out) = 0;

    // Likewise of a heartbeat, sent at `at`; a form without heartbeats appends nothing.
    [[nodiscard]] virtual Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) = 0;

    // What stands, with a line end after it, before the first record of `relation` where records
    // are lines of a file of their own; of logical messages for null. Empty: nothing. It is the
    // same for each version of a table with the same columns, and different for versions whose
    // records can't stand below one heading.
    virtual std::string heading(const Relation* relation) const = 0;

    // Adds what these wait for, after they said so; otherwise nothing.
    virtual void wants(Wants& wants) const = 0;

    // What keeps it waiting, in the words of `status`: "the schema registry http://…: Connection
    // refused"; empty while nothing does. An answer that is due in a moment is not worth saying.
    virtual std::string waits_for() const = 0;
};

// Writes what decides a record's partition where the user named columns for that. It is the same
// for every format, so that a row's partition does not depend on how it is written.
class PartitionKeys {
public:
    PartitionKeys() = default;
    PartitionKeys(const PartitionKeys&) = delete;
    PartitionKeys& operator=(const PartitionKeys&) = delete;
    virtual ~PartitionKeys() = default;

    // Fills in Record::partition_by of the records of `out` from index `first` on, which are of
    // changes of `batch`; where no columns are named for a table, it stays empty. Never blocks.
    // After an Error `out` is not to be used, and the attempt ends.
    [[nodiscard]] virtual Result<void> write(const Batch& batch, RecordBatch& out,
                                             std::size_t first) = 0;
};

}  // namespace pgc
