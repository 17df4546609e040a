// An SQL connection's transaction in an imported snapshot: what it answers to the commands of
// postgres/snapshot/statements.h, and the rows it copies out.
//
// A table that is open here is locked against being altered until the transaction ends. One
// that was rewritten or truncated since the snapshot is not the same any more.
#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "simulation/catalog.h"
#include "simulation/server.h"
#include "simulation/slot_maker.h"
#include "simulation/tables.h"

namespace pgc::sim {

// How reading goes; each in percent.
struct ReadHabits {
    unsigned refused = 0;           // connections
    unsigned cut = 0;               // in mid-COPY
    unsigned altered = 0;           // a table is somebody else's when it is opened
    unsigned timeouts = 0;          // of COPY
    bool timeouts_are_late = true;  // after the first row, and never where there is no key
    Duration row_max{0};            // until the next row comes
    std::uint64_t bytes = 0;        // of each table, as the server says
    std::uint32_t pages = 0;        // likewise
};

// Rows on their way to the client.
struct CopyOut {
    std::deque<std::string> messages;
    std::string fails_with{};             // SQLSTATE; empty: it ends well
    std::optional<std::size_t> cut_in{};  // the connection breaks after so many more
    Instant next_at;
};

struct ReadCounts {
    std::size_t altered = 0, cuts = 0, timeouts = 0, splits = 0;
};

class Session {
public:
    Session(World& world, Server& server, SlotMaker& slots, const ReadHabits& habits,
            ReadCounts& counts)
        : world_(world), server_(server), slots_(slots), habits_(habits), counts_(counts) {}
    Session(const Session&) = delete;
    Session& operator=(const Session&) = delete;
    ~Session() { end(); }

    // In a snapshot.
    bool reading() const noexcept { return tables_ != nullptr; }
    // None: not a command for it.
    std::optional<Answered> answer(std::string_view command);
    // After an answer to COPY that is no error: its rows.
    std::unique_ptr<CopyOut> take_copy() { return std::move(copy_); }

private:
    void end();
    Answered begin(std::string_view command);
    Answered list() const;
    Answered open(std::string_view command);
    Answered columns() const;
    Answered order() const;
    std::vector<std::string> column_names() const;
    Answered split(std::string_view command) const;
    Answered copy(std::string_view command);
    std::string row(const Row& row, const std::vector<std::string>& columns, bool binary) const;

    World& world_;
    Server& server_;
    SlotMaker& slots_;
    const ReadHabits& habits_;
    ReadCounts& counts_;
    std::shared_ptr<const Tables> tables_;
    std::optional<std::uint32_t> open_;  // and locked
    bool renamed_ = false;               // its column v, and another one is called so
    std::unique_ptr<CopyOut> copy_;
};

}  // namespace pgc::sim
