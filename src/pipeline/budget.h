// The pipeline's memory in bytes: reserve first, then read.
//
//   reserved   the batch that is being read and encoded: raw messages, cells, records
//   charged    encoded batches, until the sink gives them back (RecordPool::charge)
//
// A read of at most r raw bytes reserves kPerRawByte * r: what its cells and records take;
// where transactions are marked, and each may be of one small row, kPerRawByte_marked * r.
// After encoding, what it really takes is charged in the reservation's place. So the memory in
// use never exceeds limit + kPerRawByte * (the largest single message), which alone is admitted
// whatever its size. When less than a useful read is left, reading pauses; when nothing is charged,
// a read is always granted, so a small budget is slow, not stuck.
//
// Threads: one, the pipeline's.
#pragma once

#include <algorithm>
#include <cstddef>

#include "core/record.h"

namespace pgc {

class Budget {
public:
    static constexpr std::size_t kPerRawByte = 8;
    static constexpr std::size_t kPerRawByte_marked = 24;
    static constexpr std::size_t kUsefulRead = std::size_t{16} << 10;

    // `pool` outlives this.
    Budget(std::size_t limit, const RecordPool& pool, bool marked = false) noexcept
        : limit_(limit), pool_(pool), per_raw_byte_(marked ? kPerRawByte_marked : kPerRawByte) {}

    // How many raw bytes may be read now, at most `wanted`; 0: wait.
    std::size_t readable(std::size_t wanted) const noexcept {
        const std::size_t now = used();
        const std::size_t left = now < limit_ ? (limit_ - now) / per_raw_byte_ : 0;
        const std::size_t least = std::min(wanted, kUsefulRead * kPerRawByte / per_raw_byte_);
        if (left >= least) return std::min(wanted, left);
        return now == 0 ? least : 0;
    }

    void reserve(std::size_t raw_bytes) noexcept { reserved_ = raw_bytes * per_raw_byte_; }
    // What was read is encoded and charged, or given up.
    void settle() noexcept { reserved_ = 0; }

    std::size_t used() const noexcept { return pool_.charged() + reserved_; }
    std::size_t limit() const noexcept { return limit_; }

private:
    const std::size_t limit_;
    const RecordPool& pool_;
    const std::size_t per_raw_byte_;
    std::size_t reserved_ = 0;
};

}  // namespace pgc
