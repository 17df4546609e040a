// One connection that reads tables in an exported snapshot, chunk after chunk.
//
//   away ─▶ connecting ─▶ idle ─▶ opening ─▶ [inspecting]
//                          ▲                    │
//                          │                    └─▶ asking ─▶ copying ─▶ ending
//                          └─────────────────────────────────────────────┘
//
// opening    a transaction in the snapshot, the table locked against being altered (ACCESS
//            SHARE, for this chunk only) and compared with what it was
// inspecting of a table that nobody has opened yet: table_inspection.h
// copying    chunk_rows.h
//
// What the server says against a table (altered, dropped) ends the chunk, not the reader: see
// refusal.h and Event. A connection that breaks is made again; what was read of its chunk counts,
// the rest is somebody's next chunk. Nothing blocks. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "core/change.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "postgres/options.h"
#include "postgres/relations/relations.h"
#include "postgres/relations/source_carry_over.h"
#include "postgres/snapshot/chunk_rows.h"
#include "postgres/snapshot/table_copy_state.h"
#include "postgres/snapshot/table_inspection.h"

namespace pgc {

class TableCopier {
public:
    struct Deps {
        const PostgresConfig& config;
        LinkFactory& links;
        Relations& relations;
        const SourceCarryOver& carry_over;
        Logger logger;
    };
    // All references must outlive it.
    explicit TableCopier(Deps deps);
    TableCopier(const TableCopier&) = delete;
    TableCopier& operator=(const TableCopier&) = delete;
    ~TableCopier();

    enum class Event : std::uint8_t {
        none,
        ended,          // the chunk is over, or was given up: its table says what is left
        table_failed,   // what can't be read is not ours to read: failure()
        snapshot_lost,  // the exported snapshot is not there any more
    };
    // An Error when no connection can be had, or the server talks nonsense.
    [[nodiscard]] Result<Event> step(Instant now);
    const Error& failure() const noexcept { return *failure_; }

    bool idle() const noexcept { return state_ == State::idle; }
    bool copying() const noexcept { return state_ == State::copying; }
    // At most so many rows of its chunk are still to be read.
    std::uint64_t rows_to_come() const noexcept {
        return has_chunk_ && chunk_.limit > chunk_read_ ? chunk_.limit - chunk_read_ : 0;
    }
    // It is at a table.
    bool busy() const noexcept { return state_ > State::asked; }
    // Requires idle(). An SQL question of the owner's, to be followed by answer().
    [[nodiscard]] Result<void> ask(const std::string& text);
    [[nodiscard]] Result<std::optional<Rows>> answer(Instant now);

    struct Task {
        std::shared_ptr<TableCopyState> table;
        std::string snapshot;
        std::vector<std::string> publications;
        std::uint64_t chunk_rows = 0;
        std::size_t readers = 1;
        Duration statement_timeout{0};
    };
    // Requires idle(), and a table that is unopened or has a chunk.
    [[nodiscard]] Result<Event> begin(Task task, Instant now);
    const std::shared_ptr<TableCopyState>& table() const noexcept { return task_.table; }
    std::size_t part() const noexcept { return chunk_.part; }
    // After Event::ended: the part its chunk was of; nothing when it had none.
    std::optional<std::size_t> ended_part() const noexcept { return ended_part_; }
    // Requires idle(). Ends the transaction, if there is one, and with it the lock.
    void rest();

    using ReadRows = ChunkRows::Read;
    // Requires copying(). Appends rows that have arrived.
    [[nodiscard]] Result<ReadRows> read(Batch& batch, std::size_t max_changes,
                                        std::size_t max_bytes, bool keep_last);
    // Gives up what it is at.
    void abandon();

    void wants(Wants& wants, bool reading) const;

private:
    // In this order: after `asked` it is at a table.
    enum class State : std::uint8_t {
        away,
        connecting,
        resting,  // the transaction is being ended
        idle,
        asked,
        opening,
        inspecting,
        asking,
        copying,
        ending,
    };

    Result<Event> connect(Instant now);
    Result<Event> take_answer(Instant now);
    Result<Event> refused(Error error, Instant now);
    Result<Event> lost(Error error, Instant now);
    Event disconnect();
    Event end_chunk(bool whole);
    Result<Event> take_opened(const Rows& rows);
    Result<Event> inspect(std::vector<ColumnShape> now);
    Result<Event> take_inspected(const Result<TableInspection::Step>& step);
    Event altered(std::string_view when);
    Result<Event> open();
    Result<Event> begin_copy();
    Result<void> send(const std::string& command, State next);
    Error broken(std::string_view what) const;

    const Deps deps_;
    State state_ = State::away;
    std::unique_ptr<Link> link_;
    Link::Connecting connecting_ = Link::Connecting::wait_writable;
    Instant connect_at_{};
    Instant deadline_ = kNever;
    int failed_connects_ = 0;
    std::optional<Error> failure_;

    Task task_;
    std::optional<TableInspection> inspection_;  // while the table is opened
    bool holds_ = false;                         // a transaction
    bool has_chunk_ = false;
    TableCopyState::Chunk chunk_;
    std::optional<std::size_t> ended_part_;
    std::uint64_t chunk_read_ = 0;
    std::optional<ChunkRows> rows_;
};

}  // namespace pgc
