// Makes the database hold still: a snapshot of it that others can import, and the place in the
// log at which it is exact.
//
//   begin() ─▶ connecting ─▶ creating ─▶ exported ─release()─▶ dropping ─▶ idle
//
// A slot's creation gives both: everything that committed before its consistent point is in
// the snapshot, and nothing that committed after. No other way does: what is visible to an
// ordinary snapshot follows the order in which sessions finish, not that of the log
// (docs/internals/snapshot.md). The slot is a temporary one that nobody reads.
//
// Creating waits for the transactions that are running and have written. The snapshot lives as
// long as the connection is left alone. Nothing blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "base/wait.h"
#include "pgclient/link.h"

namespace pgc {

struct ExportedSnapshot {
    std::string name;
    Lsn at;
};

class SnapshotExporter {
public:
    // `links` must outlive it. The temporary slot is called after `slot`.
    SnapshotExporter(LinkFactory& links, std::string_view slot, Duration connect_patience);

    bool idle() const noexcept { return state_ == State::idle; }
    bool creating() const noexcept { return state_ == State::creating; }
    // Requires idle().
    void begin(Instant now);
    // The snapshot, as soon as and as long as it is there. After an Error it is idle again.
    [[nodiscard]] Result<const ExportedSnapshot*> step(Instant now);
    // Lets go of it, or of the making of it.
    void release();

    void wants(Wants& wants) const;

private:
    enum class State : std::uint8_t { idle, connecting, creating, exported, dropping };

    Result<void> connect(Instant now);
    Result<void> take_created();
    Result<void> take_dropped();
    Error lose(Error error);

    LinkFactory& links_;
    const std::string slot_;
    const Duration connect_patience_;
    State state_ = State::idle;
    std::unique_ptr<Link> link_;
    bool connected_ = false;
    Link::Connecting waits_ = Link::Connecting::wait_writable;
    Instant deadline_ = kNever;
    ExportedSnapshot exported_;
};

}  // namespace pgc
