// A source and a sink that hand every call on to another one: to be overridden where something is
// to be seen or spoilt. Nothing else stands between the engine and what it drives, so that a call
// that is added to a contract is handed on at one place, here. Threads: one, the owner's.
#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "core/sink.h"
#include "core/source.h"

namespace pgc::sim {

class ForwardingSource : public Source {
public:
    explicit ForwardingSource(std::unique_ptr<Source> inner) : inner_(std::move(inner)) {}

    Result<bool> open() override { return inner_->open(); }
    const SourceIdentity& identity() const override { return inner_->identity(); }
    Result<void> start(Lsn from, std::string_view snapshot) override {
        return inner_->start(from, snapshot);
    }
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override {
        return inner_->read(batch, max_changes, max_bytes);
    }
    std::optional<Lsn> idle_at() const override { return inner_->idle_at(); }
    std::optional<Lsn> certain_until() const noexcept override { return inner_->certain_until(); }
    void confirm(Lsn lsn, bool now) override { inner_->confirm(lsn, now); }
    Result<void> service() override { return inner_->service(); }
    void wants(Wants& wants, bool reading) const override { inner_->wants(wants, reading); }
    void request(const SnapshotCommand& command) override { inner_->request(command); }
    void snapshot_durable(Position position) override { inner_->snapshot_durable(position); }
    bool snapshot_left() const noexcept override { return inner_->snapshot_left(); }
    std::string snapshot_progress() const override { return inner_->snapshot_progress(); }
    std::uint64_t snapshot_revision() const noexcept override {
        return inner_->snapshot_revision();
    }
    bool snapshot_is_due() const override { return inner_->snapshot_is_due(); }
    void snapshot_stored(std::uint64_t revision) override { inner_->snapshot_stored(revision); }
    SnapshotReport snapshot_report() const override { return inner_->snapshot_report(); }
    void recall(std::string_view memory) override { inner_->recall(memory); }
    std::string memory() const override { return inner_->memory(); }
    std::uint64_t memory_revision() const noexcept override { return inner_->memory_revision(); }
    Lsn server_end() const noexcept override { return inner_->server_end(); }
    Result<bool> close() override { return inner_->close(); }

protected:
    Source& inner() noexcept { return *inner_; }

private:
    std::unique_ptr<Source> inner_;
};

class ForwardingSink : public Sink {
public:
    explicit ForwardingSink(std::unique_ptr<Sink> inner) : inner_(std::move(inner)) {}

    Result<Offer> offer(RecordBatchPtr& batch) override { return inner_->offer(batch); }
    Result<Position> durable(Lane lane) override { return inner_->durable(lane); }
    void caught_up() override { inner_->caught_up(); }
    void wants(Wants& wants) const override { inner_->wants(wants); }
    Duration group_gap() const noexcept override { return inner_->group_gap(); }
    std::size_t bytes_per_record() const noexcept override { return inner_->bytes_per_record(); }
    std::size_t pending_bytes() const noexcept override { return inner_->pending_bytes(); }
    std::string waits_for() const override { return inner_->waits_for(); }

protected:
    Sink& inner() noexcept { return *inner_; }

private:
    std::unique_ptr<Sink> inner_;
};

}  // namespace pgc::sim
