#include "postgres/stream/feedback.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <cstring>

namespace pgc {

namespace {

constexpr std::int64_t kPostgresEpochUnixUs = 946'684'800'000'000;  // 2000-01-01
constexpr Duration kShortestInterval = std::chrono::milliseconds{100};

char* write_big_endian(char* out, std::uint64_t value) noexcept {
    if constexpr (std::endian::native == std::endian::little) value = std::byteswap(value);
    std::memcpy(out, &value, sizeof value);
    return out + sizeof value;
}

}  // namespace

void Feedback::server_patience(Duration limit) noexcept {
    if (limit > Duration{0}) {
        // A third: half is when it starts asking, and timers come late.
        interval_ = std::max(kShortestInterval, std::min(interval_, limit / 3));
    }
}

void Feedback::received(Lsn end) noexcept {
    write_ = std::max(write_, end);
}

void Feedback::confirm(Lsn lsn, bool now) noexcept {
    if (lsn > flush_) flush_ = lsn;
    hurry_ = hurry_ || now;
}

Instant Feedback::due_at() const noexcept {
    if (asked_ || probe_ || hurry_) return sent_;
    return sent_ + interval_;
}

Feedback::Text Feedback::take(Instant now, WallTime wall) noexcept {
    const Lsn write = std::max(write_, flush_);
    Text text;
    char* out = text.data();
    *out++ = 'r';
    out = write_big_endian(out, write.value);
    out = write_big_endian(out, flush_.value);
    out = write_big_endian(out, flush_.value);
    out = write_big_endian(out, static_cast<std::uint64_t>(wall.unix_us - kPostgresEpochUnixUs));
    *out = probe_ ? 1 : 0;
    sent_ = now;
    asked_ = probe_ = hurry_ = false;
    return text;
}

Liveness::Verdict Liveness::silence(Instant now) noexcept {
    if (now < next()) return Verdict::fine;
    if (probing_) return Verdict::dead;
    probing_ = true;
    probed_ = now;
    return Verdict::probe;
}

}  // namespace pgc
