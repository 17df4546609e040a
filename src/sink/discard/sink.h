// Forgets records. Durable at once: what is to be forgotten can't be lost.
#pragma once

#include <cstddef>
#include <string>

#include "core/sink.h"
#include "sink/lane_positions.h"

namespace pgc {

class DiscardSink final : public Sink {
public:
    Guarantee guarantee() const noexcept override { return Guarantee::append; }
    PositionStore* positions() noexcept override { return nullptr; }
    Result<bool> open() override { return true; }
    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override { return durable_.of(lane); }
    Result<void> seal(const StoredPosition&) override { return cannot_seal(); }
    void caught_up() override {}
    void wants(Wants&) const override {}
    SealPace seal_pace() const noexcept override { return {}; }
    Instant seal_at() const noexcept override { return kNever; }
    void table_ended(const SnapshotTableEnd&) override {}
    void give_up() override {}
    void reload_changed(const ReloadChange&) override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override { return Duration{0}; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return 0; }
    std::string waits_for() const override { return {}; }

private:
    LanePositions durable_;
};

}  // namespace pgc
