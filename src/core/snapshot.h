// Rows that were there before the stream: what is asked for, and how far it got.
//
// A snapshot is read beside the stream by the source. Its rows come as changes with
// Operation::read, in batches of a lane of their own (kSnapshotLane), each row as it was at
// one LSN: everything that committed before that LSN was sent before the row, everything after
// comes after it. How that is done is up to the source.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/lsn.h"
#include "core/position.h"
#include "core/relation.h"

namespace pgc {

inline constexpr Lane kSnapshotLane{1};

// When everything is read without being asked for.
enum class SnapshotMode : std::uint8_t {
    never,
    initial,      // when no position is stored
    when_needed,  // and when the stream can't be resumed
    always,       // at each start of the process
    only,         // likewise, and then the process ends
};

// As the progress of a snapshot (Source::start): everything is to be read, nothing was yet.
inline constexpr std::string_view kWholeSnapshot = "all";
// The id of the snapshot of everything.
inline constexpr std::string_view kWholeSnapshotId = "initial";

// What makes a snapshot a reload: whoever keeps rows of snapshots apart from the stream has each of
// its tables again, as a whole, and says of the table what it is at meanwhile (ReloadChange).
struct ReloadOrder {
    std::string by;  // how it was ordered: one word
    Lsn at{};        // where: what committed before is in it; none: not known yet
    bool operator==(const ReloadOrder&) const = default;
};
inline constexpr std::string_view kOrderedByRequest = "request";
inline constexpr std::string_view kOrderedByMessage = "message";
inline constexpr std::string_view kOrderedByMarker = "EXPORT_START";

// A snapshot of some tables, asked for while the stream runs.
struct SnapshotRequest {
    std::string id;                       // is_snapshot_id(); unique among those under way
    std::vector<std::string> tables;      // patterns: schema.table
    std::string where{};                  // an SQL condition; empty: all rows
    std::optional<ReloadOrder> reload{};  // then of all rows

    bool operator==(const SnapshotRequest&) const = default;
};

// 1 to 64 letters, digits, '_', '-' and '.'.
bool is_snapshot_id(std::string_view text) noexcept;

struct SnapshotCommand {
    enum class Verb : std::uint8_t { start, pause, resume, cancel };
    Verb verb = Verb::start;
    // But for `start`: its id counts; without one, all that were requested, or those that name one
    // of its tables.
    SnapshotRequest request;
};

// A table whose rows a snapshot has read, or does not read any more.
struct SnapshotTableEnd {
    std::string id;  // of the snapshot
    std::string schema;
    std::string name;      // as its rows are shown
    RelationPtr relation;  // as its rows were read; null: it was never opened
    bool whole = false;    // all of them were read; false: that was given up
    Lsn as_of{};           // of the last that were read, or of there being none; none: not known
};

// What becomes of a table of which a reload was ordered (that it is read is a SnapshotTableEnd);
// and, of any snapshot, what of its rows counts.
struct ReloadChange {
    enum class Step : std::uint8_t {
        ordered,   // it will be read
        begun,     // its first rows are being read
        over,      // what the snapshot has not read to its end by now it does not read any more
        restored,  // the source has started: of those ordered before, `left` go on, and no others
        voided,    // of any snapshot: the table is read from its beginning, and rows of it that
                   // were sent before, and of which no end was reported, are void
    };
    Step step = Step::ordered;
    std::string id{};  // of the snapshot
    ReloadOrder order{};
    std::string schema{};  // of the table, as its rows are shown; of ordered, begun, voided
    std::string name{};
    std::string why{};  // it is over with something unread; empty: the tables are gone
    std::vector<std::string> left{};  // ids
    bool half_read = false;  // of `restored`: a snapshot goes on that has sent rows; else all rows
                             // are void of which no end was reported
};

// For people: what `status` shows and the API answers.
struct SnapshotReport {
    enum class State : std::uint8_t { waiting, reading, paused, done, cancelled, failed };

    struct Table {
        std::string name;  // schema.table
        std::uint64_t rows = 0;
        std::uint64_t rows_expected = 0;  // an estimate; never less than rows
    };
    struct Request {
        std::string id;
        State state = State::waiting;
        std::string reason{};      // what it waits for, or why it failed
        std::uint64_t tables = 0;  // 0: not known yet
        std::uint64_t tables_done = 0;
        std::uint64_t rows = 0;  // durable or on their way there, in this process
        std::uint64_t rows_expected = 0;
        std::uint64_t rows_per_second = 0;  // lately
        WallTime began;
        WallTime ended{};           // none while it is under way
        std::vector<Table> open{};  // tables being read, the largest first
    };
    std::vector<Request> requests;  // the oldest first; of the ended ones the last few
};

std::string_view name(SnapshotReport::State state) noexcept;
bool is_over(SnapshotReport::State state) noexcept;

}  // namespace pgc
