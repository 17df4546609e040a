// What the source does beside the stream, and beside the snapshot that a new slot begins with:
// answers for Relations and Assembler, looking after the slot, the heartbeat, new tables.
//
//   questions   over the link that opening left us, one at a time, the pressing ones first:
//               slot at the stream's start ▸ catalog ▸ reselect ▸ slot ▸ catalog without hurry
//   maintenance over a link of their own, because they may wait for locks: the user's
//               heartbeat, looking for new tables (which keeps a publication of ours in step), and
//               whether what made us take values as text has left it. Made only if there are any.
//
// Only what makes going on wrong or useless comes out as an Error; maintenance that fails is
// logged and tried again at its next time.
//
// Threads: one, the owner's. All references must outlive it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "pgclient/link.h"
#include "pgclient/query_runner.h"
#include "postgres/options.h"
#include "postgres/relations/relations.h"
#include "postgres/setup/binary_choice.h"
#include "postgres/setup/publication_keeper.h"
#include "postgres/setup/source_setup.h"
#include "postgres/stream/assembler.h"
#include "postgres/stream/reselect.h"
#include "postgres/stream/watch.h"

namespace pgc {

class SideQueries {
public:
    struct Deps {
        const PostgresConfig& config;
        const StreamPlan& plan;
        LinkFactory& links;
        Relations& relations;
        Assembler& assembler;
        Metrics& metrics;
        Logger logger;
        // Called with what was found at each look for new tables.
        std::function<void(const PublicationState&)> on_tables{};
        // Whether nothing that is before us in the log must be taken as text (plan.text_for_now).
        std::function<bool()> text_ended{};
        bool may_replace_slot = false;
        // Whether the slot is kept from where the server's log ends, whatever becomes durable. A
        // server that shuts down waits until its log is confirmed: then a session that it has ended
        // ends the stream.
        std::function<bool()> holds_slot{};
    };
    static constexpr int kReconsidering = 12;  // as many times tables_refresh

    SideQueries(Deps deps, std::unique_ptr<Link> sql, Instant now);

    // The assembler stopped at a row for its unsent values. Its cells are copied.
    void reselect();

    [[nodiscard]] Result<void> step(Instant now);
    // That these have joined is remembered elsewhere: see PublicationKeeper.
    void settle(const std::vector<std::string>& joined, Instant now);

    // The server has answered START_REPLICATION from `from`: whether it will send everything
    // from there is checked first.
    void verify_start(Lsn from) noexcept;
    // The server has not skipped anything: what it sends may be used.
    bool start_verified() const noexcept { return start_ == Start::verified; }
    // The end of the server's log, when last asked.
    Lsn server_end() const noexcept { return server_end_; }
    // What the walsender waited for then, in the server's words; empty: for nothing.
    const std::string& walsender_waits_for() const noexcept { return walsender_waits_for_; }

    void wants(Wants& wants) const;

private:
    enum class Start : std::uint8_t { not_yet, unverified, verified };
    enum class Asked : std::uint8_t { nothing, slot, catalog, reselect };

    void ask(Instant now);
    void ask_slot(Instant now);
    void ask_catalog(Relations::Question question, Instant now);
    [[nodiscard]] Result<void> take(QueryRunner::Answer answer);
    [[nodiscard]] Result<void> take_slot(QueryRunner::Answer answer);
    [[nodiscard]] Result<void> take_catalog(const QueryRunner::Answer& answer);
    void take_reselect(const QueryRunner::Answer& answer);
    void measure(const SlotHealth& health);
    void note_risk(const SlotHealth& health);

    [[nodiscard]] Result<void> do_maintenance(Instant now);
    [[nodiscard]] Result<void> reconsider_text(Instant now);
    void reconsider_again(Instant now, std::optional<bool> broken);
    void beat(Instant now);
    [[nodiscard]] Result<void> keep_publication(Instant now);
    void keep_again(Instant now) noexcept;
    // Goes on, unless the publication is another pipeline's now.
    [[nodiscard]] Result<void> publication_round_failed(const Error& error, Instant now);

    const Deps deps_;
    QueryRunner questions_;
    Asked asked_ = Asked::nothing;
    std::optional<Relations::Question> catalog_;  // being asked
    std::optional<Reselection> reselect_;         // to be asked or being asked
    Start start_ = Start::not_yet;
    Lsn from_;
    bool asked_since_start_ = false;  // about the slot
    Instant slot_due_;
    SlotRisk risk_ = SlotRisk::none;
    Lsn server_end_;
    std::string walsender_waits_for_;

    QueryRunner maintenance_;
    bool beating_ = false;
    Instant beat_due_ = kNever;
    std::optional<PublicationKeeper> keeper_;
    Link* keeping_over_ = nullptr;  // a round of the keeper is under way on it
    Instant keep_due_ = kNever;
    bool keep_soon_ = false;  // once more, when the round is over
    std::optional<BinaryChoice> choice_;
    Link* choosing_over_ = nullptr;
    Instant reconsider_due_ = kNever;
};

}  // namespace pgc
