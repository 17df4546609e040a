// The registry of files in a PostgreSQL database (schema.h).
//
//   new ── open() ─▶ updating ─▶ taking over ─▶ reading ─▶ ready ⇄ committing
//    │                 older                                 ▲
//    └── open(), but there is none ─▶ missing ── create() ───┘  taking over and reading, too
//
// One connection. A commit is one statement (statements.h) that changes nothing unless the row of
// the pipeline is as this instance left it: whoever takes it over adds one to its generation, and
// that waits for a commit that is under way. So when it is taken over, what was committed is seen,
// and nothing more is.
//
// After an Error of open() or of a commit it is dead. The destructor waits for nothing: a commit
// that is under way may still arrive, as long as nobody has taken over.
//
// Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "base/clock.h"
#include "observe/log.h"
#include "sink/file_registry/client.h"
#include "sink/file_registry/position_store.h"
#include "sink/file_registry/registry.h"
#include "sink/file_registry/statements.h"

namespace pgc {

class PostgresFileRegistry final : public FileRegistry {
public:
    static constexpr Duration kNoticeable = std::chrono::seconds{5};

    // `links` and `clock` outlive it.
    PostgresFileRegistry(LinkFactory& links, FileRegistryConfig config, const Clock& clock,
                         Logger logger);

    Result<std::optional<RegistryContent>> open() override;
    Result<void> commit(const RegistrySeal& seal) override;
    std::uint64_t seal_number() const noexcept override { return version_.seal; }
    PositionStore& positions() override { return positions_; }
    bool is_disturbed() const noexcept override {
        return !error_ && state_ == State::ready && client_.is_disturbed();
    }
    void wants(Wants& wants) const override;
    std::string where() const override { return client_.where(); }
    std::string waits_for() const override;

private:
    enum class State : std::uint8_t {
        fresh,
        updating,
        taking_over,
        reading,
        missing,
        ready,
        committing
    };

    class Positions final : public PositionStore {
    public:
        explicit Positions(PostgresFileRegistry& registry) : registry_(registry) {}
        Result<std::optional<Loaded>> load() override { return registry_.load(); }
        void create() override;
        Result<void> save(const StoredPosition& position) override;
        Result<void> forget() override;
        Result<bool> saved() override { return registry_.saved(); }
        void wants(Wants& wants) const override { registry_.wants(wants); }
        std::uint64_t attempts() const noexcept override { return registry_.store_.attempts(); }
        std::string where() const override { return registry_.where(); }

    private:
        PostgresFileRegistry& registry_;
    };

    [[nodiscard]] Result<std::optional<PositionStore::Loaded>> load();
    [[nodiscard]] Result<bool> saved();
    [[nodiscard]] Result<bool> go_on_committing();
    // Begins with what is there, which `loaded` says; then goes on until it is ready.
    [[nodiscard]] Result<void> begin_taking_over(const PositionStore::Loaded& loaded);
    [[nodiscard]] Result<bool> go_on_taking_over();
    [[nodiscard]] Result<bool> take_over(const Rows& rows);
    [[nodiscard]] Result<bool> take_content(const Rows& rows);
    void ask(State state, Query query);
    Error failed(Error error);

    const Logger logger_;
    FileRegistryClient client_;
    RegistryPositionStore store_;
    Positions positions_;

    State state_ = State::fresh;
    bool created_ = false;  // after it was missing
    RegistryVersion version_;
    std::optional<StoredPosition> position_;  // that is committed
    std::optional<StoredPosition> sealing_;   // that is being committed
    RegistryContent content_;
    std::optional<Error> error_;  // for good
};

}  // namespace pgc
