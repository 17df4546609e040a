// A source, a format, a sink and a store that do as a test says.
#pragma once

#include <algorithm>
#include <deque>
#include <functional>
#include <limits>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "core/format.h"
#include "core/sink.h"
#include "core/source.h"
#include "core/store.h"
#include "pipeline/parts.h"

namespace pgc::fake {

// What a server would send: a transaction of `rows` rows that commits at `commit`.
struct Tx {
    std::uint64_t commit = 0;
    std::uint64_t rows = 1;
    bool filtered = false;  // its changes give no records
    std::size_t row_bytes = 10;
};

// Shared by the sources of one test: the server they talk to, and what they were asked.
struct Server {
    SourceIdentity identity{.system = "1",
                            .timeline = 1,
                            .history = {},
                            .database = "db",
                            .slot = "slot",
                            .slot_is_new = true,
                            .slot_confirmed = Lsn{50},
                            .server_end = Lsn{1'000'000}};
    std::vector<Tx> log;              // in commit order; a source sends those at or after its start
    std::size_t arrived = 1'000'000;  // of `log`, how many have arrived
    std::uint64_t rows_arrived = 1'000'000;  // of all transactions together, how many
    std::optional<Lsn> idle;                 // a keepalive's place
    std::optional<Lsn> certain;              // Source::certain_until()
    std::optional<SourceSilence> silence;
    std::deque<Error> open_errors, start_errors, read_errors, service_errors;
    int opens_until_ready = 1;
    bool close_never = false;

    std::uint64_t snapshot_rows = 4;             // of a snapshot, before the stream
    std::uint64_t snapshot_arrived = 1'000'000;  // of these, how many have arrived

    std::vector<Lsn> started_at;
    std::vector<std::string> snapshots;  // asked for at starts
    std::vector<std::string> recalled;   // at starts
    std::vector<SnapshotCommand> commands;
    std::vector<ReloadChange> reload_changes;  // to be reported
    std::vector<Lsn> confirmed;
    std::vector<std::size_t> asked_changes, asked_bytes;
    std::vector<bool> may_create;
    std::vector<std::optional<SourceHome>> homes;
    bool sends_binary = false;
    int fallbacks = 0;  // to text, asked for
    int services = 0;
    int alive = 0;  // sources
    bool closed = false;
};

inline std::optional<Error> take(std::deque<Error>& errors) {
    if (errors.empty()) return std::nullopt;
    Error error = std::move(errors.front());
    errors.pop_front();
    return error;
}

inline const RelationPtr& relation() {
    static const RelationPtr table = [] {
        Relation made;
        made.schema = "public";
        made.name = "t";
        return std::make_shared<const Relation>(std::move(made));
    }();
    return table;
}

class FakeSource final : public Source, public SnapshotSource {
public:
    FakeSource(Server& server, bool may_create_slot)
        : server_(server), identity_(identity_for(server, may_create_slot)) {
        ++server_.alive;
    }
    ~FakeSource() override { --server_.alive; }

    Result<bool> open() override {
        if (auto error = take(server_.open_errors)) return std::unexpected(std::move(*error));
        if (++opens_ < server_.opens_until_ready) return false;
        if (!identity_.slot_is_gone) server_.identity.slot_is_new = false;  // it is there now
        return true;
    }
    const SourceIdentity& identity() const override { return identity_; }
    Result<void> start(Lsn from, std::string_view snapshot) override {
        if (auto error = take(server_.start_errors)) return std::unexpected(std::move(*error));
        server_.started_at.push_back(from);
        server_.snapshots.emplace_back(snapshot);
        if (!snapshot.empty()) snapshot_at_ = {from, 0};
        if (snapshot.starts_with("behind ")) {
            snapshot_at_->ordinal = std::stoull(std::string{snapshot.substr(7)});
            snapshot_durable_ = *snapshot_at_;
        }
        while (next_ < server_.log.size() && server_.log[next_].commit < from.value) ++next_;
        return {};
    }
    Result<Read> read(Batch& batch, std::size_t max_changes, std::size_t max_bytes) override {
        server_.asked_changes.push_back(max_changes);
        server_.asked_bytes.push_back(max_bytes);
        if (auto error = take(server_.read_errors)) return std::unexpected(std::move(*error));
        if (snapshot_at_ && snapshot_at_->ordinal < server_.snapshot_rows) {
            return read_existing(batch);
        }
        std::size_t bytes = 0;
        while (next_ < std::min(server_.arrived, server_.log.size())) {
            if (batch.changes.size() >= max_changes || bytes >= max_bytes) return Read::more;
            if (rows_ >= server_.rows_arrived) break;
            const Tx& tx = server_.log[next_];
            add_row(batch, tx);
            bytes += tx.row_bytes;
            if (row_ == tx.rows) {
                row_ = 0;
                ++next_;
                if (ends_at_commit_) return Read::more;
            }
        }
        return Read::caught_up;
    }
    void end_at_commit(bool wanted) noexcept override { ends_at_commit_ = wanted; }
    std::optional<Lsn> idle_at() const override { return row_ > 0 ? std::nullopt : server_.idle; }
    std::optional<Lsn> certain_until() const noexcept override { return server_.certain; }
    void confirm(Lsn lsn, bool) override { server_.confirmed.push_back(lsn); }
    bool fall_back_to_text() override {
        ++server_.fallbacks;
        return std::exchange(server_.sends_binary, false);
    }
    Result<void> service() override {
        ++server_.services;
        if (auto error = take(server_.service_errors)) return std::unexpected(std::move(*error));
        return {};
    }
    void wants(Wants&, bool) const override {}
    SnapshotSource* snapshots() noexcept override { return this; }
    void request(const SnapshotCommand& command) override { server_.commands.push_back(command); }
    void is_stored_with_rows() override {}
    void durable(Position position) override {
        const bool were_left = left();
        snapshot_durable_ = position;
        ++revision_;
        if (were_left && !left()) {
            ended_.push_back({.id = "initial",
                              .schema = "public",
                              .name = "t",
                              .relation = relation(),
                              .whole = true});
        }
    }
    bool has_news() const noexcept override {
        return !ended_.empty() || !server_.reload_changes.empty();
    }
    std::vector<SnapshotTableEnd> take_ended() override { return std::exchange(ended_, {}); }
    std::vector<ReloadChange> take_reload_changes() override {
        return std::exchange(server_.reload_changes, {});
    }
    bool left() const noexcept override {
        return snapshot_at_ && snapshot_durable_.ordinal < server_.snapshot_rows;
    }
    std::string progress() const override {
        return left() ? "behind " + std::to_string(snapshot_durable_.ordinal) : "";
    }
    std::uint64_t revision() const noexcept override { return revision_; }
    bool is_due() const override { return false; }
    void stored(std::uint64_t) override {}
    SnapshotReport report() const override {
        SnapshotReport report;
        if (left()) report.requests.push_back({.id = "initial", .tables = 1, .rows = 1});
        return report;
    }
    void recall(std::string_view memory) override { server_.recalled.emplace_back(memory); }
    std::string memory() const override {
        if (!snapshot_at_) return {};
        return "rows " + std::to_string(snapshot_durable_.ordinal);
    }
    std::uint64_t memory_revision() const noexcept override { return revision_; }
    Lsn server_end() const noexcept override { return server_.identity.server_end; }
    std::optional<SourceSilence> silence() const override { return server_.silence; }
    Result<bool> close() override {
        server_.closed = true;
        return !server_.close_never;
    }

private:
    static SourceIdentity identity_for(const Server& server, bool may_create_slot) {
        SourceIdentity identity = server.identity;
        if (!may_create_slot && identity.slot_is_new) {
            identity.slot_is_new = false;
            identity.slot_is_gone = true;
        }
        return identity;
    }
    // A row of the snapshot, as a batch of its own.
    Result<Read> read_existing(Batch& batch) {
        if (snapshot_at_->ordinal >= server_.snapshot_arrived) return Read::caught_up;
        batch.lane = kSnapshotLane;
        batch.changes.push_back({.operation = Operation::read,
                                 .relation = relation().get(),
                                 .ordinal = ++snapshot_at_->ordinal});
        batch.transactions.push_back({.commit_lsn = snapshot_at_->commit, .count = 1});
        batch.end = *snapshot_at_;
        return Read::more;
    }
    void add_row(Batch& batch, const Tx& tx) {
        if (batch.transactions.empty() || batch.transactions.back().commit_lsn != Lsn{tx.commit}) {
            Transaction part;
            part.commit_lsn = Lsn{tx.commit};
            part.committed_at = {1'800'003'600'000'000};
            part.first = static_cast<std::uint32_t>(batch.changes.size());
            batch.transactions.push_back(part);
        }
        Transaction& part = batch.transactions.back();
        if (tx.rows > 0) {
            Change change;
            change.relation = relation().get();
            change.operation = tx.filtered ? Operation::message : Operation::insert;
            change.ordinal = ++row_;
            ++rows_;
            batch.changes.push_back(change);
            ++part.count;
        }
        batch.bytes += tx.row_bytes;
        batch.end = {Lsn{tx.commit}, row_};
        if (row_ == tx.rows) {
            part.ends = true;
            part.end_lsn = Lsn{tx.commit + 5};
            batch.end = Position::whole(Lsn{tx.commit});
            batch.resume_at = part.end_lsn;
        }
    }

    Server& server_;
    const SourceIdentity identity_;
    std::size_t next_ = 0;
    std::uint64_t row_ = 0;
    std::uint64_t rows_ = 0;
    int opens_ = 0;
    bool ends_at_commit_ = false;
    std::optional<Position> snapshot_at_;  // the last row read
    Position snapshot_durable_;
    std::vector<SnapshotTableEnd> ended_;
    std::uint64_t revision_ = 0;
};

// What the formats of one test do.
struct Writing {
    std::deque<Error> errors;                // of the format as a whole
    std::set<std::uint64_t> refuses;         // changes, by their ordinals
    bool text_would_do = false;              // of these
    std::set<std::uint64_t> only_counts;     // changes that are written nowhere
    std::optional<std::size_t> waits_after;  // so many records, until it is taken back
    std::string waits_for{};                 // for that long, in its words
    bool waits_with_mark = false;            // once
    bool waits_with_heartbeat = false;       // once
};

// One record a change, but for messages ("filtered").
class FakeFormat final : public Format {
public:
    explicit FakeFormat(Writing& writing) : writing_(writing) {}
    Result<Encoded> encode(const Batch& batch, std::size_t from, RecordBatch& out) override {
        if (auto error = take(writing_.errors)) return std::unexpected(std::move(*error));
        for (const Transaction& tx : batch.transactions) {
            for (std::size_t i = std::max<std::size_t>(tx.first, from);
                 i < std::size_t{tx.first} + tx.count; ++i) {
                if (batch.changes[i].operation == Operation::message) continue;
                if (writing_.waits_after && out.records.size() >= *writing_.waits_after) {
                    return Encoded::waits(i);
                }
                if (writing_.refuses.contains(batch.changes[i].ordinal)) {
                    auto refused = Encoded::refused(
                        i, stop(Error::Category::data, "bad bytes").at("table public.t"));
                    refused.text_would_do = writing_.text_would_do;
                    return refused;
                }
                Record record;
                record.relation = batch.changes[i].relation;
                record.operation = batch.changes[i].operation;
                record.change = static_cast<std::uint32_t>(i);
                if (writing_.only_counts.contains(batch.changes[i].ordinal)) {
                    record.destination = pgc::Destination::none;
                }
                record.value = out.arena.copy("0123456789");
                record.commit_lsn = tx.commit_lsn;
                record.ordinal = batch.changes[i].ordinal;
                out.records.push_back(record);
            }
        }
        return Encoded::all(batch.changes.size());
    }
    Result<bool> encode_mark(const TransactionMark& mark, RecordBatch& out) override {
        if (std::exchange(writing_.waits_with_mark, false)) return false;
        Record record;
        record.operation = Operation::message;
        std::string value = mark.kind == TransactionMark::Kind::begin ? "begin" : "end";
        for (const auto& table : mark.tables) {
            value += " " + std::string{table.name} + " " + std::to_string(table.events);
        }
        record.value = out.arena.copy(value);
        record.commit_lsn = mark.commit_lsn;
        record.ordinal = mark.ordinal;
        out.records.push_back(record);
        return true;
    }
    Result<bool> encode_heartbeat(WallTime at, RecordBatch& out) override {
        if (std::exchange(writing_.waits_with_heartbeat, false)) return false;
        Record record;
        record.operation = Operation::message;
        record.destination = Destination::heartbeats;
        record.value = out.arena.copy(std::to_string(at.unix_us));
        out.records.push_back(record);
        return true;
    }
    std::string heading(const Relation*) const override { return {}; }
    void wants(Wants& wants) const override { wants.readable(kFd); }
    std::string waits_for() const override { return writing_.waits_for; }

    static constexpr int kFd = 78;

private:
    Writing& writing_;
};

// Shared by the sinks of one test: the destination.
struct Destination {
    std::size_t room = 1000;                             // batches a sink takes before it is full
    bool confirms = true;                                // what was accepted becomes durable
    int confirms_max = std::numeric_limits<int>::max();  // so many batches of it
    bool waits_for_more = false;                         // …but not before caught_up()
    bool lets_go = false;  // of the batch as soon as it is accepted: it is kept elsewhere
    std::deque<Error> open_errors, offer_errors, durable_errors;
    int opens_until_ready = 1;
    int made = 0;
    std::vector<std::pair<std::uint64_t, std::uint64_t>> durable;  // (commit, ordinal)
    Duration group_gap{0};
    int caught_up = 0;
    int confirmed = 0;
    int heartbeats = 0;  // durable
    std::vector<SnapshotTableEnd> ended;
    std::vector<ReloadChange> reloads;
    std::vector<std::string> heard;  // of both, in order: ids
    int alive = 0;
    std::optional<Position> lies;  // what durable() says instead
};

class FakeSink final : public Sink {
public:
    explicit FakeSink(Destination& to) : to_(to) {
        ++to_.alive;
        ++to_.made;
    }
    ~FakeSink() override { --to_.alive; }

    Guarantee guarantee() const noexcept override { return Guarantee::append; }
    PositionStore* positions() noexcept override { return nullptr; }
    Result<bool> open() override {
        if (auto error = take(to_.open_errors)) return std::unexpected(std::move(*error));
        return ++opens_ >= to_.opens_until_ready;
    }
    Result<void> seal(const StoredPosition&) override { return cannot_seal(); }
    Result<Offer> offer(RecordBatchPtr& batch) override {
        if (auto error = take(to_.offer_errors)) return std::unexpected(std::move(*error));
        if (held_.size() >= to_.room) return Offer::full;
        Held& held = held_.emplace_back();
        for (const Record& record : batch->records) {
            held.records.emplace_back(record.commit_lsn.value, record.ordinal);
        }
        held.lane = batch->lane;
        held.end = batch->end;
        RecordBatchPtr taken = std::move(batch);
        if (!to_.lets_go) held.batch = std::move(taken);
        return Offer::accepted;
    }
    Result<Position> durable(Lane lane) override {
        if (auto error = take(to_.durable_errors)) return std::unexpected(std::move(*error));
        if (to_.lies) return *to_.lies;
        while (to_.confirms && to_.confirmed < to_.confirms_max && !held_.empty() &&
               (!to_.waits_for_more || reported_)) {
            ++to_.confirmed;
            const Held& front = held_.front();
            to_.durable.insert(to_.durable.end(), front.records.begin(), front.records.end());
            if (front.lane == kHeartbeatLane) ++to_.heartbeats;
            durable_[front.lane] = front.end;
            held_.pop_front();
        }
        return durable_[lane];
    }
    void caught_up() override {
        ++to_.caught_up;
        reported_ = true;
    }
    void wants(Wants&) const override {}
    SealPace seal_pace() const noexcept override { return {}; }
    Instant seal_at() const noexcept override { return kNever; }
    void table_ended(const SnapshotTableEnd& table) override {
        to_.ended.push_back(table);
        to_.heard.push_back(table.id);
    }
    void reload_changed(const ReloadChange& change) override {
        to_.reloads.push_back(change);
        to_.heard.push_back(change.id);
    }
    void give_up() override {}
    TableModeWords table_modes() const override { return {}; }
    Duration group_gap() const noexcept override { return to_.group_gap; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return held_.size(); }
    std::string waits_for() const override { return {}; }

private:
    Destination& to_;
    struct Held {
        std::vector<std::pair<std::uint64_t, std::uint64_t>> records;
        Lane lane;
        Position end;
        RecordBatchPtr batch;
    };
    std::deque<Held> held_;
    int opens_ = 0;
    std::map<Lane, Position> durable_;
    bool reported_ = false;
};

// A store that may take its time, and remembers in which order things happened.
class FakeStore final : public PositionStore {
public:
    std::optional<StoredPosition> content;
    std::deque<Error> load_errors, save_errors;
    int slow_loads = 0;  // how often load() is not done yet
    bool missing = false;
    bool missing_for_ever = false;
    bool slow = false;  // saved() says false until this is taken back
    std::deque<Error> saved_errors;
    std::function<void(const StoredPosition&)> on_saved;
    std::function<void()> on_loaded;

    Result<std::optional<Loaded>> load() override {
        if (auto error = take(load_errors)) return std::unexpected(std::move(*error));
        if (slow_loads > 0 && slow_loads-- > 0) return std::nullopt;
        Loaded loaded{content, missing};
        if (on_loaded) on_loaded();
        return loaded;
    }
    void create() override { missing = missing_for_ever; }
    Result<void> save(const StoredPosition& position) override {
        if (auto error = take(save_errors)) return std::unexpected(std::move(*error));
        saving_ = position;
        return {};
    }
    Result<void> forget() override {
        content.reset();
        return {};
    }
    Result<bool> saved() override {
        if (!saving_) return true;
        if (auto error = take(saved_errors)) {
            saving_.reset();
            return std::unexpected(std::move(*error));
        }
        if (slow) return false;
        content = *saving_;
        saving_.reset();
        if (on_saved) on_saved(*content);
        return true;
    }
    void wants(Wants&) const override {}
    std::uint64_t attempts() const noexcept override { return 0; }
    std::string where() const override { return "/state/p.position"; }

private:
    std::optional<StoredPosition> saving_;
};

class FakeParts final : public PipelineParts {
public:
    Server server;
    Destination destination;
    Writing writing;
    std::deque<Error> source_errors, format_errors, sink_errors;
    std::function<std::unique_ptr<Sink>()> make_other_sink;
    std::function<std::unique_ptr<Transform>()> make_transform;

    Result<std::unique_ptr<Source>> make_source(const SourceTask& task) override {
        server.may_create.push_back(task.may_create_slot);
        server.homes.push_back(task.home);
        if (auto error = take(source_errors)) return std::unexpected(std::move(*error));
        return std::make_unique<FakeSource>(server, task.may_create_slot);
    }
    Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
        std::shared_ptr<RelationSlots>) override {
        std::vector<std::unique_ptr<Transform>> all;
        if (make_transform) all.push_back(make_transform());
        return all;
    }
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity&) override {
        if (auto error = take(format_errors)) return std::unexpected(std::move(*error));
        return std::make_unique<FakeFormat>(writing);
    }
    Result<std::unique_ptr<PartitionKeys>> make_partition_keys() override { return nullptr; }
    Result<std::unique_ptr<Sink>> make_sink() override {
        if (auto error = take(sink_errors)) return std::unexpected(std::move(*error));
        if (make_other_sink) return make_other_sink();
        return std::make_unique<FakeSink>(destination);
    }
};

}  // namespace pgc::fake
