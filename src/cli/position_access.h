// What adopt and position have in common: the configured store of positions and the server, both
// asked and waited for; and whether an instance of this pipeline runs.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "base/error.h"
#include "cli/program.h"
#include "cli/sql_session.h"
#include "core/snapshot.h"
#include "core/store.h"
#include "pgclient/blocking.h"
#include "postgres/slots/standing.h"

namespace pgc {

class PositionAccess {
public:
    // How long a store may be silent; what it waits for is in the log meanwhile.
    static constexpr Duration kStore_max = std::chrono::seconds{30};

    // Both outlive it. `name` is how the sessions call themselves.
    PositionAccess(Deps& deps, const Program& program, std::string name, SqlSession::Access access);

    const std::string& pipeline() const noexcept { return session_.spec().name(); }
    const std::string& slot() const noexcept { return session_.config().slot; }
    SnapshotMode mode() const noexcept { return session_.spec().options.snapshot; }
    std::string where() const { return store_->where(); }
    SqlSession& session() noexcept { return session_; }

    // Nobody follows the slot, and no instance of this pipeline answers: an Error says who does.
    [[nodiscard]] Result<void> require_nobody(const Standing& standing);
    [[nodiscard]] Result<Standing> look();
    // From here on, until release() or for as long as this lives, nobody can begin to follow
    // the slot: what is looked at, loaded and stored then is not changed by an instance that starts
    // in between. Nothing is held where no instance could follow it: no slot, or none that is
    // sound.
    [[nodiscard]] Result<void> hold(const Standing& standing);
    // Until the server has let go of it.
    [[nodiscard]] Result<void> release();

    // As PositionStore's, waited for. An intention of an older version's is no position.
    [[nodiscard]] Result<PositionStore::Loaded> load();
    [[nodiscard]] Result<void> create();
    [[nodiscard]] Result<void> save(const StoredPosition& position);
    [[nodiscard]] Result<void> forget();

private:
    [[nodiscard]] Result<void> wait_saved(Instant until);
    [[nodiscard]] Result<void> wait(Instant until);

    Deps& deps_;
    const Program& program_;
    SqlSession session_;
    const std::unique_ptr<PositionStore> store_;
    std::optional<BlockingLink> held_;
};

}  // namespace pgc
