// Parts that hand every call on to another one: to be overridden where something is to be seen or
// spoilt. The contracts have no default implementations, so a call that is added to one has to be
// handed on here before anything compiles; tests/conformance runs over these as well.
// Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/format.h"
#include "core/sink.h"
#include "core/source.h"
#include "core/store.h"

namespace pgc::test {

class ForwardingSource : public Source {
public:
    explicit ForwardingSource(std::unique_ptr<Source> inner) : inner_(std::move(inner)) {}

    Result<bool> open() override { return inner_->open(); }
    const SourceIdentity& identity() const override { return inner_->identity(); }
    void recall(std::string_view memory) override { inner_->recall(memory); }
    Result<void> start(Lsn from, std::string_view snapshot) override {
        return inner_->start(from, snapshot);
    }
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override {
        return inner_->read(batch, max_changes, max_bytes);
    }
    void end_at_commit(bool wanted) noexcept override { inner_->end_at_commit(wanted); }
    std::optional<Lsn> idle_at() const override { return inner_->idle_at(); }
    void confirm(Lsn lsn, bool now) override { inner_->confirm(lsn, now); }
    std::optional<Lsn> certain_until() const noexcept override { return inner_->certain_until(); }
    bool fall_back_to_text() override { return inner_->fall_back_to_text(); }
    Result<void> service() override { return inner_->service(); }
    void wants(Wants& wants, bool reading) const override { inner_->wants(wants, reading); }
    SnapshotSource* snapshots() noexcept override { return inner_->snapshots(); }
    std::string memory() const override { return inner_->memory(); }
    std::uint64_t memory_revision() const noexcept override { return inner_->memory_revision(); }
    Lsn server_end() const noexcept override { return inner_->server_end(); }
    std::optional<SourceSilence> silence() const override { return inner_->silence(); }
    Result<bool> close() override { return inner_->close(); }

protected:
    Source& inner() noexcept { return *inner_; }

private:
    const std::unique_ptr<Source> inner_;
};

class ForwardingFormat : public Format {
public:
    explicit ForwardingFormat(std::unique_ptr<Format> inner) : inner_(std::move(inner)) {}

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        return inner_->encode(batch, from, out);
    }
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override {
        return inner_->encode_mark(mark, out);
    }
    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) override {
        return inner_->encode_heartbeat(at, out);
    }
    std::string heading(const Relation* relation) const override {
        return inner_->heading(relation);
    }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    std::string waits_for() const override { return inner_->waits_for(); }

protected:
    Format& inner() const noexcept { return *inner_; }

private:
    const std::unique_ptr<Format> inner_;
};

class ForwardingSink : public Sink {
public:
    explicit ForwardingSink(std::unique_ptr<Sink> inner) : inner_(std::move(inner)) {}

    Guarantee guarantee() const noexcept override { return inner_->guarantee(); }
    PositionStore* positions() noexcept override { return inner_->positions(); }
    Result<bool> open() override { return inner_->open(); }
    Result<Offer> offer(RecordBatchPtr& batch) override { return inner_->offer(batch); }
    Result<void> seal(const StoredPosition& position) override { return inner_->seal(position); }
    Result<Position> durable(Lane lane) override { return inner_->durable(lane); }
    void give_up() override { inner_->give_up(); }
    void caught_up() override { inner_->caught_up(); }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    SealPace seal_pace() const noexcept override { return inner_->seal_pace(); }
    Instant seal_at() const noexcept override { return inner_->seal_at(); }
    void table_ended(const SnapshotTableEnd& table) override { inner_->table_ended(table); }
    void reload_changed(const ReloadChange& change) override { inner_->reload_changed(change); }
    TableModeWords table_modes() const override { return inner_->table_modes(); }
    Duration group_gap() const noexcept override { return inner_->group_gap(); }
    std::size_t bytes_per_record() const noexcept override { return inner_->bytes_per_record(); }
    std::size_t pending_bytes() const noexcept override { return inner_->pending_bytes(); }
    std::string waits_for() const override { return inner_->waits_for(); }

protected:
    Sink& inner() noexcept { return *inner_; }

private:
    const std::unique_ptr<Sink> inner_;
};

class ForwardingStore : public PositionStore {
public:
    explicit ForwardingStore(std::unique_ptr<PositionStore> inner) : inner_(std::move(inner)) {}

    Result<std::optional<Loaded>> load() override { return inner_->load(); }
    void create() override { inner_->create(); }
    Result<void> save(const StoredPosition& position) override { return inner_->save(position); }
    Result<void> forget() override { return inner_->forget(); }
    Result<bool> saved() override { return inner_->saved(); }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    std::uint64_t attempts() const noexcept override { return inner_->attempts(); }
    std::string where() const override { return inner_->where(); }

protected:
    PositionStore& inner() noexcept { return *inner_; }

private:
    const std::unique_ptr<PositionStore> inner_;
};

}  // namespace pgc::test
