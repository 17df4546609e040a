// Slots that are being made on replication connections, and the snapshots that come with them.
//
//   waits    a slot is not made before the transactions are over that were running when it was
//            asked for: also one that waits, with its commit in the log, to be let go (Server's
//            hanging ones). Its change may have been streamed long before
//   exact    the exported snapshot shows what committed before the consistent point, and nothing
//            else, whatever an ordinary snapshot would show
//   lives    as long as its connection, and until that one's next command
//   names    a temporary slot takes its name as long as the server makes it or its connection
//            is there; the server notices late that a client has gone
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/lsn.h"
#include "simulation/server.h"
#include "simulation/tables.h"
#include "simulation/world.h"

namespace pgc::sim {

class SlotMaker {
public:
    SlotMaker(World& world, Server& server) : world_(world), server_(server) {}

    enum class State : std::uint8_t { making, made, failed };
    struct Slot {
        std::string name;
        bool temporary = false;
        bool exports = false;
        bool two_phase = false;
        State state = State::making;
        Instant due;
        Instant reported_at;  // its client; later than it was made
        Lsn at;
        std::string snapshot{};  // its name; empty: none
        std::shared_ptr<const Tables> tables{};
        bool over = false;  // its snapshot is no more
        bool left = false;  // its client has gone
        std::uint64_t cuts = 0;
        std::uint64_t starts = 0;
    };

    // Null when the name is taken.
    std::shared_ptr<Slot> begin(std::string name, bool temporary, bool exports, bool two_phase);
    // The connection got its next command.
    static void end_snapshot(Slot& slot) { slot.over = true; }
    // DROP_REPLICATION_SLOT; false: there is none.
    bool drop(std::string_view name);
    // The connection is no more.
    void leave(const std::shared_ptr<Slot>& slot);

    // Null when there is no such snapshot (any more).
    std::shared_ptr<const Tables> snapshot(std::string_view name) const;
    // One of the snapshots is lost, for no reason that can be seen.
    void lose_snapshot();

    // What is exported is what can be seen, and nobody waits (a mutation).
    void make_ordinary_ones() noexcept { ordinary_ = true; }

    std::size_t late_waits() const noexcept { return late_waits_; }
    std::size_t lost() const noexcept { return lost_; }

private:
    void finish(const std::shared_ptr<Slot>& slot);
    void forget(const Slot* slot);
    bool alive(const Slot& slot) const noexcept;

    World& world_;
    Server& server_;
    bool ordinary_ = false;
    std::size_t late_waits_ = 0;
    std::size_t lost_ = 0;
    std::uint64_t snapshots_ = 0;
    std::vector<std::shared_ptr<Slot>> slots_;  // being made, or temporary, or with a snapshot
};

}  // namespace pgc::sim
