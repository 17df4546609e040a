#include "simulation/mutation.h"

#include <algorithm>
#include <array>
#include <deque>
#include <optional>
#include <utility>

#include "support/forwarding.h"

namespace pgc::sim {
namespace {

class SpoilingSource final : public test::ForwardingSource {
public:
    SpoilingSource(std::unique_ptr<Source> source, Mutation mutation, Oracle& oracle)
        : ForwardingSource(std::move(source)), mutation_(mutation), oracle_(oracle) {}

    Result<bool> open() override {
        auto opened = inner().open();
        if (opened && *opened) {
            identity_ = inner().identity();
            if (mutation_ == Mutation::guard_is_blind && oracle_.stored()) {
                identity_.slot_is_new = false;
                identity_.slot_confirmed = std::min(identity_.slot_confirmed, oracle_.stored());
            }
        }
        return opened;
    }
    const SourceIdentity& identity() const override { return identity_; }
    Result<void> start(Lsn from, std::string_view snapshot) override {
        if (mutation_ == Mutation::stream_begins_late) from.value += 500;
        return inner().start(from, snapshot);
    }
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override {
        auto done = inner().read(batch, max_changes, max_bytes);
        if (batch.resume_at) received_ = batch.resume_at;
        if (mutation_ == Mutation::read_is_called_durable && batch.lane == kSnapshotLane) {
            inner().snapshots()->durable(batch.end);
        }
        return done;
    }
    void confirm(Lsn lsn, bool now) override {
        if (mutation_ == Mutation::confirms_what_it_received) lsn = std::max(lsn, received_);
        if (mutation_ == Mutation::confirms_a_bit_more) lsn.value += 1;
        inner().confirm(lsn, now);
    }

private:
    const Mutation mutation_;
    Oracle& oracle_;
    SourceIdentity identity_;
    Lsn received_;
};

class SpoilingFormat final : public test::ForwardingFormat {
public:
    SpoilingFormat(std::unique_ptr<Format> inner, Mutation mutation, Random& random)
        : ForwardingFormat(std::move(inner)), mutation_(mutation), random_(random) {}

    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        auto done = inner().encode(batch, from, out);
        auto& records = out.records;
        if (mutation_ == Mutation::loses_a_read) {
            if (batch.lane == kSnapshotLane && !records.empty() && random_.chance(20)) {
                records.pop_back();
            }
            return done;
        }
        if (mutation_ == Mutation::mark_miscounts) return done;
        if (records.size() < 2 || !random_.chance(20)) return done;
        const auto at = static_cast<std::ptrdiff_t>(random_.below(records.size() - 1));
        switch (mutation_) {
            case Mutation::loses_a_record: records.erase(records.begin() + at); break;
            case Mutation::swaps_two_records:
                std::iter_swap(records.begin() + at, records.begin() + at + 1);
                break;
            case Mutation::sends_a_record_twice: {
                const Record copy = *(records.begin() + at);
                records.insert(records.begin() + at, copy);
                break;
            }
            default: break;
        }
        return done;
    }

    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override {
        TransactionMark told = mark;
        if (mutation_ == Mutation::mark_miscounts && random_.chance(20)) ++told.events;
        return inner().encode_mark(told, out);
    }

private:
    const Mutation mutation_;
    Random& random_;
};

class HastySink final : public test::ForwardingSink {
public:
    using test::ForwardingSink::ForwardingSink;

    Result<Offer> offer(RecordBatchPtr& batch) override {
        const Position end = batch->end;
        const Lane lane = batch->lane;
        auto answer = inner().offer(batch);
        if (answer && *answer == Offer::accepted) accepted_.at(lane.value) = end;
        return answer;
    }
    Result<Position> durable(Lane lane) override {
        if (auto truth = inner().durable(lane); !truth) return truth;
        return accepted_.at(lane.value);
    }

private:
    std::array<Position, 3> accepted_;  // by lane
};

// Calls itself open, or a seal done, when that has only begun.
class RashSink final : public test::ForwardingSink {
public:
    RashSink(std::unique_ptr<Sink> inner, Mutation mutation)
        : ForwardingSink(std::move(inner)), mutation_(mutation) {
        if (auto* const positions = this->inner().positions()) positions_.emplace(*positions);
    }

    PositionStore* positions() noexcept override {
        const bool rash = mutation_ == Mutation::commit_is_called_done && positions_;
        return rash ? &*positions_ : inner().positions();
    }
    Result<bool> open() override {
        if (mutation_ != Mutation::reads_before_it_fences || opened_) return inner().open();
        return true;
    }
    Result<Offer> offer(RecordBatchPtr& batch) override {
        if (auto opened = go_on_opening(); !opened || !*opened) {
            if (!opened) return std::unexpected(opened.error());
            return Offer::full;
        }
        return inner().offer(batch);
    }
    Result<void> seal(const StoredPosition& position) override {
        if (auto opened = go_on_opening(); !opened || !*opened) {
            if (!opened) return std::unexpected(opened.error());
            return {};
        }
        return inner().seal(position);
    }

private:
    class Positions final : public PositionStore {
    public:
        explicit Positions(PositionStore& inner) : inner_(inner) {}
        Result<std::optional<Loaded>> load() override { return inner_.load(); }
        void create() override { inner_.create(); }
        Result<void> save(const StoredPosition& position) override { return inner_.save(position); }
        Result<void> forget() override { return inner_.forget(); }
        Result<bool> saved() override {
            if (auto truth = inner_.saved(); !truth) return truth;
            return true;
        }
        void wants(Wants& wants) const override { inner_.wants(wants); }
        std::uint64_t attempts() const noexcept override { return inner_.attempts(); }
        std::string where() const override { return inner_.where(); }

    private:
        PositionStore& inner_;
    };

    Result<bool> go_on_opening() {
        if (mutation_ != Mutation::reads_before_it_fences || opened_) return true;
        auto opened = inner().open();
        if (opened) opened_ = *opened;
        return opened;
    }

    const Mutation mutation_;
    std::optional<Positions> positions_;
    bool opened_ = false;
};

// Lets the stream pass what was read in the snapshot: rows come after a change that is newer.
class OvertakenSink final : public test::ForwardingSink {
public:
    using test::ForwardingSink::ForwardingSink;

    Result<Offer> offer(RecordBatchPtr& batch) override {
        if (batch->lane == kSnapshotLane) {
            late_.push_back(std::move(batch));
            return Offer::accepted;
        }
        auto answer = inner().offer(batch);
        if (!answer || *answer == Offer::full) return answer;
        if (auto done = offer_late_ones(); !done) return std::unexpected(done.error());
        return answer;
    }
    Result<Position> durable(Lane lane) override {
        // It may be that no change comes.
        if (!late_.empty() && ++asked_ % kAsked_max == 0) {
            if (auto done = offer_late_ones(); !done) return std::unexpected(done.error());
        }
        return inner().durable(lane);
    }

private:
    static constexpr std::uint64_t kAsked_max = 20;

    Result<void> offer_late_ones() {
        while (!late_.empty()) {
            const auto next = inner().offer(late_.front());
            if (!next) return std::unexpected(next.error());
            if (*next == Offer::full) break;
            late_.pop_front();
        }
        return {};
    }

    std::deque<RecordBatchPtr> late_;
    std::uint64_t asked_ = 0;
};

class SpoilingStore final : public test::ForwardingStore {
public:
    SpoilingStore(std::unique_ptr<PositionStore> inner, Mutation mutation, Server& server)
        : ForwardingStore(std::move(inner)), mutation_(mutation), server_(server) {}

    Result<std::optional<Loaded>> load() override {
        auto loaded = inner().load();
        if (mutation_ == Mutation::successor_knows_what_was && loaded && *loaded) {
            if (before_waiting_) return std::exchange(before_waiting_, std::nullopt);
            before_waiting_ = *loaded;
        }
        if (mutation_ == Mutation::guard_is_blind && loaded && *loaded && (*loaded)->position) {
            (*loaded)->position->system = server_.system();
            (*loaded)->position->timeline = server_.timeline();
        }
        return loaded;
    }
    Result<void> save(const StoredPosition& position) override {
        StoredPosition written = position;
        if (mutation_ == Mutation::store_is_late) {
            std::swap(written.resume_at, before_);
            if (!written.resume_at) written.resume_at = before_;
        }
        if (mutation_ == Mutation::store_forgets && ++saves_ % 3 == 0) return {};
        if (mutation_ == Mutation::snapshot_is_called_done && ++saves_ % 3 == 0) {
            written.snapshot.clear();
        }
        return inner().save(written);
    }

private:
    const Mutation mutation_;
    Server& server_;
    Lsn before_;
    std::optional<Loaded> before_waiting_;
    int saves_ = 0;
};

class HastyLog final : public PositionLog {
public:
    explicit HastyLog(std::unique_ptr<PositionLog> inner) : inner_(std::move(inner)) {}

    void read() override { inner_->read(); }
    Result<std::optional<Tail>> tail() override { return inner_->tail(); }
    void create() override { inner_->create(); }
    Result<bool> created() override { return inner_->created(); }
    void append(std::string value) override { inner_->append(std::move(value)); }
    Result<bool> appended() override {
        if (auto truth = inner_->appended(); !truth) return truth;
        return true;
    }
    void wants(Wants& wants) const override { inner_->wants(wants); }

private:
    std::unique_ptr<PositionLog> inner_;
};

}  // namespace

std::unique_ptr<Source> spoilt(std::unique_ptr<Source> part, Mutation mutation, Oracle& oracle) {
    switch (mutation) {
        case Mutation::confirms_what_it_received:
        case Mutation::confirms_a_bit_more:
        case Mutation::guard_is_blind:
        case Mutation::stream_begins_late:
        case Mutation::read_is_called_durable: break;
        default: return part;
    }
    return std::make_unique<SpoilingSource>(std::move(part), mutation, oracle);
}

std::unique_ptr<Format> spoilt(std::unique_ptr<Format> part, Mutation mutation, Random& random) {
    switch (mutation) {
        case Mutation::loses_a_record:
        case Mutation::loses_a_read:
        case Mutation::swaps_two_records:
        case Mutation::sends_a_record_twice:
        case Mutation::mark_miscounts:
            return std::make_unique<SpoilingFormat>(std::move(part), mutation, random);
        default: return part;
    }
}

std::unique_ptr<PositionLog> spoilt(std::unique_ptr<PositionLog> part, Mutation mutation) {
    if (mutation != Mutation::append_is_called_stored) return part;
    return std::make_unique<HastyLog>(std::move(part));
}

std::unique_ptr<Sink> spoilt(std::unique_ptr<Sink> part, Mutation mutation) {
    if (mutation == Mutation::stream_passes_the_snapshot) {
        return std::make_unique<OvertakenSink>(std::move(part));
    }
    if (mutation == Mutation::reads_before_it_fences ||
        mutation == Mutation::commit_is_called_done) {
        return std::make_unique<RashSink>(std::move(part), mutation);
    }
    if (mutation != Mutation::accepted_is_called_durable) return part;
    return std::make_unique<HastySink>(std::move(part));
}

std::unique_ptr<PositionStore> spoilt(std::unique_ptr<PositionStore> part, Mutation mutation,
                                      Server& server) {
    switch (mutation) {
        case Mutation::store_forgets:
        case Mutation::store_is_late:
        case Mutation::snapshot_is_called_done:
        case Mutation::guard_is_blind:
        case Mutation::successor_knows_what_was:
            return std::make_unique<SpoilingStore>(std::move(part), mutation, server);
        default: return part;
    }
}

}  // namespace pgc::sim
