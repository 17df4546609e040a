// A source and a format that speak to the fake server directly, without PostgreSQL's
// protocol: for runs by the ten thousand that exercise the engine alone.
#pragma once

#include <memory>
#include <optional>

#include "core/format.h"
#include "core/source.h"
#include "simulation/server.h"

namespace pgc::sim {

class FakeSource final : public Source {
public:
    FakeSource(World& world, Server& server, const History& history, bool may_create_slot);
    ~FakeSource() override;

    Result<bool> open() override;
    const SourceIdentity& identity() const override { return identity_; }
    Result<void> start(Lsn from, std::string_view snapshot) override;
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override;
    std::optional<Lsn> idle_at() const override;
    void end_at_commit(bool wanted) noexcept override { ends_at_commit_ = wanted; }
    void confirm(Lsn lsn, bool now) override;
    std::optional<Lsn> certain_until() const noexcept override {
        return standby_ ? std::optional{certain_} : std::nullopt;
    }
    bool fall_back_to_text() override { return false; }
    Result<void> service() override;
    void wants(Wants& wants, bool reading) const override;
    Lsn server_end() const noexcept override { return server_end_; }
    std::optional<SourceSilence> silence() const override { return std::nullopt; }
    void recall(std::string_view) override {}
    std::string memory() const override { return {}; }
    std::uint64_t memory_revision() const noexcept override { return 0; }
    SnapshotSource* snapshots() noexcept override { return nullptr; }
    Result<bool> close() override;

private:
    static constexpr Duration kFeedback = std::chrono::seconds{5};
    static constexpr Duration kLook = std::chrono::milliseconds{500};

    Result<void> connected();
    void take(const Sent& message, Batch& batch);
    void begin_part(Batch& batch, const Committed& transaction) const;

    World& world_;
    Server& server_;
    const History& history_;
    const bool may_create_slot_;
    Instant ready_at_;
    SourceIdentity identity_;
    std::uint64_t cuts_ = 0;  // there had been when it connected
    std::shared_ptr<const Relation> relation_;
    std::unique_ptr<Walsender> sender_;
    bool inside_ = false;  // of a transaction
    Lsn received_;
    Lsn confirmed_;
    Lsn server_end_;
    Instant reported_at_;
    int fd_;
    bool hurry_ = false;
    bool ends_at_commit_ = false;
    bool standby_ = false;  // it was one when it connected
    Lsn certain_;
    Instant look_at_;  // whether it is on its timeline still
};

class FakeFormat final : public Format {
public:
    FakeFormat(World& world, const History& history, std::uint32_t filtered, bool refuses)
        : world_(world), history_(history), filtered_(filtered), refuses_(refuses) {}
    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override;
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override;
    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) override;
    std::string heading(const Relation*) const override { return {}; }
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }

    bool refuses_another = false;  // a law broken on purpose: the change past the one it means

private:
    World& world_;
    const History& history_;
    const std::uint32_t filtered_;  // a table without records
    const bool refuses_;            // that is because its rows are refused
};

}  // namespace pgc::sim
