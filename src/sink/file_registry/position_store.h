// The position that a registry of files holds, for whoever does not write files: `adopt`,
// `position`, and a sink before its registry is open.
//
//   idle ── load() ─▶ looking ─▶ idle            the schema is missing: Loaded says so
//     ├── create() ─▶ making ─▶ looking
//     └── save(), forget() ─▶ writing ─▶ idle
//
// Whoever has opened the registry for writing is fenced off by save() and forget(). An Error of the
// connection is given at once; whoever asks again begins again.
//
// Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/store.h"
#include "sink/file_registry/client.h"
#include "sink/file_registry/statements.h"

namespace pgc {

class RegistryPositionStore final : public PositionStore {
public:
    // `client` outlives it, and is free whenever this one is called and has nothing under way.
    explicit RegistryPositionStore(FileRegistryClient& client) : client_(client) {}
    // With a client of its own.
    RegistryPositionStore(LinkFactory& links, FileRegistryConfig config, const Clock& clock);

    Result<std::optional<Loaded>> load() override;
    void create() override;
    Result<void> save(const StoredPosition& position) override;
    Result<void> forget() override;
    Result<bool> saved() override;
    void wants(Wants& wants) const override;
    std::uint64_t attempts() const noexcept override { return client_.failures(); }
    std::string where() const override { return client_.where(); }

    bool idle() const noexcept { return state_ == State::idle; }
    // What load() found last, as it stands there.
    const RegistryLook& look() const noexcept { return look_; }

private:
    enum class State : std::uint8_t { idle, looking, making, writing };

    void enter(State state, Query query);
    [[nodiscard]] Result<bool> go_on_making();
    [[nodiscard]] Result<std::optional<Loaded>> go_on_looking();
    [[nodiscard]] Result<bool> go_on_writing();

    const std::unique_ptr<FileRegistryClient> own_client_;
    FileRegistryClient& client_;
    State state_ = State::idle;
    RegistryLook look_;
    bool saving_ = false;               // what is written is a position
    std::optional<Error> refused_;      // what was written last
    std::optional<Error> not_allowed_;  // to make it
};

// The position in a text of the registry's; an Error that says what is wrong with it.
[[nodiscard]] Result<std::optional<StoredPosition>> understood_position(
    const std::optional<std::string>& text, const FileRegistryClient& client);

// The script that makes the registry, for a client that may do so.
[[nodiscard]] Result<Query> making_query(const FileRegistryClient& client);
// What it is to the person who has to make it possible.
Error making_refused(Error error, const FileRegistryClient& client);

}  // namespace pgc
