// Counts records and forgets them. Durable at once: what is to be forgotten can't be lost.
#pragma once

#include <cstddef>

#include "core/sink.h"
#include "sink/counters.h"
#include "sink/lane_positions.h"

namespace pgc {

class DiscardSink final : public Sink {
public:
    explicit DiscardSink(Metrics& metrics) : counters_(metrics) {}

    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override { return durable_.of(lane); }
    void caught_up() override {}
    void wants(Wants&) const override {}
    std::size_t pending_bytes() const noexcept override { return 0; }

private:
    SinkCounters counters_;
    LanePositions durable_;
};

}  // namespace pgc
