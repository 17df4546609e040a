// The accepted batches, from the first record handed over to the last one reported: what
// makes a batch durable is decided here and nowhere else.
//
//   accept()  ─▶ handed(n) … ─▶ written(n) …  ─▶ in its turn: durable
//                      └──────▶ a failure: never durable, nor is any batch after it
//
// A record that goes to several partitions (Record::to_all_partitions) counts once for each.
//
// A batch is durable when each of its records was handed over and reported as written, and
// every batch before it is durable. A failed record is simply never counted: so its batch,
// and all after it, stay where they are until the sink is destroyed.
//
// The producer reads keys and values out of a batch until it has reported them. So a batch
// that is destroyed here had all its records reported; give_up() hands out the others.
//
// Pure: no clock, no I/O. Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <vector>

#include "core/record.h"
#include "sink/kafka/producer.h"
#include "sink/lane_positions.h"

namespace pgc {

class KafkaDelivery {
public:
    // An accepted batch.
    class Pending {
    public:
        const RecordBatch& batch() const noexcept { return *batch_; }
        std::uint32_t number() const noexcept { return number_; }
        std::size_t handed() const noexcept { return handed_; }
        bool all_handed() const noexcept { return handed_ == records_; }

    private:
        friend class KafkaDelivery;
        RecordBatchPtr batch_;
        std::uint32_t number_ = 0;
        std::size_t bytes_ = 0;
        std::size_t records_ = 0;             // each as often as it goes to a partition
        std::size_t handed_ = 0;              // records off the front that somebody has taken
        std::size_t written_ = 0;             // of these
        std::size_t lent_ = 0;                // of these, not reported
        std::vector<const Record*> letters_;  // of those that go to several partitions
    };

    // What the next one is known by (KafkaTag::batch).
    std::uint32_t next_number() const noexcept {
        return first_ + static_cast<std::uint32_t>(queue_.size());
    }
    // `records` are handed over for it. Requires: every batch before was handed over whole.
    Pending& accept(RecordBatchPtr batch, std::size_t records, std::size_t bytes);
    // Of a batch with records that are not reported.
    Pending& of(std::uint32_t number) noexcept { return queue_[number - first_]; }
    // The batch that is not handed over whole; null: all are.
    Pending* unfinished() noexcept;

    // `records` more of it were taken by the producer.
    void handed(Pending& pending, std::size_t records) noexcept;
    // A record of it that somebody keeps for now: not lent, but not written either.
    void kept(Pending& pending) noexcept;
    // A record that goes to several partitions is refused by each of them, and kept once: true the
    // first time. The others are covered() by that one: nothing more is sent for them.
    bool keeps(Pending& pending, const Record& record);
    void covered(Pending& pending) noexcept;
    // A kept one was given to the producer.
    void handed_kept(Pending& pending) noexcept { ++pending.lent_; }

    // As the producer reported.
    void written(const KafkaReports::Written& report) noexcept;
    // Forgets that it is lent. The record it was about.
    const Record& failed(const KafkaReports::Failed& report) noexcept;

    // Lets go what is durable with everything before it; how many records that were.
    std::size_t advance();

    Position durable(Lane lane) const noexcept { return durable_.of(lane); }
    const LanePositions& durable() const noexcept { return durable_; }
    bool empty() const noexcept { return queue_.empty(); }
    std::size_t batches() const noexcept { return queue_.size(); }
    std::size_t bytes() const noexcept { return bytes_; }
    std::size_t unreported() const noexcept { return unreported_; }

    // Ends: the contents of batches with lent records, which must outlive the producer.
    std::vector<RecordBatch> give_up();

private:
    std::deque<Pending> queue_;  // in order; addresses stay
    std::uint32_t first_ = 0;    // number of its front
    LanePositions durable_;
    std::size_t bytes_ = 0;
    std::size_t unreported_ = 0;
};

}  // namespace pgc
