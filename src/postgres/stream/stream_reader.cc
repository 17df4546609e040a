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

// The end of the log may lie after the header of a page that has no record yet: so much more of it
// means nothing.
constexpr std::uint64_t kPage = 8192;

}  // namespace

StreamReader::StreamReader(Link& link, Assembler& assembler, Instant now,
                           Duration wal_sender_timeout)
    : link_(link),
      assembler_(assembler),
      release_(link.release()),
      coalescer_(link.local(), link.loopback()),
      liveness_(wal_sender_timeout) {
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
        if (!stopped || *stopped != Stopped::drained) {
            note_news();
            return stopped;
        }
        if (drained == Link::Drained::all) return judge(now);
        if (drained == Link::Drained::ended) return std::unexpected(why_ended());
        const auto more = drain(batch, limits);
        if (!more) return std::unexpected(more.error());
        drained = *more;
    }
}

bool StreamReader::full(const Batch& batch, const Limits& limits) const noexcept {
    return batch.changes.size() >= limits.changes || batch.bytes >= limits.bytes ||
           decoded_ >= limits.messages ||
           (ends_at_commit_ && !batch.transactions.empty() && batch.transactions.front().ends);
}

Result<StreamReader::Stopped> StreamReader::decode(Batch& batch, const Limits& limits) {
    while (true) {
        if (assembler_.replaying()) [[unlikely]] {
            const auto replayed = replay(batch, limits);
            if (!replayed || *replayed != Stopped::drained) return replayed;
        }
        const auto stopped = decode_kept(batch, limits);
        if (!stopped || !assembler_.replaying()) [[likely]]
            return stopped;
    }
}

Result<StreamReader::Stopped> StreamReader::decode_kept(Batch& batch, const Limits& limits) {
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
        if (*taken == Taken::done || *taken == Taken::replay) {
            release_(message.data);
            if (*taken == Taken::done) continue;
            ++next_;
            return Stopped::full;
        }
        return waits(*taken);
    }
    kept_.clear();
    next_ = 0;
    return full(batch, limits) ? Stopped::full : Stopped::drained;
}

Result<StreamReader::Stopped> StreamReader::replay(Batch& batch, const Limits& limits) {
    using Taken = Assembler::Taken;
    quiet_since_.reset();  // the server is not asked for anything
    for (; assembler_.replaying(); ++decoded_) {
        if (full(batch, limits)) return Stopped::full;
        const auto taken = assembler_.replay(batch);
        if (!taken) return std::unexpected(taken.error());
        if (*taken != Taken::kept && *taken != Taken::done) return waits(*taken);
    }
    return Stopped::drained;
}

StreamReader::Stopped StreamReader::waits(Assembler::Taken taken) noexcept {
    waiting_ = true;
    if (taken == Assembler::Taken::held) return Stopped::held;
    return taken == Assembler::Taken::catalog ? Stopped::catalog : Stopped::reselect;
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
    note_news();
    if (log_ahead() <= kPage) quiet_since_.reset();
    if (log_ahead() > kPage && !quiet_since_) quiet_since_ = now;
    if (received > 0) {
        liveness_.heard(now);
        return Stopped::drained;
    }
    switch (liveness_.silence(now)) {
        case Liveness::Verdict::fine: return Stopped::drained;
        case Liveness::Verdict::probe: return Stopped::silent;
        case Liveness::Verdict::dead: break;
    }
    dead_since_ = now + -liveness_.grace();
    return std::unexpected(considered_dead());
}

// Of this read().
void StreamReader::note_news() noexcept {
    const std::uint64_t stale = assembler_.stale_keepalives() - stale_;
    stale_ += stale;
    if (decoded_ > stale) quiet_since_.reset();
}

std::uint64_t StreamReader::log_ahead() const noexcept {
    const Lsn came = assembler_.server_end();
    return log_end_ > came ? log_end_.value - came.value : 0;
}

std::optional<StreamReader::Silence> StreamReader::silence() const noexcept {
    const bool answers = !dead_since_;
    if (answers && !quiet_since_) return std::nullopt;
    return Silence{.since = answers ? *quiet_since_ : *dead_since_,
                   .log_bytes = log_ahead(),
                   .answers = answers};
}

Error StreamReader::considered_dead() const {
    const auto grace = std::chrono::duration_cast<std::chrono::seconds>(liveness_.grace());
    const bool moved = log_ahead() > kPage;
    return retry(
               Error::Category::connection,
               fmt::format(
                   "the server has not answered for {} s{}: the connection is considered "
                   "dead",
                   grace.count(),
                   moved ? fmt::format(", and its log has gone on by {} bytes", log_ahead()) : ""))
        .at(fmt::format("walsender with PID {}", link_.backend_pid()))
        .with_hint(fmt::format("if this comes again: what does it wait for? SELECT state, "
                               "wait_event_type, wait_event FROM pg_stat_activity WHERE pid = {}",
                               link_.backend_pid()));
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
