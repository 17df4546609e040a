#include "postgres/stream/postgres_source.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "postgres/pgoutput/envelope.h"
#include "postgres/quote.h"
#include "postgres/stream/statements.h"

namespace pgc {

namespace {

// Key values of rows are asked back in text form (reselect.h).
OpeningTask opening_task(const PostgresSource::With& with) {
    return {.text_only = with.memory.text_only || with.config.toast == ToastMode::reselect,
            .may_create_slot = with.may_create_slot};
}

}  // namespace

PostgresSource::PostgresSource(With with)
    : with_(std::move(with)),
      opening_(with_.config, with_.links, with_.clock, with_.logger, opening_task(with_)),
      feedback_(with_.keepalive_interval) {}

Result<bool> PostgresSource::open() {
    if (state_ != State::opening) return true;
    const auto done = opening_.step();
    if (!done || !*done) return done;
    plan_ = opening_.plan();
    feedback_.server_patience(plan_.wal_sender_timeout);
    state_ = State::opened;
    return true;
}

Selection PostgresSource::selection() const {
    const PostgresConfig& config = with_.config;
    return {
        .table =
            [&config, all = !plan_.filter_tables](std::string_view schema, std::string_view table) {
                return all || config.tables.matches(schema, table);
            },
        .column =
            [&config](std::string_view schema, std::string_view table, std::string_view column) {
                return !config.columns.excluded(schema, table, column);
            }};
}

Result<void> PostgresSource::start(Lsn from) {
    assert(state_ == State::opened);
    link_ = opening_.replication_link();
    if (auto sent = link_->send(start_replication(plan_, from)); !sent) return sent;
    from_ = from;
    relations_.emplace(
        types_, selection(), plan_.binary, with_.memory,
        [this](const Relation& before, const Relation& now) { schema_changed(before, now); });
    assembler_.emplace(*relations_, with_.config.toast == ToastMode::reselect, from);
    state_ = State::starting;
    return {};
}

void PostgresSource::schema_changed(const Relation& before, const Relation& now) {
    const std::string table = qualified_name(now);
    with_.metrics.counter(Metric::schema_changes_total, {table}).add();
    with_.logger.info("a table has changed", {{"table", table},
                                              {"columns_before", before.columns.size()},
                                              {"columns", now.columns.size()}});
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
        errands_.emplace(Errands::With{.config = with_.config,
                                       .plan = plan_,
                                       .links = with_.links,
                                       .relations = *relations_,
                                       .assembler = *assembler_,
                                       .metrics = with_.metrics,
                                       .logger = with_.logger},
                         opening_.sql_link(), from_, now);
        reader_.emplace(*link_, *assembler_, now);
        state_ = State::verifying;
    }
    if (auto done = errands_->step(now); !done) return done;
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
    if (state_ != State::streaming) return Read::caught_up;
    const Instant now = with_.clock.now();
    reader_->log_reaches(errands_->server_end());
    const auto stopped = reader_->read(batch, max_changes, max_bytes, now);
    if (!stopped) return std::unexpected(explained(stopped.error()));
    if (reader_->nothing_kept()) feedback_.received(assembler_->received());
    if (assembler_->reply_requested()) feedback_.asked();
    switch (*stopped) {
        case StreamReader::Stopped::full: return Read::more;
        case StreamReader::Stopped::drained: return Read::caught_up;
        case StreamReader::Stopped::silent: feedback_.probe(); return Read::caught_up;
        case StreamReader::Stopped::reselect: errands_->reselect(); break;
        case StreamReader::Stopped::catalog: break;
    }
    // Asked at once: the stream stands still until the answer is there.
    if (auto asked = errands_->step(now); !asked) return std::unexpected(asked.error());
    return Read::caught_up;
}

std::optional<Lsn> PostgresSource::idle_at() const {
    if (state_ != State::streaming || !reader_->nothing_kept()) return std::nullopt;
    return assembler_->idle_at();
}

Result<void> PostgresSource::tend() {
    if (state_ < State::starting || state_ >= State::closing) return {};
    const Instant now = with_.clock.now();
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
        case State::opening: opening_.wants(wants); return;
        case State::opened:
        case State::closed: return;
        case State::starting:
        case State::closing: wants.readable(link_->fd()); break;
        case State::verifying: errands_->wants(wants); break;
        case State::streaming:
            errands_->wants(wants);
            wants.until(feedback_.due_at());
            if (reading) reader_->wants(wants);
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

// The link knows what the server said; here it is known what it was said about.
Error PostgresSource::explained(Error error) const {
    if (error.category != Error::Category::position && error.category != Error::Category::server) {
        return error;
    }
    if (error.mend.empty() && error.next == Error::Next::stop) {
        error.mend = "the slot can't be used any more: SELECT pg_drop_replication_slot(" +
                     quote_text(plan_.slot) +
                     "); then remove the stored position and take a new snapshot";
    }
    return std::move(error).at("slot " + plan_.slot);
}

}  // namespace pgc
