#include "simulation/destination.h"

#include <utility>

namespace pgc::sim {

using namespace std::chrono_literals;

FakeSink::FakeSink(World& world, Oracle& oracle, const SinkHabits& habits)
    : world_(world), oracle_(oracle), habits_(habits) {}

// Some of what was on its way arrives all the same; nobody is told.
FakeSink::~FakeSink() {
    const std::size_t arrived = world_.random.below(waiting_.size() + 1);
    for (std::size_t i = 0; i < arrived; ++i) write(waiting_[i]);
}

bool FakeSink::fails(const char* where) {
    world_.step(where);
    if (world_.random.below(10'000) >= habits_.failures_per_10000) return false;
    world_.note("the sink fails at ", where);
    return true;
}

Result<Sink::Offer> FakeSink::offer(RecordBatchPtr& batch) {
    if (fails("offer")) {
        return std::unexpected(retry(Error::Category::sink, "the destination refuses"));
    }
    make_durable();
    if (waiting_.size() >= habits_.batches_max) return Offer::full;
    Duration delay = world_.between(0ns, habits_.delay_max);
    if (world_.random.below(10'000) < habits_.stalls_per_10000) delay += habits_.stall;
    held_ += batch->arena.capacity() + batch->records.capacity() * sizeof(Record);
    oracle_.holds(held_, habits_.held_limit);
    waiting_.push_back({std::move(batch), world_.clock.now() + delay, habits_.linger});
    world_.step("offered");
    return Offer::accepted;
}

void FakeSink::write(Held& held) {
    for (const Record& record : held.batch->records) {
        if (record.destination == Destination::heartbeats) continue;  // about no change
        oracle_.durable(record, world_.instance());
    }
    held_ -= held.batch->arena.capacity() + held.batch->records.capacity() * sizeof(Record);
}

void FakeSink::make_durable() {
    while (!waiting_.empty() && waiting_.front().durable_at <= world_.clock.now() &&
           !(waiting_.front().lingers && waiting_.size() < habits_.batches_max)) {
        write(waiting_.front());
        durable_.at(waiting_.front().batch->lane.value) = waiting_.front().batch->end;
        waiting_.pop_front();
    }
}

Result<Position> FakeSink::durable(Lane lane) {
    if (fails("durable")) {
        return std::unexpected(retry(Error::Category::sink, "the destination went away"));
    }
    make_durable();
    if (lane == kStreamLane) oracle_.reported(durable_.at(lane.value));
    return durable_.at(lane.value);
}

void FakeSink::caught_up() {
    for (Held& held : waiting_) held.lingers = false;
}

void FakeSink::wants(Wants& wants) const {
    if (waiting_.empty()) return;
    if (waiting_.front().lingers && waiting_.size() < habits_.batches_max) return;
    wants.until(waiting_.front().durable_at);
}

}  // namespace pgc::sim
