// What every format promises the pipeline: changes in, bytes out.
//
// A format turns one logical change into records. What every format would do alike is not its
// business: the pipeline splits a change of the key (pipeline/key_changes.h), adds tombstones and
// what decides the partition, and fills in the batch's lane, end, times and relations
// (pipeline/encoder.h).
//
// Threads: owned and called by the pipeline thread alone. A format may run threads of its own;
// they end before the destructor returns.
#pragma once

#include <cstddef>
#include <cstdint>
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
        waits,    // for something (a schema's id): ask again for the rest when wants() says so
        refused,  // change `next` can't be written, `error` says why. The others can
    };
    std::size_t next = 0;
    Why why = Why::all;
    // Of a refused one: a value came in a binary form that can't be read; as text it could.
    bool text_would_do = false;
    Error error{};

    static Encoded all(std::size_t changes) { return {.next = changes}; }
    static Encoded waits(std::size_t at) { return {.next = at, .why = Why::waits}; }
    static Encoded refused(std::size_t at, Error why) {
        return {.next = at, .why = Why::refused, .error = std::move(why)};
    }
};

class Format {
public:
    Format() = default;
    Format(const Format&) = delete;
    Format& operator=(const Format&) = delete;
    virtual ~Format() = default;

    // Appends the records of the changes of `batch` from index `from` on, in their order, to `out`;
    // each names its change (Record::change). Plans are compiled once for each relation slot. Never
    // blocks. The error of a refused change names table, column and LSN but no value. After an
    // Error, which is of the format as a whole, `out` is not to be used.
    [[nodiscard]] virtual Result<Encoded> encode(const Batch& batch, std::size_t from,
                                                 RecordBatch& out) = 0;

    // Adds what encode() waits for, after it said so.
    virtual void wants(Wants& wants) const = 0;
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
    // changes of `batch`.
    [[nodiscard]] virtual Result<void> write(const Batch& batch, RecordBatch& out,
                                             std::size_t first) = 0;
};

}  // namespace pgc
