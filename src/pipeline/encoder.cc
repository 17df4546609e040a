#include "pipeline/encoder.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "core/own_messages.h"
#include "pipeline/dead_letter.h"
#include "pipeline/key_changes.h"
#include "pipeline/tombstones.h"

namespace pgc {
namespace {

Lsn commit_of(const Batch& batch, std::size_t change) {
    const auto after = std::ranges::find_if(batch.transactions, [&](const Transaction& part) {
        return change < std::size_t{part.first} + part.count;
    });
    return after == batch.transactions.end() ? Lsn{} : after->commit_lsn;
}

}  // namespace

Encoder::Encoder(Parts parts, const EncoderOptions& options, RecordPool& pool,
                 PipelineMetrics& pipeline_metrics)
    : parts_(std::move(parts)),
      options_(options),
      pool_(pool),
      pipeline_metrics_(pipeline_metrics) {}

void Encoder::begin(Batch& batch) {
    assert(!busy());
    split_key_changes(batch);
    batch_ = &batch;
    records_ = pool_.get();
    next_ = 0;
    all_encoded_ = false;
}

Result<RecordBatchPtr> Encoder::step(Source* source) {
    assert(busy());
    auto done = all_encoded_ ? Result<bool>{true} : encode_changes(source);
    if (done && *done) done = complete();
    if (!done) {
        give_up();
        return std::unexpected(std::move(done.error()));
    }
    if (!*done) return RecordBatchPtr{};
    RecordBatch& records = *records_;
    records.lane = batch_->lane;
    records.relations = batch_->relations();
    records.end = batch_->end;
    records.resume_at = batch_->resume_at;
    records.newest_commit = batch_->transactions.back().committed_at;
    batch_ = nullptr;
    return std::move(records_);
}

Result<RecordBatchPtr> Encoder::heartbeat(WallTime at, Position end) {
    assert(!busy());
    RecordBatchPtr records = pool_.get();
    const auto written = parts_.format->encode_heartbeat(at, *records);
    heartbeat_waits_ = written && !*written;
    if (!written) return std::unexpected(written.error());
    if (!*written) return RecordBatchPtr{};
    records->lane = kHeartbeatLane;
    records->end = end;
    return records;
}

// False while the format waits.
Result<bool> Encoder::encode_changes(Source* source) {
    for (;;) {
        const std::size_t first = records_->records.size();
        auto encoded = parts_.format->encode(*batch_, next_, *records_);
        auto done = encoded ? finish_records(first) : std::unexpected(std::move(encoded.error()));
        if (done) {
            assert(next_ <= encoded->next && encoded->next <= batch_->changes.size());
            next_ = encoded->next;
            if (encoded->why == Encoded::Why::waits) return false;
            if (encoded->why == Encoded::Why::all) return true;
            done = refused(std::move(*encoded), source);
        }
        if (!done) return std::unexpected(std::move(done.error()));
    }
}

// False while the format waits.
Result<bool> Encoder::complete() {
    if (batch_->lane != kStreamLane) return true;
    if (!all_encoded_) {
        all_encoded_ = true;
        if (options_.transaction_marks) marks_.plan(*batch_, *records_, sealed_);
        if (options_.own_messages) keep_own_messages();
        leave_out();
    }
    return options_.transaction_marks ? marks_.write(*parts_.format, *records_)
                                      : Result<bool>{true};
}

void Encoder::keep_own_messages() {
    RecordBatch& out = *records_;
    for (const Transaction& part : batch_->transactions) {
        for (std::size_t i = part.first; i < std::size_t{part.first} + part.count; ++i) {
            const Change& change = batch_->changes[i];
            if (change.message == nullptr || !is_own_message(change.message->prefix)) continue;
            if (sealed_ && Position{part.commit_lsn, change.ordinal} <= *sealed_) continue;
            out.messages.push_back({.commit_lsn = part.commit_lsn,
                                    .ordinal = change.ordinal,
                                    .committed_at = part.committed_at,
                                    .transactional = change.message->transactional,
                                    .prefix = out.arena.copy(change.message->prefix),
                                    .content = out.arena.copy(change.message->content)});
        }
    }
}

void Encoder::leave_out() {
    std::erase_if(records_->records, [&](const Record& record) {
        return record.destination == Destination::none ||
               (sealed_ && Position{record.commit_lsn, record.ordinal} <= *sealed_);
    });
    if (sealed_ && batch_->end > *sealed_) sealed_.reset();
}

Result<void> Encoder::finish_records(std::size_t first) {
    if (parts_.partition_keys != nullptr) {
        if (auto done = parts_.partition_keys->write(*batch_, *records_, first); !done) return done;
    }
    if (options_.tombstones) add_tombstones(*records_, first);
    return {};
}

// The one place where it is decided what becomes of a change that can't be written.
Result<void> Encoder::refused(Encoded encoded, Source* source) {
    Error& error = encoded.error;
    if (encoded.text_would_do && source != nullptr && source->fall_back_to_text()) {
        Error decided = restart_with(error.category, error.what + ": continuing in text");
        return std::unexpected(std::move(decided).at(std::move(error.where)));
    }
    if (options_.on_error == OnError::fail) return std::unexpected(std::move(error));
    pipeline_metrics_.failed(error);
    if (options_.on_error == OnError::dead_letter) {
        add_dead_letter(*records_, batch_->changes[next_], commit_of(*batch_, next_), error);
        records_->records.back().change = static_cast<std::uint32_t>(next_);
    }
    ++next_;
    return {};
}

void Encoder::give_up() noexcept {
    batch_ = nullptr;
    records_.reset();
    marks_.give_up();
}

}  // namespace pgc
