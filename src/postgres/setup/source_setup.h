// Everything that must be true before the stream may start, in the order that loses nothing:
//
//   connect ×2 ─▶ who is it ─▶ is it set up ─▶ publication ─▶ slot ─▶ binary? ─▶ ready
//
// The publication is there before the slot: decoding looks publications up as they were at
// the slot's place in the log, and one that was made later is not found there. So a slot
// without its publication is an error, not something to fix by ourselves.
//
// SourceSetup never blocks: step() goes as far as it can, wants() says what it waits for. It
// owns the two links until it is done; then replication_link() and sql_link() hand them
// over, both idle, the first ready for START_REPLICATION. After an Error: destroy it.
// One thread, the pipeline's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/ids.h"
#include "base/wait.h"
#include "core/source.h"
#include "observe/log.h"
#include "pgclient/link.h"
#include "postgres/catalog/covered_tables.h"
#include "postgres/catalog/lineage.h"
#include "postgres/options.h"

namespace pgc {

// What the stream is to be asked for, and what is known of the server it comes from.
struct StreamPlan {
    int server_version = 0;     // as 150018
    int protocol_version = 1;   // proto_version of START_REPLICATION
    bool binary = false;        // every published column has a known binary form (14+)
    bool text_for_now = false;  // binary is wanted, and what stands against it may go
    bool messages = false;      // the server has logical messages for us (14+)
    bool streaming = false;     // of transactions before they are committed (14+)
    bool two_phase = false;     // prepared transactions come when they are prepared (15+)
    bool via_root = false;      // partitions come under their root's name
    // The publication may hold tables the filters leave out (it is not maintained by us):
    // the stream is to be filtered by table name too.
    bool filter_tables = false;
    bool standby = false;     // its timeline may change while we follow it: timeline_watch.h
    bool maintained = false;  // the publication is created and altered by us
    bool sql_ascii = false;   // texts have no encoding: any bytes
    std::string publication;
    std::vector<std::string> publications;  // this one, and the second where both are ours
    std::string slot;
    std::vector<std::string> joined;            // PublicationState::joined
    std::unordered_map<Oid, Lineage> lineages;  // PublicationState::lineages
    CoveredTables covered;                      // PublicationState::covered
    // Of what is before the slot, made with it; for as long as the replication link is left
    // alone. Empty: none.
    std::string exported_snapshot;
    Duration wal_sender_timeout{0};  // in force on the replication link; zero: none
};

struct SourceSetupTask {
    bool text_only = false;            // values are needed as text
    std::optional<Lsn> text_until{};   // as long as the slot is not there yet: see SourceCarryOver
    bool may_create_slot = true;       // false: we have a position, so a slot must be there
    bool may_replace_slot = false;     // one that the server has given up is dropped and made again
    std::optional<SourceHome> home{};  // anywhere else nothing but identity() is looked for
    bool export_snapshot = false;      // with a new slot
    bool look_only = false;            // nothing is created, and nobody's session ended
    bool without_inserts = false;      // as SourceCarryOver's
};

class SourceSetup {
public:
    // All references must outlive it.
    SourceSetup(const PostgresConfig& config, LinkFactory& links, const Clock& clock, Logger logger,
                SourceSetupTask task = {});
    ~SourceSetup();

    // True when everything below is known.
    [[nodiscard]] Result<bool> step();
    void wants(Wants& wants) const;

    const SourceIdentity& identity() const noexcept;
    const StreamPlan& plan() const noexcept;
    // Once each, after step() said true.
    std::unique_ptr<Link> replication_link() noexcept;
    std::unique_ptr<Link> sql_link() noexcept;

private:
    class Steps;
    std::unique_ptr<Steps> steps_;
};

}  // namespace pgc
