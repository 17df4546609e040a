// A PostgreSQL server in memory: its log, one slot, its walsenders. Also the workload,
// which commits transactions by itself as time goes by.
//
//   log        committed transactions of several tables, keys that are inserted, updated and
//              deleted; empty ones; what neighbours write (the log's end moves, nothing comes);
//              some hang: streamed, but not to be seen, as while a standby is waited for
//   slot       confirmed only by feedback; saved only at the server's checkpoints; a crash
//              puts it back to what was saved
//   prepared   transactions of which some are decided much later, or rolled back; prepared.cc
//   walsender  sends what commits at or after max(asked, confirmed), in silence; goes when it
//              heard nothing for kPatience; holds the slot for a while after a cut
#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/lsn.h"
#include "core/source.h"
#include "simulation/history.h"
#include "simulation/oracle.h"
#include "simulation/publications.h"
#include "simulation/streams.h"
#include "simulation/tables.h"
#include "simulation/world.h"

namespace pgc::sim {

struct Workload {
    std::size_t transactions = 50;
    Duration pause_max = std::chrono::milliseconds{20};
    std::size_t rows_max = 8;
    std::size_t padding_max = 50;
    bool giant = false;           // one transaction is much larger than a batch
    bool alters = false;          // tables get columns in mid-stream
    std::size_t rows_before = 0;  // are there already, at least
    unsigned hang = 0;            // of 100 commits: in the log, and not yet to be seen
    Duration hang_max{0};
    bool identities = false;  // are lost and gained; publications list their tables
    unsigned rewrites = 0;    // of 100 commits: with one a table gets another file
    unsigned prepares = 0;    // of 100 commits: instead of one a transaction is prepared
};

struct TwoPhaseCounts {
    std::size_t prepared = 0;
    std::size_t decided = 0;  // of which nothing but the commit was sent
};

class Server;

// One side of a connection in copy mode; the server's.
class Walsender {
public:
    // `publications`: asked for, as Row::published. `streams`: transactions before their commit.
    // `two_phase`: prepared ones at their PREPARE.
    Walsender(Server& server, Lsn from, std::uint8_t publications = 3, bool streams = false,
              bool two_phase = false);
    ~Walsender();
    Walsender(const Walsender&) = delete;
    Walsender& operator=(const Walsender&) = delete;

    // The next message that has arrived; null if none has, or the connection is gone.
    const Sent* front();
    void pop() { outbox_.pop_front(); }
    // When so many messages will have arrived; kNever if they are not on their way.
    Instant arrival(std::size_t messages) const;

    void feedback(Lsn flush, bool wants_reply);
    // Why the connection is gone; empty while it is not.
    const std::string& broken() const noexcept { return broken_; }
    void cut(std::string why);
    // The client's end went away without a word: the server notices later.
    void abandon();
    // Nothing passes any more, in either direction, and nobody says so.
    void sink_into_a_hole() noexcept { hole_ = true; }

private:
    friend class Server;
    static constexpr std::size_t kInFlight = 40;

    void pump();
    void send(Sent message);
    bool stream();
    void sends_prepared(Lsn start);
    bool send_of_two_phases();
    void send_prepared(std::size_t number);

    Server& server_;
    const std::uint8_t publications_;
    const std::size_t instance_;      // of ours, to which it sends
    std::size_t next_;                // transaction
    std::optional<std::size_t> row_;  // within it; none: not begun
    std::optional<Streams> streams_;
    struct TwoPhase {
        Lsn from;
        std::size_t prepared = 0;  // the next of History::prepared
        std::size_t rollback = 0;  // likewise
    };
    std::optional<TwoPhase> two_phase_;
    std::deque<Sent> outbox_;
    Lsn reported_;  // the last keepalive's
    Instant heard_;
    bool asked_ = false;
    bool hole_ = false;
    std::string broken_;
};

class Server {
public:
    static constexpr Duration kPatience = std::chrono::seconds{20};
    static constexpr Duration kLooksAround = std::chrono::seconds{5};

    Server(World& world, History& history, Oracle& oracle, const Workload& workload);

    bool up() const noexcept { return up_; }
    // Who reads or makes a snapshot is thrown out.
    bool shutting_down() const noexcept { return shutting_down_.has_value(); }
    bool workload_done() const noexcept { return left_ == 0 && undecided_.empty(); }

    struct Slot {
        bool exists = false;
        bool lost = false;  // the log it needs is gone
        Lsn confirmed;
        Lsn saved;                   // what a crash puts it back to
        Instant held_until;          // by a walsender that does not know that its client is gone
        std::uint64_t held_for = 0;  // which life of ours that client belonged to
        bool two_phase = false;
        Lsn two_phase_at;  // what was prepared before comes when it is committed
    };
    Slot& slot() noexcept { return slot_; }
    bool slot_active() const noexcept {
        return !senders_.empty() || world_.clock.now() < slot_.held_until;
    }
    void create_slot(bool two_phase = false);
    void release_slot() noexcept { slot_.held_until = Instant{}; }
    // Ends a forgotten walsender, if it is one of the life's that asks.
    bool end_stale_walsender() noexcept;
    Lsn end() const noexcept { return end_; }
    // While it was a standby.
    Lsn replayed() const noexcept {
        return standby_ || history_of_timelines_.empty() ? end_ : history_of_timelines_.back().at;
    }
    std::uint32_t timeline() const noexcept { return timeline_; }
    const std::vector<TimelineSwitch>& timelines() const noexcept { return history_of_timelines_; }
    const std::string& system() const noexcept { return system_; }
    // Connections made while these were lower are broken, or lead nowhere.
    std::uint64_t cuts() const noexcept { return cuts_; }
    // How often it has come up again.
    std::uint64_t starts() const noexcept { return starts_; }
    std::size_t holes() const noexcept { return holes_.size(); }
    Instant hole(std::size_t number) const { return holes_[number].since; }
    // Whether a connection of then was sound when it came.
    bool swallowed(std::size_t number, std::uint64_t cuts) const {
        return holes_[number].cuts == cuts;
    }
    // Where publications list their tables; else publication() is of all.
    Publications* publications() noexcept {
        return workload_.identities ? &publications_ : nullptr;
    }
    char identity(std::uint32_t table) const noexcept { return identities_[table]; }
    std::size_t moves() const noexcept { return moves_; }
    const StreamCounts& streamed() const noexcept { return streamed_; }
    const TwoPhaseCounts& two_phase() const noexcept { return two_phase_counts_; }
    // What is confirmed is what is stored, whatever we confirm.
    void forget_what_is_prepared() noexcept { forgets_prepared_ = true; }
    bool& publication() noexcept { return publication_; }
    bool& standby() noexcept { return standby_; }

    // As the log says.
    const Tables& tables() const noexcept { return tables_; }
    // As an ordinary snapshot shows them: without what hangs.
    std::shared_ptr<const Tables> visible() const;
    // When all commits that hang now will be let go.
    Instant hanging_until() const;
    // A place after everything that has committed.
    Lsn next_consistent_point() {
        decide_all();
        end_.value += 56;
        return end_;
    }
    // Somebody reads a table: it can't be altered.
    void lock(std::uint32_t table) { ++readers_[table]; }
    void unlock(std::uint32_t table) { --readers_[table]; }

    // What goes wrong with servers.
    void cut_all(const std::string& why);
    // Somebody ends the walsender; no other connection.
    void end_walsender();
    // The instance whose walsender holds the slot.
    std::optional<std::size_t> holder() const;
    void crash(Duration down);
    void black_hole();
    // Waits, as PostgreSQL does, until the walsenders' clients have confirmed everything.
    void shut_down(Duration down);
    void checkpoint();
    // A standby that is followed carries on, and so do its walsenders; or a synced one takes over.
    // Nothing is lost.
    void promote();
    // Each of these loses changes; require that no walsender is active.
    void drop_slot();
    void recreate_slot();
    void invalidate_slot();
    void advance_slot();
    void lose_log(Lsn back_to);  // an asynchronous standby takes over, behind us
    void replace_system();

private:
    friend class Walsender;

    void schedule_commit();
    void commit_one();
    void go_on();
    void prepare_one();
    void decide_one();
    void decide_all();
    bool is_prepared(std::uint32_t table, std::int64_t key) const;
    Row lost_row();
    void look_around();
    void go_on_shutting_down();
    Row random_row();
    Row changed_row(Row row, std::uint64_t dice);
    Row new_row(Row row);
    std::int64_t free_key(std::uint32_t table);
    void alter_tables();
    bool publish(Row& row);
    bool hangs(std::uint32_t table, std::int64_t key) const;
    bool can_alter(std::uint32_t table) const;

    World& world_;
    History& history_;
    Oracle& oracle_;
    const Workload workload_;
    std::size_t left_;
    bool up_ = true;
    static constexpr Duration kShutdown_max = std::chrono::seconds{15};
    std::optional<Duration> shutting_down_;  // for how long it will be down then
    Instant all_durable_since_;
    Lsn end_{0x1000};
    std::uint32_t timeline_ = 1;
    std::vector<TimelineSwitch> history_of_timelines_;
    std::string system_ = "7000000000000000001";
    Slot slot_;
    bool publication_ = true;
    Publications publications_;
    std::array<char, kTables> identities_{};
    StreamCounts streamed_;
    TwoPhaseCounts two_phase_counts_;
    std::vector<std::size_t> undecided_;  // of History::prepared
    bool no_truncation_ = false;
    bool forgets_prepared_ = false;
    std::size_t moves_ = 0;  // of rows to where another publication has them
    std::array<std::uint8_t, kTables> published_by_{};
    bool standby_ = false;
    std::vector<Walsender*> senders_;  // the oldest first
    std::uint64_t cuts_ = 0;
    struct Hole {
        Instant since;
        std::uint64_t cuts = 0;
    };
    std::vector<Hole> holes_;
    std::uint64_t versions_ = 0;
    std::uint32_t next_xid_ = 700;
    struct Living {
        std::int64_t key = 0;
        std::uint64_t note = 0;
    };
    std::vector<std::vector<Living>> living_;  // by table
    std::int64_t next_key_ = 1;
    Tables tables_;
    std::array<std::size_t, kTables> readers_{};
    // Committed in the log, and still holding its locks.
    struct Hanging {
        std::size_t transaction = 0;
        Instant until;
    };
    std::vector<Hanging> hanging_;
    std::uint64_t starts_ = 0;
};

}  // namespace pgc::sim
