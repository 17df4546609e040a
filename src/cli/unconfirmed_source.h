// A source that is only looked at: what is read of it is never confirmed, so the server keeps all
// of it for the next reader, and no snapshot is read.
//
// It gives as many changes as were allowed, and knows how far its reader has got: both are
// questions that a pipeline, which follows without an end, does not ask.
//
// Threads: the one that reads.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "core/source.h"

namespace pgc {

class UnconfirmedSource final : public Source {
public:
    explicit UnconfirmedSource(std::unique_ptr<Source> inner) : inner_(std::move(inner)) {}

    // At most so many changes are in what read() gives next. Requires: at least one.
    void allow(std::uint64_t changes) noexcept { allowed_ = changes; }
    // Every transaction that committed before `lsn` was read.
    bool has_read(Lsn lsn) const {
        const auto idle = inner_->idle_at();
        return read_to_ >= lsn || (idle && *idle >= lsn);
    }

    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override {
        auto read = inner_->read(batch, std::min<std::uint64_t>(max_changes, allowed_), max_bytes);
        if (read && batch.resume_at) read_to_ = batch.resume_at;
        return read;
    }
    void end_at_commit(bool wanted) noexcept override { inner_->end_at_commit(wanted); }
    void confirm(Lsn /*lsn*/, bool /*now*/) override {}
    SnapshotSource* snapshots() noexcept override { return nullptr; }

    Result<bool> open() override { return inner_->open(); }
    const SourceIdentity& identity() const override { return inner_->identity(); }
    void recall(std::string_view memory) override { inner_->recall(memory); }
    Result<void> start(Lsn from, std::string_view snapshot) override {
        return inner_->start(from, snapshot);
    }
    std::optional<Lsn> idle_at() const override { return inner_->idle_at(); }
    std::optional<Lsn> certain_until() const noexcept override { return inner_->certain_until(); }
    bool fall_back_to_text() override { return inner_->fall_back_to_text(); }
    Result<void> service() override { return inner_->service(); }
    void wants(Wants& wants, bool reading) const override { inner_->wants(wants, reading); }
    std::string memory() const override { return inner_->memory(); }
    std::uint64_t memory_revision() const noexcept override { return inner_->memory_revision(); }
    Lsn server_end() const noexcept override { return inner_->server_end(); }
    std::optional<SourceSilence> silence() const override { return inner_->silence(); }
    Result<bool> close() override { return inner_->close(); }

private:
    const std::unique_ptr<Source> inner_;
    std::uint64_t allowed_ = std::numeric_limits<std::uint64_t>::max();
    Lsn read_to_;
};

}  // namespace pgc
