#include "postgres/source/postgres_source.h"

#include <algorithm>
#include <cassert>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "pgclient/server_errors.h"
#include "postgres/costly_steps.h"
#include "postgres/pgoutput/envelope.h"
#include "postgres/snapshot/stream_commands.h"
#include "postgres/source/selection.h"
#include "postgres/source/stored_memory.h"
#include "postgres/source/streaming.h"
#include "postgres/stream/statements.h"

namespace pgc {

namespace {

// A slot that somebody else's second publication is too young for. 18 goes on, and says so.
bool is_older_than_inserts(const Error& error, const StreamPlan& plan) {
    if (plan.publications.size() < 2 || plan.maintained) return false;
    return lacks_publication(error, plan.publications.back());
}

// Key values of rows are asked back in text form (reselect.h).
SourceSetupTask setup_task(const PostgresSource::Deps& deps) {
    // Not known yet when it ends: everything that is in the log now.
    const auto until =
        deps.carry_over.text_only
            ? std::optional{deps.carry_over.text_until.value_or(Lsn{~std::uint64_t{0}})}
            : std::nullopt;
    return {.text_only = deps.config.toast == ToastMode::reselect,
            .text_until = until,
            .may_create_slot = deps.may_create_slot,
            .may_replace_slot = deps.may_replace_slot,
            .home = deps.home,
            .export_snapshot = deps.snapshot,
            .look_only = deps.look_only,
            .without_inserts = deps.carry_over.without_inserts};
}

}  // namespace

PostgresSource::PostgresSource(Deps deps)
    : deps_(std::move(deps)),
      setup_(deps_.config, deps_.links, deps_.clock, deps_.logger, setup_task(deps_)),
      feedback_(deps_.keepalive_interval),
      unnamed_tables_(deps_.carry_over, deps_.logger),
      new_tables_(deps_.config) {}

Result<bool> PostgresSource::open() {
    if (state_ != State::opening) return true;
    if (!timeline_) {
        const auto done = setup_.step();
        if (!done || !*done) return done;
        plan_ = setup_.plan();
        const bool elsewhere = plan_.slot.empty() || identity().slot_is_gone;
        if (plan_.standby && !deps_.look_only && !elsewhere) {
            timeline_.emplace(deps_.links, deps_.logger, identity());
        }
    }
    if (timeline_) {
        if (auto same = timeline_->step(deps_.clock.now()); !same) {
            return std::unexpected(std::move(same.error()));
        }
        // Where the slot stands is about to be stored.
        const bool first = identity().slot_is_new || !deps_.home;
        const auto certain = timeline_->certain_until();
        if (first && certain && *certain < identity().slot_confirmed) return false;
    }
    SourceCarryOver& carry_over = deps_.carry_over;
    if (plan_.binary) {
        carry_over.text_only = false;
        carry_over.text_until.reset();
    } else if (carry_over.text_only && !carry_over.text_until) {
        carry_over.text_until = server_end();
    }
    feedback_.server_patience(plan_.wal_sender_timeout);
    state_ = State::opened;
    return true;
}

Result<void> PostgresSource::start(Lsn from, std::string_view snapshot) {
    assert(state_ == State::opened);
    link_ = setup_.replication_link();
    from_ = from;
    begins_at_ = plan_.two_phase ? std::min(from, identity().slot_confirmed) : from;
    look_at_tables();
    memory_begins_at_ = deps_.carry_over.lineages.revision();
    relations_.emplace(
        types_, selection_of(deps_.config, plan_.filter_tables), plan_.binary, deps_.carry_over,
        [this](const Relation& before, const Relation& now) { schema_changed(before, now); },
        [this](std::string_view schema, std::string_view table, UnnamedTable outcome) {
            unnamed_tables_.report(schema, table, outcome, assembler_->begun());
        },
        deps_.slots);
    if (auto chosen = choose_streaming(); !chosen) return chosen;
    assembler_.emplace(*relations_, deps_.config.toast == ToastMode::reselect, begins_at_,
                       streamed_ ? &*streamed_ : nullptr,
                       two_phase_ ? &two_phase_->transactions() : nullptr,
                       two_phase_ ? from : Lsn{});
    snapshot_.emplace(Snapshot::Deps{.config = deps_.config,
                                     .plan = plan_,
                                     .links = deps_.links,
                                     .clock = deps_.clock,
                                     .relations = *relations_,
                                     .carry_over = deps_.carry_over,
                                     .metrics = deps_.metrics,
                                     .logger = deps_.logger,
                                     .from = from});
    side_queries_.emplace(
        SideQueries::Deps{
            .config = deps_.config,
            .plan = plan_,
            .links = deps_.links,
            .relations = *relations_,
            .assembler = *assembler_,
            .metrics = deps_.metrics,
            .logger = deps_.logger,
            .on_tables =
                [this](const PublicationState& state) { take_tables(state.joined, state.covered); },
            .text_ended =
                [this] {
                    const SourceCarryOver& carry_over = deps_.carry_over;
                    return !carry_over.text_only || feedback_.flushed() >= carry_over.text_until;
                },
            .may_replace_slot = deps_.may_replace_slot,
            .holds_slot = [this] { return two_phase_ && two_phase_->holds(); }},
        setup_.sql_link(), deps_.clock.now());
    if (auto taken = snapshot_->restore(snapshot); !taken) return taken;
    take_tables(plan_.joined, plan_.covered);
    if (snapshot_->left() && !plan_.exported_snapshot.empty() &&
        from == identity().slot_confirmed) {
        snapshot_->begin_at({plan_.exported_snapshot, from}, deps_.clock.now());
        state_ = State::copying;
        return {};
    }
    return send_start();
}

Result<void> PostgresSource::send_start() {
    state_ = State::starting;
    return link_->send(start_replication(plan_, begins_at_));
}

Result<void> PostgresSource::choose_streaming() {
    const StreamingTerms terms{.folder = deps_.spill,
                               .limit = deps_.spill_limit,
                               .server_version = plan_.server_version,
                               .from = from_,
                               .look_only = deps_.look_only,
                               .two_phase = plan_.two_phase};
    auto streaming = prepare_streaming(terms, deps_.carry_over, deps_.logger);
    if (!streaming) return std::unexpected(std::move(streaming.error()));
    plan_.streaming = *streaming;
    if (!plan_.streaming && !plan_.two_phase) return {};
    streamed_.emplace(StreamedTransactions::Deps{
        .folder = *deps_.spill,
        .limit = deps_.spill_limit,
        .bytes = &deps_.metrics.gauge(Metric::spill_bytes),
        .transactions = &deps_.metrics.gauge(Metric::streamed_transactions)});
    if (plan_.two_phase) two_phase_.emplace(deps_.metrics, deps_.clock, deps_.logger);
    return {};
}

void PostgresSource::take_tables(const std::vector<std::string>& joined,
                                 const CoveredTables& covered) {
    new_tables_.take(joined, covered, *snapshot_, state_ != State::opened, deps_.clock.wall());
    relations_->let_go(covered, assembler_->passed());
}

void PostgresSource::schema_changed(const Relation& before, const Relation& now) {
    const std::string table = qualified_name(now);
    deps_.metrics.counter(Metric::schema_changes_total, {table}).add();
    deps_.logger.info("a table has changed", {{"table", table},
                                              {"columns_before", before.columns.size()},
                                              {"columns", now.columns.size()}});
}

// The catalog as it was when the publication was looked at, over what is remembered.
void PostgresSource::look_at_tables() {
    if (std::exchange(tables_observed_, true)) return;
    deps_.carry_over.lineages.refresh(plan_.lineages);
    plan_.lineages.clear();
}

void PostgresSource::recall(std::string_view memory) {
    if (!std::exchange(deps_.carry_over.recalled, true)) {
        if (auto read = deps_.carry_over.lineages.read(memory.substr(0, memory.find('\n')));
            !read) {
            deps_.logger.warning(
                "what tables were partitions of when pg-capture last ran is not known",
                {{"why", read.error()}});
        }
    }
    new_tables_.recall(memory);
    look_at_tables();
}

std::string PostgresSource::memory() const {
    return stored_memory(deps_.carry_over, deps_.config, new_tables_.captured(), deps_.logger);
}

std::uint64_t PostgresSource::memory_revision() const noexcept {
    return deps_.carry_over.lineages.revision() - memory_begins_at_ + new_tables_.revision();
}

void PostgresSource::end_at_commit(bool wanted) noexcept {
    if (reader_) reader_->end_at_commit(wanted);
}

void PostgresSource::confirm(Lsn lsn, bool now) {
    const Lsn place = two_phase_ ? two_phase_->confirmable(lsn, assembler_->received()) : lsn;
    feedback_.confirm(place, now);
    for (const Oid table : deps_.carry_over.lineages.forget(place)) relations_->look_again(table);
}

Result<void> PostgresSource::go_on_starting(Instant now) {
    if (state_ == State::starting) {
        const auto answer = link_->result();
        if (!answer) return std::unexpected(explained_of_stream(answer.error()));
        if (!*answer) return {};
        if (!link_->copying()) {
            return std::unexpected(retry(Error::Category::protocol,
                                         "the server answered START_REPLICATION without a stream")
                                       .at("slot " + plan_.slot));
        }
        side_queries_->verify_start(begins_at_);
        if (timeline_) timeline_->stream_begins(from_);
        reader_.emplace(*link_, *assembler_, now, plan_.wal_sender_timeout);
        state_ = State::verifying;
    }
    if (auto done = side_queries_->step(now); !done) return done;
    if (timeline_) {
        if (auto done = timeline_->step(now); !done) return done;
    }
    if (state_ == State::verifying && side_queries_->start_verified()) {
        state_ = State::streaming;
        deps_.logger.info("streaming", {{"slot", plan_.slot},
                                        {"from", from_},
                                        {"protocol", plan_.protocol_version},
                                        {"binary", plan_.binary},
                                        {"streaming", plan_.streaming},
                                        {"two_phase", plan_.two_phase}});
    }
    return {};
}

Result<Source::Read> PostgresSource::read(Batch& batch, std::size_t max_changes,
                                          std::size_t max_bytes) {
    const Instant now = deps_.clock.now();
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
    reader_->log_reaches(side_queries_->server_end());
    const auto stopped = reader_->read(batch, max_changes, max_bytes, now);
    if (!stopped) return std::unexpected(explained_of_stream(stopped.error()));
    if (reader_->nothing_kept()) feedback_.received(assembler_->received());
    if (assembler_->reply_requested()) feedback_.asked();
    if (hold) probe_for_place(now);
    take_commands(batch);
    snapshot_->watch(batch);
    switch (*stopped) {
        case StreamReader::Stopped::full: return Read::more;
        case StreamReader::Stopped::drained: return Read::caught_up;
        case StreamReader::Stopped::silent: feedback_.probe(); return Read::caught_up;
        case StreamReader::Stopped::reselect: side_queries_->reselect(); break;
        case StreamReader::Stopped::catalog: break;
        case StreamReader::Stopped::held: held_at_ = hold; return Read::caught_up;
    }
    // Asked at once: the stream stands still until the answer is there.
    if (auto asked = side_queries_->step(now); !asked) return std::unexpected(asked.error());
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

void PostgresSource::take_commands(const Batch& batch) {
    if (deps_.look_only) return;
    const auto found = commands_in(batch, deps_.config.snapshot, assembler_->took_messages());
    for (const std::string& fault : found.faults) {
        deps_.logger.warning("a snapshot request can't be understood", {{"why", fault}});
    }
    for (const auto& [command, by] : found.commands) snapshot_->request(command, by);
}

std::optional<Lsn> PostgresSource::idle_at() const {
    if (state_ != State::streaming || !reader_->nothing_kept()) return std::nullopt;
    return assembler_->idle_at();
}

bool PostgresSource::fall_back_to_text() {
    return deps_.config.binary && !std::exchange(deps_.carry_over.text_only, true);
}

std::optional<Lsn> PostgresSource::certain_until() const noexcept {
    if (!timeline_) return std::nullopt;
    const auto certain = timeline_->certain_until();
    return certain ? std::optional{std::max(*certain, from_)} : std::nullopt;
}

Result<void> PostgresSource::service() {
    const Instant now = deps_.clock.now();
    settle_joined(now);
    if (state_ == State::copying) {
        if (auto done = snapshot_->step({}, now); !done) return done;
        if (auto done = side_queries_->step(now); !done) return done;
        return snapshot_->resting() ? send_start() : Result<void>{};
    }
    if (state_ < State::starting || state_ >= State::closing) return {};
    if (state_ == State::streaming) {
        if (auto done = snapshot_->step(stream_now(), now); !done) return done;
    }
    if (auto done = go_on_starting(now); !done) return done;
    return state_ == State::streaming ? send_feedback(now) : Result<void>{};
}

Result<void> PostgresSource::send_feedback(Instant now) {
    Result<void> done;
    if (two_phase_) {
        two_phase_->report();
        feedback_.confirm(two_phase_->confirmable({}, assembler_->received()), false);
    }
    if (feedback_.due(now)) {
        const auto message = pgoutput::encode(feedback_.take(now, deps_.clock.wall()));
        done = link_->put({message.data(), message.size()});
    } else if (link_->wants_to_write()) {
        done = link_->flush();
    }
    if (!done) return std::unexpected(explained_of_stream(done.error()));
    return {};
}

void PostgresSource::wants(Wants& wants, bool reading) const {
    if (joined_are_stored()) wants.until(deps_.clock.now());
    switch (state_) {
        case State::opening: timeline_ ? timeline_->wants(wants) : setup_.wants(wants); return;
        case State::opened:
        case State::closed: return;
        case State::copying:
            side_queries_->wants(wants);
            snapshot_->wants(wants, reading);
            return;
        case State::starting:
        case State::closing: wants.readable(link_->fd()); break;
        case State::verifying:
            side_queries_->wants(wants);
            if (timeline_) timeline_->wants(wants);
            break;
        case State::streaming:
            side_queries_->wants(wants);
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
    Lsn end = setup_.identity().server_end;
    if (assembler_) end = std::max(end, assembler_->server_end());
    if (side_queries_) end = std::max(end, side_queries_->server_end());
    return end;
}

std::optional<SourceSilence> PostgresSource::silence() const {
    if (!reader_ || snapshot_->reading() || held_at_) return std::nullopt;
    const auto silence = reader_->silence();
    if (!silence) return std::nullopt;
    return SourceSilence{.lasted = deps_.clock.now() - silence->since,
                         .log_bytes = silence->log_bytes,
                         .answers = silence->answers,
                         .busy_with = side_queries_->walsender_waits_for()};
}

// What was confirmed goes out before copy mode is left: the server reads in that order.
Result<bool> PostgresSource::close() {
    if (state_ == State::streaming) {
        reader_.reset();
        const Instant now = deps_.clock.now();
        const auto message = pgoutput::encode(feedback_.take(now, deps_.clock.wall()));
        if (auto put = link_->put({message.data(), message.size()}); !put) {
            return std::unexpected(explained_of_stream(put.error()));
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

bool PostgresSource::joined_are_stored() const noexcept {
    return snapshot_ && new_tables_.are_stored(*snapshot_);
}

void PostgresSource::settle_joined(Instant now) {
    if (joined_are_stored()) side_queries_->settle(new_tables_.settle(), now);
}

// What the server does not do on the stream's link may be done otherwise. That is decided here and
// remembered for the next source; it is no failure.
std::optional<Error> PostgresSource::decided_otherwise(const Error& error) {
    const auto decided = [&](std::string what) {
        return restart_with(error.category, std::move(what)).at("slot " + plan_.slot);
    };
    const auto unstreamed = [&] {
        deps_.carry_over.unstreamed_until = Lsn{server_end().value + 1};
        deps_.metrics.counter(Metric::spill_fallbacks_total).add();
    };
    if (streamed_ && streamed_->gave_up()) {
        if (plan_.streaming) unstreamed();
        return error;
    }
    // What it can't decode before the commit it may after it: 14 to 18 report "could not map
    // filenumber" in a transaction that alters a table again after that was rolled back in it.
    if (plan_.streaming && link_->sqlstate().starts_with("XX")) {
        unstreamed();
        return decided(error.what +
                       "; continuing while the server keeps transactions until they are committed");
    }
    // No output function, none for a part of it, or one that refuses: text is always there.
    const std::string& sqlstate = link_->sqlstate();
    if (plan_.binary && (sqlstate == "42883" || sqlstate == "0A000")) {
        deps_.carry_over.text_only = true;
        return decided(error.what + "; continuing in text");
    }
    if (is_older_than_inserts(error, plan_)) {
        deps_.carry_over.without_inserts = true;
        return decided(error.what +
                       "; the slot is older than it: continuing without it. Tables that only it "
                       "publishes are captured from a later start on");
    }
    return std::nullopt;
}

Error PostgresSource::explained_of_stream(Error error) {
    if (auto decided = decided_otherwise(error)) return std::move(*decided);
    return explained(std::move(error));
}

// The link knows what the server said; here it is known what it was said about. Only a slot that
// the server has given up (pgclient/server_errors.h) is one to part from.
Error PostgresSource::explained(Error error) const {
    const bool given_up = error.category == Error::Category::position;
    // A missing publication, which is a matter of position as well, has a hint of its own.
    if (given_up && error.hint.empty() && deps_.may_replace_slot) {
        error.category = Error::Category::server;
        error.next = Error::Next::retry;
    }
    if (!given_up && error.category != Error::Category::server) return error;
    if (error.hint.empty() && error.next == Error::Next::stop) {
        error.hint = given_up ? begin_anew() : std::string{fix_and_go_on()};
    }
    return std::move(error).at("slot " + plan_.slot);
}

}  // namespace pgc
