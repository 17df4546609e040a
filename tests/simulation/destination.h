// Where records end up, and a sink that takes them there in all the ways a real one may:
// slowly, full at times, failing, confirming late, and losing what was accepted but not
// durable when it goes.
#pragma once

#include <array>
#include <cstddef>
#include <deque>
#include <string>

#include "core/sink.h"
#include "simulation/oracle.h"
#include "simulation/world.h"

namespace pgc::sim {

struct SinkHabits {
    std::size_t batches_max = 8;      // accepted and not durable
    Duration delay_max{0};            // until a batch is durable
    unsigned failures_per_10000 = 0;  // of each call
    unsigned stalls_per_10000 = 0;    // of each batch: not durable for a long time
    Duration stall{0};
    bool linger = false;         // holds back until told that nothing more comes
    std::size_t held_limit = 0;  // what the budget allows it to hold
};

class FakeSink final : public Sink {
public:
    FakeSink(World& world, Oracle& oracle, const SinkHabits& habits);
    ~FakeSink() override;

    Guarantee guarantee() const noexcept override { return Guarantee::append; }
    PositionStore* positions() noexcept override { return nullptr; }
    Result<bool> open() override { return true; }
    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override;
    Result<void> seal(const StoredPosition&) override { return cannot_seal(); }
    void caught_up() override;
    void wants(Wants& wants) const override;
    SealPace seal_pace() const noexcept override { return {}; }
    Instant seal_at() const noexcept override { return kNever; }
    void table_ended(const SnapshotTableEnd&) override {}
    void give_up() override {}
    void reload_changed(const ReloadChange&) override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override { return Duration{0}; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return held_; }
    std::string waits_for() const override { return {}; }

private:
    struct Held {
        RecordBatchPtr batch;
        Instant durable_at;
        bool lingers = false;
    };
    void make_durable();
    void write(Held& held);
    bool fails(const char* where);

    World& world_;
    Oracle& oracle_;
    const SinkHabits& habits_;
    std::deque<Held> waiting_;
    std::size_t held_ = 0;
    std::array<Position, 3> durable_;  // by lane
};

}  // namespace pgc::sim
