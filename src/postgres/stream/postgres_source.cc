#include "postgres/stream/postgres_source.h"

#include <algorithm>
#include <cassert>
#include <functional>
#include <iterator>
#include <ranges>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "postgres/costly_steps.h"
#include "postgres/link/server_errors.h"
#include "postgres/pgoutput/envelope.h"
#include "postgres/quote.h"
#include "postgres/snapshot/key.h"
#include "postgres/snapshot/orders.h"
#include "postgres/stream/statements.h"

namespace pgc {

namespace {

struct Signal {
    std::string id;
    std::string type;
    std::string data;
};

// The key is another one, and a value that did not change was not sent.
bool moves_without_a_value(const Change& change) noexcept {
    const Relation& relation = *change.relation;
    const auto moved = [&](std::uint32_t place) {
        const Cell& before = change.before[place];
        return before.state != Cell::State::absent && before.bytes() != change.after[place].bytes();
    };
    if (std::ranges::none_of(relation.key, moved)) return false;
    return std::ranges::any_of(
        std::views::iota(std::size_t{0}, relation.columns.size()), [&](std::size_t i) {
            return change.after[i].state == Cell::State::unchanged && relation.columns[i].captured;
        });
}

// Text, also of a value that came in binary.
std::string signal_text(const Type& type, const Cell& cell) {
    Scratch scratch;
    if (auto text = key_text(type, cell, scratch)) return std::move(*text);
    Value value;
    const bool is_json = cell.state == Cell::State::binary && type.kind == Kind::json &&
                         type.read_binary != nullptr &&
                         type.read_binary(type, cell.bytes(), scratch, value);
    return std::string{is_json ? value.text : std::string_view{}};
}

// New rows of the signal table, if it has one in the batch.
std::vector<Signal> signals_in(const Batch& batch, const SnapshotConfig& config) {
    std::vector<Signal> signals;
    if (config.signal_table.empty()) return signals;
    const auto is_signals = [&](const RelationPtr& relation) {
        return relation->name == config.signal_table && relation->schema == config.signal_schema;
    };
    if (std::ranges::none_of(batch.relations(), is_signals)) return signals;
    for (const Change& change : batch.changes) {
        if (change.operation != Operation::insert || change.relation->name != config.signal_table ||
            change.relation->schema != config.signal_schema) {
            continue;
        }
        Signal signal;
        for (std::size_t i = 0; i < change.relation->columns.size(); ++i) {
            const std::string& column = change.relation->columns[i].name;
            const auto value = [&] {
                return signal_text(*change.relation->columns[i].type, change.after[i]);
            };
            if (column == "id") signal.id = value();
            if (column == "type") signal.type = value();
            if (column == "data") signal.data = value();
        }
        signals.push_back(std::move(signal));
    }
    return signals;
}

// A slot that somebody else's second publication is too young for. 18 goes on, and says so.
bool is_older_than_inserts(const Error& error, const StreamPlan& plan) {
    if (plan.publications.size() < 2 || plan.maintained) return false;
    return lacks_publication(error, plan.publications.back());
}

// Key values of rows are asked back in text form (reselect.h).
OpeningTask opening_task(const PostgresSource::With& with) {
    // Not known yet when it ends: everything that is in the log now.
    const auto until = with.memory.text_only
                           ? std::optional{with.memory.text_until.value_or(Lsn{~std::uint64_t{0}})}
                           : std::nullopt;
    return {.text_only = with.config.toast == ToastMode::reselect,
            .text_until = until,
            .may_create_slot = with.may_create_slot,
            .may_replace_slot = with.may_replace_slot,
            .home = with.home,
            .export_snapshot = with.snapshot,
            .look_only = with.look_only,
            .without_inserts = with.memory.without_inserts};
}

}  // namespace

PostgresSource::PostgresSource(With with)
    : with_(std::move(with)),
      opening_(with_.config, with_.links, with_.clock, with_.logger, opening_task(with_)),
      feedback_(with_.keepalive_interval) {}

Result<bool> PostgresSource::open() {
    if (state_ != State::opening) return true;
    if (!timeline_) {
        const auto done = opening_.step();
        if (!done || !*done) return done;
        plan_ = opening_.plan();
        const bool elsewhere = plan_.slot.empty() || identity().slot_is_gone;
        if (plan_.standby && !with_.look_only && !elsewhere) {
            timeline_.emplace(with_.links, with_.logger, identity());
        }
    }
    if (timeline_) {
        if (auto same = timeline_->step(with_.clock.now()); !same) {
            return std::unexpected(std::move(same.error()));
        }
        // Where the slot stands is about to be stored.
        const bool first = identity().slot_is_new || !with_.home;
        const auto certain = timeline_->certain_until();
        if (first && certain && *certain < identity().slot_confirmed) return false;
    }
    SourceMemory& memory = with_.memory;
    if (plan_.binary) {
        memory.text_only = false;
        memory.text_until.reset();
    } else if (memory.text_only && !memory.text_until) {
        memory.text_until = server_end();
    }
    feedback_.server_patience(plan_.wal_sender_timeout);
    state_ = State::opened;
    return true;
}

Selection PostgresSource::selection() const {
    const PostgresConfig& config = with_.config;
    return {
        .table =
            [&config, all = !plan_.filter_tables](std::string_view schema, std::string_view table) {
                return all || filter_means(config.tables, schema, table, {});
            },
        .column =
            [&config](std::string_view schema, std::string_view table, std::string_view column) {
                return !config.columns.excluded(schema, table, column);
            },
        .through =
            [&config](std::string_view schema, std::string_view table, const Lineage* above) {
                return above == nullptr ? !filter_decides(config.tables, schema, table)
                                        : filter_means(config.tables, schema, table, *above);
            }};
}

Result<void> PostgresSource::start(Lsn from, std::string_view snapshot) {
    assert(state_ == State::opened);
    link_ = opening_.replication_link();
    from_ = from;
    look_at_tables();
    memory_begins_at_ = with_.memory.lineages.revision();
    relations_.emplace(
        types_, selection(), plan_.binary, with_.memory,
        [this](const Relation& before, const Relation& now) { schema_changed(before, now); },
        [this](std::string_view schema, std::string_view table, Doubt doubt) {
            tell_doubt(schema, table, doubt);
        });
    assembler_.emplace(*relations_, with_.config.toast == ToastMode::reselect, from);
    snapshot_.emplace(Snapshot::With{.config = with_.config,
                                     .plan = plan_,
                                     .links = with_.links,
                                     .clock = with_.clock,
                                     .relations = *relations_,
                                     .memory = with_.memory,
                                     .metrics = with_.metrics,
                                     .logger = with_.logger});
    errands_.emplace(
        Errands::With{
            .config = with_.config,
            .plan = plan_,
            .links = with_.links,
            .relations = *relations_,
            .assembler = *assembler_,
            .metrics = with_.metrics,
            .logger = with_.logger,
            .looked =
                [this](const PublicationState& state) { take_tables(state.joined, state.covered); },
            .text_ended =
                [this] {
                    const SourceMemory& memory = with_.memory;
                    return !memory.text_only || feedback_.flushed() >= memory.text_until;
                }},
        opening_.sql_link(), with_.clock.now());
    if (auto taken = snapshot_->take_up(snapshot); !taken) return taken;
    take_tables(plan_.joined, plan_.covered);
    if (snapshot_->left() && !plan_.exported_snapshot.empty() &&
        from == identity().slot_confirmed) {
        snapshot_->begin_at({plan_.exported_snapshot, from}, with_.clock.now());
        state_ = State::copying;
        return {};
    }
    return send_start();
}

Result<void> PostgresSource::send_start() {
    state_ = State::starting;
    return link_->send(start_replication(plan_, from_));
}

// `joined` by our own alteration, which the publication's comment remembers until the order is
// stored. Of all others, what was captured before remembers it: that is stored together with the
// order, so whoever is killed between the two compares anew.
void PostgresSource::take_tables(const std::vector<std::string>& joined,
                                 const CoveredTables& covered) {
    std::vector<std::string> fresh;
    const std::set<std::string_view> before{joined_.begin(), joined_.end()};
    std::ranges::copy_if(joined, std::back_inserter(fresh),
                         [&](const std::string& table) { return !before.contains(table); });
    joined_.insert(joined_.end(), fresh.begin(), fresh.end());
    const std::set<std::string, std::less<>> ours{fresh.begin(), fresh.end()};
    const std::set<std::string_view> all_joined{joined_.begin(), joined_.end()};
    std::set<Oid> known;
    for (const CoveredTable& table : covered.tables) {
        if (ours.contains(table.name)) known.insert(table.oid);
    }
    if (captured_ && with_.config.snapshot.new_tables) {
        for (CoveredTable& table : come_since(*captured_, covered)) {
            known.insert(table.oid);
            if (!all_joined.contains(table.name)) fresh.push_back(std::move(table.name));
        }
    }
    if (!fresh.empty()) order_new(std::move(fresh), std::move(known));
    if (KnownTables now = known_tables(covered); captured_ != now) {
        captured_ = std::move(now);
        ++memory_revision_;
    }
}

// Their rows are in no stream, but for what was written since they joined.
// `known` of them, however they are called when their turn comes.
void PostgresSource::order_new(std::vector<std::string> tables, std::set<Oid> known) {
    const bool begun = state_ != State::opened;
    if (snapshot_->has_all_before_it() && !begun) {
        // One of everything, which has yet to look what there is: any word of it will do. Once it
        // has read something, that may have been one of these before it left the publication.
        joined_stored_with_ = snapshot_->revision() + 1;
        return;
    }
    snapshot_->order(
        {.command = SnapshotOrder::Command::start,
         .request = {.id = joined_snapshot_id(with_.clock.wall()), .tables = std::move(tables)}},
        OrderedBy::ourselves, std::move(known));
    joined_stored_with_ = snapshot_->revision();
}

void PostgresSource::schema_changed(const Relation& before, const Relation& now) {
    const std::string table = qualified_name(now);
    with_.metrics.counter(Metric::schema_changes_total, {table}).add();
    with_.logger.info("a table has changed", {{"table", table},
                                              {"columns_before", before.columns.size()},
                                              {"columns", now.columns.size()}});
}

// Each table once in the life of the process.
void PostgresSource::tell_doubt(std::string_view schema, std::string_view table, Doubt doubt) {
    constexpr std::size_t told_max = 1000;
    auto& told = with_.memory.told_left;
    const std::string name = quote_name(schema, table);
    const std::string key = std::to_string(static_cast<int>(doubt)) + name;
    if (told.size() >= told_max || !told.insert(key).second) return;
    const Lsn commit = assembler_->begun();
    switch (doubt) {
        case Doubt::captured:
            with_.logger.warning(
                "changes of a table are captured though no filter names it: it was published when "
                "they were committed, today nothing is that it could belong to, so it may have "
                "been a partition of a captured table",
                {{"table", name},
                 {"commit_lsn", commit},
                 {"mend", "if they are not wanted, add the table to source.tables.exclude"}});
            break;
        case Doubt::left_out_gone:
            with_.logger.warning(
                "changes of a table that is not there any more are left out: no filter names it, "
                "and what it was a partition of is not known",
                {{"table", name},
                 {"commit_lsn", commit},
                 {"mend", "if they are wanted, add the table to source.tables.include"}});
            break;
        case Doubt::left_out:
            with_.logger.info(
                "changes of a published table are left out: no filter names it or a partitioned "
                "table above it",
                {{"table", name}, {"commit_lsn", commit}});
            break;
    }
    if (told.size() == told_max) {
        with_.logger.info("further tables that no filter names are not told of",
                          {{"told", told_max}});
    }
}

// The catalog as it was when the publication was looked at, over what is remembered.
void PostgresSource::look_at_tables() {
    if (std::exchange(looked_, true)) return;
    with_.memory.lineages.looked(plan_.lineages);
    plan_.lineages.clear();
}

void PostgresSource::recall(std::string_view memory) {
    if (!std::exchange(with_.memory.recalled, true)) {
        if (auto read = with_.memory.lineages.read(memory.substr(0, memory.find('\n'))); !read) {
            with_.logger.warning(
                "what tables were partitions of when pg-capture last ran is not known",
                {{"why", read.error()}});
        }
    }
    captured_ = read_known(memory);
    look_at_tables();
}

// A line of stream/lineages.h, and one of catalog/covered_tables.h.
std::string PostgresSource::memory() const {
    auto [text, whole] = with_.memory.lineages.text(with_.config.tables);
    if (!whole && !std::exchange(with_.memory.told_cut, true)) {
        with_.logger.warning(
            "there are more partitions than can be remembered: of some that are detached, or whose "
            "partitioned table is renamed, while pg-capture is down, the last changes may be left "
            "out or be captured on suspicion",
            {{"mend",
              "name them in source.tables.include or source.tables.exclude (shop.orders_*)"}});
    }
    const std::string captured = captured_ ? write_known(*captured_) : std::string{};
    if (captured_ && captured.empty() && !std::exchange(with_.memory.told_captured_cut, true)) {
        with_.logger.warning(
            "more tables are captured than can be remembered: the rows of one that is published "
            "by somebody else, attached or moved while pg-capture is down are not read by "
            "themselves",
            {{"tables", captured_->tables.size()},
             {"mend", "after such a change: pg-capture snapshot TABLE"}});
    }
    return captured.empty() ? std::move(text) : text + '\n' + captured;
}

std::uint64_t PostgresSource::memory_revision() const noexcept {
    return with_.memory.lineages.revision() - memory_begins_at_ + memory_revision_;
}

void PostgresSource::confirm(Lsn lsn, bool now) {
    feedback_.confirm(lsn, now);
    for (const Oid table : with_.memory.lineages.forget(lsn)) relations_->look_again(table);
}

Result<void> PostgresSource::go_on_starting(Instant now) {
    if (state_ == State::starting) {
        const auto answer = link_->result();
        if (!answer) return std::unexpected(explained(answer.error()));
        if (!*answer) return {};
        if (!link_->copying()) {
            return std::unexpected(retry(Error::Category::protocol,
                                         "the server answered START_REPLICATION without a stream")
                                       .at("slot " + plan_.slot));
        }
        errands_->verify_start(from_);
        if (timeline_) timeline_->stream_begins(from_);
        reader_.emplace(*link_, *assembler_, now);
        state_ = State::verifying;
    }
    if (auto done = errands_->step(now); !done) return done;
    if (timeline_) {
        if (auto done = timeline_->step(now); !done) return done;
    }
    if (state_ == State::verifying && errands_->start_verified()) {
        state_ = State::streaming;
        with_.logger.info("streaming", {{"slot", plan_.slot},
                                        {"from", from_},
                                        {"protocol", plan_.protocol_version},
                                        {"binary", plan_.binary}});
    }
    return {};
}

Result<Source::Read> PostgresSource::read(Batch& batch, std::size_t max_changes,
                                          std::size_t max_bytes) {
    const Instant now = with_.clock.now();
    if (state_ == State::copying) return read_snapshot(batch, max_changes, max_bytes, now);
    if (state_ != State::streaming) return Read::caught_up;
    if (snapshot_->reading()) return read_snapshot(batch, max_changes, max_bytes, now);
    return read_stream(batch, max_changes, max_bytes, now);
}

Result<Source::Read> PostgresSource::read_snapshot(Batch& batch, std::size_t max_changes,
                                                   std::size_t max_bytes, Instant now) {
    const auto more = snapshot_->read(batch, max_changes, max_bytes, now);
    if (!more) return std::unexpected(explained(more.error()));
    return *more ? Read::more : Read::caught_up;
}

Result<Source::Read> PostgresSource::read_stream(Batch& batch, std::size_t max_changes,
                                                 std::size_t max_bytes, Instant now) {
    const auto hold = snapshot_->hold_at();
    assembler_->hold_at(hold);
    held_at_.reset();
    reader_->log_reaches(errands_->server_end());
    const auto stopped = reader_->read(batch, max_changes, max_bytes, now);
    if (!stopped) return std::unexpected(explained(stopped.error()));
    if (reader_->nothing_kept()) feedback_.received(assembler_->received());
    if (assembler_->reply_requested()) feedback_.asked();
    if (hold) probe_for_place(now);
    take_orders(batch);
    if (snapshot_->watches()) watch_moves(batch);
    switch (*stopped) {
        case StreamReader::Stopped::full: return Read::more;
        case StreamReader::Stopped::drained: return Read::caught_up;
        case StreamReader::Stopped::silent: feedback_.probe(); return Read::caught_up;
        case StreamReader::Stopped::reselect: errands_->reselect(); break;
        case StreamReader::Stopped::catalog: break;
        case StreamReader::Stopped::held: held_at_ = hold; return Read::caught_up;
    }
    // Asked at once: the stream stands still until the answer is there.
    if (auto asked = errands_->step(now); !asked) return std::unexpected(asked.error());
    return Read::caught_up;
}

// A server that has nothing to send says up to where only if it is asked.
void PostgresSource::probe_for_place(Instant now) {
    constexpr Duration every = std::chrono::milliseconds{50};
    if (now < probe_at_ || stream_now().standing) return;
    probe_at_ = now + every;
    feedback_.probe();
}

Snapshot::Stream PostgresSource::stream_now() const {
    const auto hold = snapshot_->hold_at();
    const bool between = state_ == State::streaming && !assembler_->in_transaction();
    const bool arrived = hold && (held_at_ == hold || assembler_->received() >= *hold);
    return {.begun = assembler_->begun(), .standing = between && arrived};
}

void PostgresSource::watch_moves(const Batch& batch) {
    const Relation* known = nullptr;
    for (const Change& change : batch.changes) {
        if (change.operation != Operation::update) continue;
        if (change.relation != known) {
            known = change.relation;
            snapshot_->changes_come_by(*known);
        }
        if (change.before != nullptr && moves_without_a_value(change)) snapshot_->move(change);
    }
}

// Those that came with the stream.
void PostgresSource::take_orders(const Batch& batch) {
    if (with_.look_only) return;
    const auto understood = [&](auto&& found) {
        if (found) return true;
        with_.logger.warning("an order for a snapshot can't be understood",
                             {{"why", found.error()}});
        return false;
    };
    if (assembler_->took_messages() && with_.config.snapshot.messages) {
        for (const Change& change : batch.changes) {
            if (change.message == nullptr || change.message->prefix != kSnapshotPrefix) continue;
            auto order = order_of_message(change.message->content);
            if (understood(order)) snapshot_->order(*order, OrderedBy::message);
        }
    }
    for (const auto& [id, type, data] : signals_in(batch, with_.config.snapshot)) {
        auto found = orders_of_signal(id, type, data);
        if (!understood(found)) continue;
        for (const SnapshotOrder& order : *found) snapshot_->order(order);
    }
}

std::optional<Lsn> PostgresSource::idle_at() const {
    if (state_ != State::streaming || !reader_->nothing_kept()) return std::nullopt;
    return assembler_->idle_at();
}

std::optional<Lsn> PostgresSource::certain_until() const noexcept {
    if (!timeline_) return std::nullopt;
    const auto certain = timeline_->certain_until();
    return certain ? std::optional{std::max(*certain, from_)} : std::nullopt;
}

Result<void> PostgresSource::tend() {
    const Instant now = with_.clock.now();
    if (state_ == State::copying) {
        if (auto done = snapshot_->step({}, now); !done) return done;
        if (auto done = errands_->step(now); !done) return done;
        return snapshot_->resting() ? send_start() : Result<void>{};
    }
    if (state_ < State::starting || state_ >= State::closing) return {};
    if (state_ == State::streaming) {
        if (auto done = snapshot_->step(stream_now(), now); !done) return done;
    }
    if (auto done = go_on_starting(now); !done) return done;
    return state_ == State::streaming ? tell(now) : Result<void>{};
}

Result<void> PostgresSource::tell(Instant now) {
    Result<void> done;
    if (feedback_.due(now)) {
        const auto message = pgoutput::encode(feedback_.take(now, with_.clock.wall()));
        done = link_->put({message.data(), message.size()});
    } else if (link_->wants_to_write()) {
        done = link_->flush();
    }
    if (!done) return std::unexpected(explained(done.error()));
    return {};
}

void PostgresSource::wants(Wants& wants, bool reading) const {
    switch (state_) {
        case State::opening: timeline_ ? timeline_->wants(wants) : opening_.wants(wants); return;
        case State::opened:
        case State::closed: return;
        case State::copying:
            errands_->wants(wants);
            snapshot_->wants(wants, reading);
            return;
        case State::starting:
        case State::closing: wants.readable(link_->fd()); break;
        case State::verifying:
            errands_->wants(wants);
            if (timeline_) timeline_->wants(wants);
            break;
        case State::streaming:
            errands_->wants(wants);
            if (timeline_) timeline_->wants(wants);
            wants.until(feedback_.due_at());
            snapshot_->wants(wants, reading);
            if (reading && !snapshot_->reading()) reader_->wants(wants);
            if (reading && snapshot_->hold_at() && !snapshot_->reading() &&
                !stream_now().standing) {
                wants.until(probe_at_);
            }
            break;
    }
    if (link_->wants_to_write()) wants.writable(link_->fd());
}

Lsn PostgresSource::server_end() const noexcept {
    Lsn end = opening_.identity().server_end;
    if (assembler_) end = std::max(end, assembler_->server_end());
    if (errands_) end = std::max(end, errands_->server_end());
    return end;
}

// What was confirmed goes out before copy mode is left: the server reads in that order.
Result<bool> PostgresSource::close() {
    if (state_ == State::streaming) {
        reader_.reset();
        const Instant now = with_.clock.now();
        const auto message = pgoutput::encode(feedback_.take(now, with_.clock.wall()));
        if (auto put = link_->put({message.data(), message.size()}); !put) {
            return std::unexpected(explained(put.error()));
        }
        state_ = State::closing;
    }
    if (state_ == State::closing) {
        const auto ended = link_->end_copy();
        if (!ended || !*ended) return ended;
    }
    state_ = State::closed;
    return true;
}

void PostgresSource::order(const SnapshotOrder& order) {
    if (snapshot_) snapshot_->order(order);
}

void PostgresSource::snapshot_durable(Position position) {
    if (snapshot_) snapshot_->durable(position);
}

std::string PostgresSource::snapshot_progress() const {
    return snapshot_ ? snapshot_->progress() : std::string{};
}

std::uint64_t PostgresSource::snapshot_revision() const noexcept {
    return snapshot_ ? snapshot_->revision() : 0;
}

void PostgresSource::snapshot_stored(std::uint64_t revision) {
    if (!snapshot_) return;
    snapshot_->stored(revision);
    if (joined_.empty() || revision < joined_stored_with_) return;
    errands_->settle(std::exchange(joined_, {}), with_.clock.now());
}

SnapshotReport PostgresSource::snapshot_report() const {
    return snapshot_ ? snapshot_->report() : SnapshotReport{};
}

// The link knows what the server said; here it is known what it was said about. Only a slot that
// the server has given up (server_errors.h) is one to part from.
Error PostgresSource::explained(Error error) {
    // No output function, none for a part of it, or one that refuses: text is always there.
    const bool no_binary = error.what.ends_with("[42883]") || error.what.ends_with("[0A000]");
    if (plan_.binary && no_binary) {
        with_.memory.text_only = true;
        error.next = Error::Next::retry;
        error.what += "; going on in text";
        return std::move(error).at("slot " + plan_.slot);
    }
    if (is_older_than_inserts(error, plan_)) {
        with_.memory.without_inserts = true;
        error.next = Error::Next::retry;
        error.mend.clear();
        error.what +=
            "; the slot is older than it: going on without it. Tables that only it "
            "publishes are captured from a later start on";
        return std::move(error).at("slot " + plan_.slot);
    }
    const bool given_up = error.category == Error::Category::position;
    if (!given_up && error.category != Error::Category::server) return error;
    if (error.mend.empty() && error.next == Error::Next::stop) {
        error.mend = given_up ? begin_anew() : std::string{keep_and_mend()};
    }
    return std::move(error).at("slot " + plan_.slot);
}

}  // namespace pgc
