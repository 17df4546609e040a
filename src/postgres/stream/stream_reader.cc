#include "postgres/stream/stream_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgc {

namespace {

// So many messages for each change the batch may have: Begin, Commit, a keepalive and
// one of our own.
constexpr std::size_t kMessagesPerChange = 4;

// So far from the log's end nobody minds a few milliseconds.
constexpr std::uint64_t kFarBehind = std::uint64_t{1} << 20;

}  // namespace

StreamReader::StreamReader(Link& link, Assembler& assembler, Instant now)
    : link_(link),
      assembler_(assembler),
      release_(link.release()),
      coalescer_(link.local(), link.loopback()) {
    liveness_.heard(now);
}

StreamReader::~StreamReader() {
    for (; next_ < kept_.size(); ++next_) release_(kept_[next_].data);
}

Result<StreamReader::Stopped> StreamReader::read(Batch& batch, std::size_t max_changes,
                                                 std::size_t max_bytes, Instant now) {
    const Limits limits{std::max<std::size_t>(max_changes, 1), std::max<std::size_t>(max_bytes, 1),
                        std::max<std::size_t>(max_changes, 1) * kMessagesPerChange};
    decoded_ = 0;
    waiting_ = false;
    if (nothing_kept() && coalescer_.stay_away(now)) return Stopped::drained;
    assembler_.enter(batch);
    Link::Drained drained = Link::Drained::limit;
    while (true) {
        const auto stopped = decode(batch, limits);
        if (!stopped || *stopped != Stopped::drained) return stopped;
        if (drained == Link::Drained::all) return judge(now);
        if (drained == Link::Drained::ended) return std::unexpected(why_ended());
        const auto more = drain(batch, limits);
        if (!more) return std::unexpected(more.error());
        drained = *more;
    }
}

bool StreamReader::full(const Batch& batch, const Limits& limits) const noexcept {
    return batch.changes.size() >= limits.changes || batch.bytes >= limits.bytes ||
           decoded_ >= limits.messages;
}

Result<StreamReader::Stopped> StreamReader::decode(Batch& batch, const Limits& limits) {
    using Taken = Assembler::Taken;
    for (; next_ < kept_.size(); ++next_, ++decoded_) {
        if (full(batch, limits)) return Stopped::full;
        const CopyMessage message = kept_[next_];
        const auto taken = assembler_.take({message.data, message.size}, batch);
        if (!taken) [[unlikely]]
            return std::unexpected(taken.error());
        if (*taken == Taken::kept) [[likely]] {
            batch.retain(message.data, message.size, release_);
            continue;
        }
        if (*taken == Taken::done) {
            release_(message.data);
            continue;
        }
        waiting_ = true;
        if (*taken == Taken::held) return Stopped::held;
        return *taken == Taken::catalog ? Stopped::catalog : Stopped::reselect;
    }
    kept_.clear();
    next_ = 0;
    return full(batch, limits) ? Stopped::full : Stopped::drained;
}

Result<Link::Drained> StreamReader::drain(const Batch& batch, const Limits& limits) {
    return link_.drain(kept_, limits.changes - batch.changes.size(), limits.bytes - batch.bytes,
                       received_);
}

// After a drain that left nothing behind.
Result<StreamReader::Stopped> StreamReader::judge(Instant now) {
    const std::size_t received = std::exchange(received_, 0);
    const bool behind = assembler_.in_large_transaction() ||
                        assembler_.received().value + kFarBehind < log_end_.value;
    coalescer_.drained(received, now, behind);
    if (coalescer_.low_water() != low_water_) {
        low_water_ = coalescer_.low_water();
        link_.set_low_water(low_water_);
    }
    if (received > 0) {
        liveness_.heard(now);
        return Stopped::drained;
    }
    switch (liveness_.silence(now)) {
        case Liveness::Verdict::fine: return Stopped::drained;
        case Liveness::Verdict::probe: return Stopped::silent;
        case Liveness::Verdict::dead: break;
    }
    return std::unexpected(retry(
        Error::Category::connection,
        fmt::format("the server has not answered for {} s: the connection is considered dead",
                    std::chrono::duration_cast<std::chrono::seconds>(Liveness::kGrace).count())));
}

void StreamReader::log_reaches(Lsn end) noexcept {
    if (end == log_end_) return;
    log_end_ = end;
    coalescer_.believe();
}

// The server has left copy mode: what it says next is why.
Error StreamReader::why_ended() {
    const auto said = link_.result();
    if (!said) return said.error();
    return retry(Error::Category::connection, "the server has ended the stream");
}

void StreamReader::wants(Wants& wants) const {
    if (waiting_) return;  // the answer wakes us
    if (!nothing_kept()) {
        wants.until(Instant{});
        return;
    }
    if (coalescer_.watch_socket()) wants.readable(link_.fd());
    wants.until(coalescer_.limit());
    wants.until(liveness_.next());
}

}  // namespace pgc
