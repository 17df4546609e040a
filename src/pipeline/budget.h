// The pipeline's memory in bytes: reserve first, then read.
//
//   reserved   the batch that is being read and encoded: raw messages, cells, records
//   held       encoded batches, until they are durable
//
// A read of at most r raw bytes reserves kPerRawByte * r: what its cells and records come
// to. After encoding, settle() puts what it really came to in the reservation's place. So the
// memory in use never exceeds limit + kPerRawByte * (the largest single message), which
// alone is admitted whatever its size. When less than a useful read is left, reading
// pauses; when nothing is held, a read is always granted, so a small budget is slow, not stuck.
//
// Threads: one, the pipeline's.
#pragma once

#include <algorithm>
#include <cstddef>

namespace pgc {

class Budget {
public:
    static constexpr std::size_t kPerRawByte = 8;
    static constexpr std::size_t kUsefulRead = std::size_t{16} << 10;

    explicit Budget(std::size_t limit) noexcept : limit_(limit) {}

    // How many raw bytes may be read now, at most `wanted`; 0: wait.
    std::size_t readable(std::size_t wanted) const noexcept {
        const std::size_t used = held_ + reserved_;
        const std::size_t left = used < limit_ ? (limit_ - used) / kPerRawByte : 0;
        const std::size_t least = std::min(wanted, kUsefulRead);
        if (left >= least) return std::min(wanted, left);
        return used == 0 ? least : 0;
    }

    void reserve(std::size_t raw_bytes) noexcept { reserved_ = raw_bytes * kPerRawByte; }
    // What was read and encoded pins `bytes` from now on.
    void settle(std::size_t bytes) noexcept {
        reserved_ = 0;
        held_ += bytes;
    }
    void release(std::size_t bytes) noexcept { held_ -= std::min(bytes, held_); }

    std::size_t used() const noexcept { return held_ + reserved_; }
    std::size_t limit() const noexcept { return limit_; }

private:
    const std::size_t limit_;
    std::size_t held_ = 0;
    std::size_t reserved_ = 0;
};

}  // namespace pgc
