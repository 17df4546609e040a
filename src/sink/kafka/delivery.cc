#include "sink/kafka/delivery.h"

#include <algorithm>
#include <cassert>
#include <utility>

namespace pgc {

KafkaDelivery::Pending& KafkaDelivery::accept(RecordBatchPtr batch, std::size_t records,
                                              std::size_t bytes) {
    assert(unfinished() == nullptr);
    const std::uint32_t number = next_number();
    Pending& pending = queue_.emplace_back();
    pending.number_ = number;
    pending.batch_ = std::move(batch);
    pending.records_ = records;
    pending.bytes_ = bytes;
    bytes_ += bytes;
    return pending;
}

KafkaDelivery::Pending* KafkaDelivery::unfinished() noexcept {
    return queue_.empty() || queue_.back().all_handed() ? nullptr : &queue_.back();
}

void KafkaDelivery::handed(Pending& pending, std::size_t records) noexcept {
    assert(pending.handed_ + records <= pending.records_);
    pending.handed_ += records;
    pending.lent_ += records;
    unreported_ += records;
}

void KafkaDelivery::kept(Pending& pending) noexcept {
    handed(pending, 1);
    --pending.lent_;
}

bool KafkaDelivery::keeps(Pending& pending, const Record& record) {
    if (!record.to_all_partitions) return true;
    if (std::ranges::find(pending.letters_, &record) != pending.letters_.end()) return false;
    pending.letters_.push_back(&record);
    return true;
}

void KafkaDelivery::covered(Pending& pending) noexcept {
    ++pending.written_;
    --unreported_;
}

void KafkaDelivery::written(const KafkaReports::Written& report) noexcept {
    Pending& pending = of(report.batch);
    assert(report.records <= pending.lent_);
    pending.lent_ -= report.records;
    pending.written_ += report.records;
    unreported_ -= report.records;
}

const Record& KafkaDelivery::failed(const KafkaReports::Failed& report) noexcept {
    Pending& pending = of(report.tag.batch);
    assert(pending.lent_ > 0 && report.tag.record < pending.batch_->records.size());
    --pending.lent_;
    return pending.batch_->records[report.tag.record];
}

std::size_t KafkaDelivery::advance() {
    std::size_t records = 0;
    while (!queue_.empty()) {
        const Pending& front = queue_.front();
        if (front.written_ < front.records_) break;
        durable_.raise(front.batch_->lane, front.batch_->end);
        bytes_ -= front.bytes_;
        records += front.written_;
        queue_.pop_front();
        ++first_;
    }
    return records;
}

std::vector<RecordBatch> KafkaDelivery::give_up() {
    std::vector<RecordBatch> lent;
    for (Pending& pending : queue_) {
        if (pending.lent_ > 0) lent.push_back(std::move(*pending.batch_));
    }
    first_ = next_number();
    queue_.clear();
    bytes_ = unreported_ = 0;
    return lent;
}

}  // namespace pgc
