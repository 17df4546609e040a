// A destination with transactions of its own, in memory, and sinks that commit records and position
// there together: what core/sink.h promises of a sink that seals, for the engine's tests, the
// conformance suite and the simulation.
//
// A sink lends nothing: records are kept here, the batch is given back at once. Whoever opens a
// sink fences the one before.
#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "core/sink.h"
#include "core/snapshot.h"
#include "core/store.h"
#include "sink/lane_positions.h"

namespace pgc::test {

// What outlives the sinks, and how they behave. Threads: one.
struct TransactionalLog {
    // What a reader of committed records sees, in order; then the position that came with them.
    std::function<void(const Record&)> on_record = [](const Record&) {};
    std::function<void(const StoredPosition&)> on_position = [](const StoredPosition&) {};
    std::optional<StoredPosition> position;
    std::uint64_t epoch = 0;  // of the sink that was opened last: nobody else commits
    std::size_t sinks = 0;    // alive
    std::size_t seals = 0;    // begun
    std::size_t open = 0;     // records that were accepted and are not sealed

    std::function<void(const SnapshotTableEnd&)> on_table_end = [](const SnapshotTableEnd&) {};
    SealPace pace{};
    Instant seal_at = kNever;
    std::function<Duration()> seal_takes = [] { return Duration{0}; };
    std::function<bool()> may_open = [] { return true; };
    // Asked at each call; what it gives ends the sink.
    std::function<std::optional<Error>(const char*)> fails = [](const char*) {
        return std::nullopt;
    };
    // Of a sink that goes while a seal is under way: whether the seal arrived all the same.
    std::function<bool()> arrives_late = [] { return false; };

    // Laws to be broken on purpose.
    bool forgets_the_place_within = false;  // a transaction
    bool forgets_the_position = false;
    bool forgets_the_records = false;
    bool fences_nobody = false;
};

class TransactionalSink final : public Sink {
public:
    // Both outlive it.
    TransactionalSink(TransactionalLog& log, const Clock& clock) : log_(log), clock_(clock) {
        ++log_.sinks;
    }
    ~TransactionalSink() override {
        if (sealing_ && !error_ && log_.arrives_late()) commit();
        forget();
        --log_.sinks;
    }

    Guarantee guarantee() const noexcept override { return Guarantee::transactional; }
    PositionStore* positions() noexcept override { return &positions_; }

    Result<bool> open() override {
        if (auto failed = look("open"); !failed) return std::unexpected(failed.error());
        look_again_ = clock_.now() + std::chrono::milliseconds{10};
        if (!log_.may_open()) return false;
        epoch_ = ++log_.epoch;
        return true;
    }

    Result<Offer> offer(RecordBatchPtr& batch) override {
        if (auto failed = look("offer"); !failed) return std::unexpected(failed.error());
        if (sealing_) return Offer::full;
        const RecordBatchPtr taken = std::move(batch);
        Kept& kept = kept_.emplace_back();
        kept.lane = taken->lane;
        kept.end = taken->end;
        for (const Record& record : taken->records) {
            kept.records.emplace_back(record);
            bytes_ += kept.records.back().bytes();
            ++log_.open;
        }
        return Offer::accepted;
    }

    Result<void> seal(const StoredPosition& position) override {
        if (auto failed = look("seal"); !failed) return failed;
        if (sealing_) return fail(stop(Error::Category::internal, "two seals at a time"));
        ++log_.seals;
        sealing_ = position;
        sealed_at_ = clock_.now() + log_.seal_takes();
        return {};
    }

    Result<Position> durable(Lane lane) override {
        if (auto failed = look("durable"); !failed) return std::unexpected(failed.error());
        return durable_.of(lane);
    }
    void give_up() override {
        error_ = retry(Error::Category::sink, "what was accepted was given up");
        forget();
    }
    void caught_up() override {}
    void wants(Wants& wants) const override {
        if (epoch_ == 0) wants.until(look_again_);
        if (sealing_ && !error_) wants.until(sealed_at_);
    }
    SealPace seal_pace() const noexcept override { return log_.pace; }
    Instant seal_at() const noexcept override { return log_.seal_at; }
    void table_ended(const SnapshotTableEnd& table) override { log_.on_table_end(table); }
    void reload_changed(const ReloadChange&) override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override { return Duration{0}; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return bytes_; }
    std::string waits_for() const override { return {}; }

private:
    // A record with its own texts.
    struct Copy {
        explicit Copy(const Record& from)
            : record(from), key(from.key), value(from.value), headers() {
            for (const RecordHeader& header : from.headers()) {
                headers += std::string{header.name} + '=' + std::string{header.value} + '\n';
            }
        }
        const Record& whole() {
            record.key = key;
            record.value = value;
            record.first_header = nullptr;
            record.header_count = 0;
            return record;
        }
        std::size_t bytes() const noexcept { return key.size() + value.size(); }

        Record record;
        std::string key;
        std::string value;
        std::string headers;
    };
    struct Kept {
        Lane lane;
        Position end;
        std::deque<Copy> records;
    };

    // The position in the log. Only a seal writes it.
    class Positions final : public PositionStore {
    public:
        explicit Positions(TransactionalSink& sink) : sink_(sink) {}
        Result<std::optional<Loaded>> load() override {
            if (sink_.sealing_) {
                const auto done = saved();
                if (!done) return std::unexpected(done.error());
                if (!*done) return std::nullopt;
            }
            return Loaded{.position = sink_.log_.position, .store_is_missing = false};
        }
        void create() override {}
        Result<void> save(const StoredPosition&) override {
            return std::unexpected(
                stop(Error::Category::internal, "a position is sealed here, not saved"));
        }
        Result<void> forget() override {
            sink_.log_.position.reset();
            return {};
        }
        Result<bool> saved() override {
            if (auto failed = sink_.look("saved"); !failed) return std::unexpected(failed.error());
            return !sink_.sealing_;
        }
        void wants(Wants& wants) const override { sink_.wants(wants); }
        std::uint64_t attempts() const noexcept override { return 0; }
        std::string where() const override { return "the transactional log"; }

    private:
        TransactionalSink& sink_;
    };

    void forget() {
        for (const Kept& kept : kept_) log_.open -= kept.records.size();
        kept_.clear();
        bytes_ = 0;
    }
    std::unexpected<Error> fail(Error error) {
        error_ = std::move(error);
        return std::unexpected(*error_);
    }
    Result<void> look(const char* where) {
        if (error_) return std::unexpected(*error_);
        if (auto error = log_.fails(where)) return fail(std::move(*error));
        if (sealing_ && clock_.now() >= sealed_at_ && !commit()) {
            return fail(retry(Error::Category::position,
                              "another instance has opened the log since, and fenced this one"));
        }
        return {};
    }

    // False: fenced, and nothing was committed.
    bool commit() {
        if (epoch_ != log_.epoch && !log_.fences_nobody) return false;
        const StoredPosition position = *std::exchange(sealing_, std::nullopt);
        for (Kept& kept : kept_) {
            for (Copy& copy : kept.records) {
                if (!log_.forgets_the_records) log_.on_record(copy.whole());
            }
            durable_.raise(kept.lane, kept.end);
        }
        forget();
        if (log_.forgets_the_position) return true;
        log_.position = position;
        if (log_.forgets_the_place_within) log_.position->within = {};
        log_.on_position(*log_.position);
        return true;
    }

    TransactionalLog& log_;
    const Clock& clock_;
    Positions positions_{*this};
    std::uint64_t epoch_ = 0;  // 0: not opened
    Instant look_again_ = kNever;
    std::deque<Kept> kept_;
    std::size_t bytes_ = 0;
    LanePositions durable_;
    std::optional<StoredPosition> sealing_;
    Instant sealed_at_{};
    std::optional<Error> error_;
};

}  // namespace pgc::test
