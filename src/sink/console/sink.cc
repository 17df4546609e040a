#include "sink/console/sink.h"

#include <string_view>
#include <utility>

#include "sink/console/lines.h"

namespace pgc {

ConsoleSink::ConsoleSink(int fd, const ConsoleSinkOptions& options, ConsoleCarryOver* carry_over)
    : output_(fd), options_(options), carry_over_(carry_over) {
    if (carry_over_ == nullptr || carry_over_->rest.empty()) return;
    buffer_ = std::exchange(carry_over_->rest, {});
    put_ = buffer_.size();
    in_line_ = true;
}

ConsoleSink::~ConsoleSink() {
    if (carry_over_ == nullptr || !in_line_) return;
    carry_over_->rest = buffer_.substr(taken_, buffer_.find('\n', taken_) + 1 - taken_);
}

Result<Sink::Offer> ConsoleSink::offer(RecordBatchPtr& batch) {
    if (error_) {
        return std::unexpected(*error_);
    }
    const std::size_t bytes = batch->arena.capacity();
    const bool too_many =
        pending_bytes_ + bytes > kPendingBytes_max || queue_.size() >= kPendingBatches_max;
    if (too_many && !queue_.empty()) {
        return Offer::full;
    }
    queue_.push_back({.batch = std::move(batch), .bytes = bytes, .ends_at = 0});
    pending_bytes_ += bytes;
    pump();
    return Offer::accepted;
}

Result<Position> ConsoleSink::durable(Lane lane) {
    pump();
    if (error_) {
        return std::unexpected(*error_);
    }
    return durable_.of(lane);
}

void ConsoleSink::caught_up() {
    pump();
}

void ConsoleSink::wants(Wants& wants) const {
    if (!queue_.empty() && !error_) {
        wants.writable(output_.fd());
    }
}

void ConsoleSink::pump() {
    for (std::size_t turn = 0; turn < kTurn && !error_;) {
        fill();
        retire();
        const auto rest = std::string_view{buffer_}.substr(taken_);
        if (rest.empty()) {
            return;
        }
        const auto written = output_.write(rest);
        if (!written) {
            error_ = written.error();
            return;
        }
        if (*written == 0) {
            return;
        }
        in_line_ = rest[*written - 1] != '\n';
        took(*written);
        turn += *written;
    }
    retire();
}

// Puts lines into the buffer until it holds enough for a write, or all there are.
void ConsoleSink::fill() {
    while (filled_ < queue_.size() && buffer_.size() - taken_ < kWrite) {
        Pending& pending = queue_[filled_];
        const std::size_t before = buffer_.size();
        while (next_record_ < pending.batch->records.size() && buffer_.size() - taken_ < kWrite) {
            append_line(buffer_, pending.batch->records[next_record_++], options_);
        }
        put_ += buffer_.size() - before;
        if (next_record_ == pending.batch->records.size()) {
            pending.ends_at = put_;
            next_record_ = 0;
            ++filled_;
        }
    }
}

void ConsoleSink::took(std::size_t bytes) {
    sent_ += bytes;
    taken_ += bytes;
    if (taken_ == buffer_.size()) {
        buffer_.clear();
        taken_ = 0;
        if (buffer_.capacity() > 4 * kWrite) {
            buffer_.shrink_to_fit();  // a large message has passed
        }
    } else if (taken_ >= kWrite) {
        buffer_.erase(0, taken_);
        taken_ = 0;
    }
}

// Confirms the batches whose last line is written, and gives them back.
void ConsoleSink::retire() {
    while (filled_ > 0 && queue_.front().ends_at <= sent_) {
        const Pending& done = queue_.front();
        durable_.raise(done.batch->lane, done.batch->end);
        pending_bytes_ -= done.bytes;
        queue_.pop_front();
        --filled_;
    }
}

}  // namespace pgc
