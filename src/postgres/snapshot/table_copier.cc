#include "postgres/snapshot/table_copier.h"

#include <fmt/core.h>

#include <cassert>
#include <string_view>
#include <utility>

#include "pgclient/answer.h"
#include "postgres/snapshot/refusal.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

constexpr Duration kPause = std::chrono::milliseconds{200};
constexpr int kFailedConnects_max = 5;

}  // namespace

TableCopier::TableCopier(Deps deps) : deps_(std::move(deps)) {}

TableCopier::~TableCopier() = default;

Result<TableCopier::Event> TableCopier::step(Instant now) {
    switch (state_) {
        case State::idle:
        case State::asked:
        case State::copying: return Event::none;
        case State::away:
        case State::connecting: return connect(now);
        default: return take_answer(now);
    }
}

// -- the connection -----------------------------------------------------------------------

Result<TableCopier::Event> TableCopier::connect(Instant now) {
    if (state_ == State::away) {
        if (now < connect_at_) return Event::none;
        auto made = deps_.links.make(LinkFactory::Use::sql);
        if (!made) return std::unexpected(std::move(made.error()));
        link_ = std::move(*made);
        state_ = State::connecting;
        deadline_ = now + deps_.config.connection.connect_timeout;
    }
    const auto connecting = link_->connect();
    if (!connecting) return lost(connecting.error(), now);
    connecting_ = *connecting;
    if (connecting_ != Link::Connecting::done) {
        if (now < deadline_) return Event::none;
        return lost(retry(Error::Category::connection, "the server does not answer"), now);
    }
    deadline_ = kNever;
    state_ = State::idle;
    return Event::none;
}

Result<TableCopier::Event> TableCopier::lost(Error error, Instant now) {
    const Event event = disconnect();
    connect_at_ = now + kPause;
    const bool hopeless = error.next == Error::Next::stop;
    if (hopeless || ++failed_connects_ >= kFailedConnects_max) {
        failed_connects_ = 0;
        return std::unexpected(std::move(error));
    }
    deps_.logger.failure(LogLevel::warning, "a reader of the snapshot lost its connection", error);
    return event;
}

void TableCopier::abandon() {
    if (state_ != State::away) connect_at_ = {};  // else it has its pause
    disconnect();
}

// What is left of its chunk, if it has one, is somebody's next.
TableCopier::Event TableCopier::disconnect() {
    const Event event = busy() ? end_chunk(false) : Event::none;
    link_.reset();
    state_ = State::away;
    deadline_ = kNever;
    return event;
}

Result<void> TableCopier::send(const std::string& command, State next) {
    if (auto sent = link_->send(command); !sent) return sent;
    state_ = next;
    return {};
}

Result<void> TableCopier::ask(const std::string& text) {
    assert(state_ == State::idle);
    task_ = {};
    holds_ = true;
    auto sent = send(text, State::asked);
    if (!sent) abandon();  // it went away while nobody listened
    return sent;
}

Result<std::optional<Rows>> TableCopier::answer(Instant now) {
    auto answer = link_->result();
    if (answer && !*answer) return answer;
    state_ = State::idle;
    if (answer) return answer;
    if (link_->sqlstate().empty()) {
        disconnect();
        connect_at_ = now + kPause;
    } else if (indicates_lost_snapshot(link_->sqlstate())) {
        answer.error().next = Error::Next::retry;
    }
    return answer;
}

void TableCopier::rest() {
    assert(state_ == State::idle);
    if (!std::exchange(holds_, false)) return;
    if (!send("ROLLBACK", State::resting)) abandon();
}

// -- a chunk ------------------------------------------------------------------------------

Result<TableCopier::Event> TableCopier::begin(Task task, Instant now) {
    assert(state_ == State::idle);
    task_ = std::move(task);
    holds_ = true;
    has_chunk_ = false;
    if (task_.table->state() == TableCopyState::State::unopened) {
        task_.table->begin_opening();
    } else {
        auto chunk = task_.table->take(task_.chunk_rows);
        assert(chunk);
        chunk_ = std::move(*chunk);
        has_chunk_ = true;
        chunk_read_ = 0;
    }
    state_ = State::opening;
    const auto sent =
        link_->send(open_table_command({.snapshot = task_.snapshot,
                                        .table = task_.table->table().address,
                                        .statement_timeout = task_.statement_timeout}));
    return sent ? Result<Event>{Event::none} : lost(sent.error(), now);
}

TableCopier::Event TableCopier::end_chunk(bool whole) {
    TableCopyState& table = *task_.table;
    inspection_.reset();
    ended_part_.reset();
    if (std::exchange(has_chunk_, false)) {
        ended_part_ = chunk_.part;
        table.end_chunk(chunk_.part, whole);
        if (!whole && table.torn(chunk_.part)) table.defer();
    } else if (table.state() == TableCopyState::State::opening) {
        table.give_back();
    }
    return Event::ended;
}

Result<TableCopier::Event> TableCopier::take_answer(Instant now) {
    auto answer = link_->result();
    if (!answer) return refused(std::move(answer.error()), now);
    if (!*answer) return Event::none;
    failed_connects_ = 0;
    const auto next = [&]() -> Result<Event> {
        switch (state_) {
            case State::resting: state_ = State::idle; return Event::none;
            case State::opening: return take_opened(**answer);
            case State::inspecting: return take_inspected(inspection_->take(std::move(**answer)));
            case State::asking:
                if (!link_->copying()) return std::unexpected(broken("no rows to COPY"));
                state_ = State::copying;
                return Event::none;
            case State::ending:
                state_ = State::idle;
                return end_chunk(chunk_.limit == 0 || chunk_read_ < chunk_.limit);
            default: return Event::none;
        }
    }();
    if (!next && link_->sqlstate().empty() && next.error().next == Error::Next::retry &&
        next.error().category == Error::Category::connection) {
        return lost(next.error(), now);
    }
    return next;
}

// The server said no, or nothing any more.
Result<TableCopier::Event> TableCopier::refused(Error error, Instant now) {
    const std::string sqlstate = link_->sqlstate();
    if (sqlstate.empty()) return lost(std::move(error), now);
    const State was = std::exchange(state_, State::idle);
    // A transaction that failed is left with the next command.
    if (was == State::resting) return Event::none;  // there was nothing to end
    TableCopyState& table = *task_.table;
    using At = RefusedChunk::At;
    const RefusedChunk chunk{.sqlstate = sqlstate,
                             .at = was == State::opening            ? At::opening
                                   : was != State::inspecting       ? At::rows
                                   : inspection_->tries_condition() ? At::condition
                                                                    : At::inspection,
                             .has_chunk = has_chunk_,
                             .rows_read = chunk_read_,
                             .table = table};
    const Refusal refusal = judge(chunk);
    switch (refusal) {
        case Refusal::snapshot_lost: end_chunk(false); return Event::snapshot_lost;
        case Refusal::too_long:
            deps_.logger.info("a chunk took too long: what was read of it counts",
                              {{"table", table.name()}, {"rows", chunk_read_}});
            return end_chunk(false);
        case Refusal::no_binary:
            deps_.logger.info("a type of the table can't be sent in binary: it is read as text",
                              {{"table", table.name()}});
            table.read_as_text();
            return end_chunk(false);
        case Refusal::altered:
            deps_.logger.info("a table was altered while it was read: it is read again later",
                              {{"table", table.name()}, {"sqlstate", sqlstate}});
            end_chunk(false);
            table.defer();
            return Event::ended;
        case Refusal::condition:
        case Refusal::table: break;
    }
    failure_ = failure_of(refusal, chunk, std::move(error), deps_.config.connection.username);
    end_chunk(false);
    return Event::table_failed;
}

Result<TableCopier::Event> TableCopier::take_opened(const Rows& rows) {
    TableCopyState& table = *task_.table;
    const bool same = rows.rows.size() == 1 && Answer{rows}.flag("same");
    if (!same) return altered("since the snapshot");
    std::vector<ColumnShape> now;
    for (std::size_t i = 1; i < rows.fields.size(); ++i) {
        now.push_back({.name = rows.columns[i],
                       .number = rows.fields[i].number,
                       .type = Oid{rows.fields[i].type},
                       .modifier = rows.fields[i].modifier});
    }
    if (!has_chunk_) return inspect(std::move(now));
    // Between two chunks nothing keeps it as it is.
    return is_still(table.shape().was, now) ? begin_copy() : altered("between two chunks");
}

// It is read in the next snapshot of the database, with what there is then.
TableCopier::Event TableCopier::altered(std::string_view when) {
    deps_.logger.info(fmt::format("a table was altered {}: it is read again later", when),
                      {{"table", task_.table->name()}});
    state_ = State::idle;
    end_chunk(false);
    task_.table->defer();
    return Event::ended;
}

// -- of a table that nobody has opened ------------------------------------------------------

Result<TableCopier::Event> TableCopier::inspect(std::vector<ColumnShape> now) {
    inspection_.emplace(TableInspection::Deps{.link = *link_,
                                              .config = deps_.config,
                                              .relations = deps_.relations,
                                              .carry_over = deps_.carry_over,
                                              .table = *task_.table,
                                              .publications = task_.publications},
                        std::move(now), task_.readers);
    return take_inspected(inspection_->begin());
}

Result<TableCopier::Event> TableCopier::take_inspected(const Result<TableInspection::Step>& step) {
    if (!step) return std::unexpected(step.error());
    switch (*step) {
        case TableInspection::Step::asked: state_ = State::inspecting; return Event::none;
        case TableInspection::Step::gone:
            state_ = State::idle;
            task_.table->be_gone();
            return end_chunk(true);
        case TableInspection::Step::altered: return altered("since the snapshot");
        case TableInspection::Step::known: return open();
    }
    return Event::none;
}

Result<TableCopier::Event> TableCopier::open() {
    TableCopyState& table = *task_.table;
    auto found = std::move(*inspection_).found();
    table.open(std::move(found.shape), found.bounds, found.parts);
    auto chunk = table.take(task_.chunk_rows);
    if (!chunk) {
        state_ = State::idle;
        return end_chunk(true);
    }
    chunk_ = std::move(*chunk);
    has_chunk_ = true;
    return begin_copy();
}

// -- rows ---------------------------------------------------------------------------------

Result<TableCopier::Event> TableCopier::begin_copy() {
    const TableShape& shape = task_.table->shape();
    chunk_read_ = 0;
    rows_.emplace(shape);
    const auto sent = send(copy_command({.table = task_.table->table().address,
                                         .columns = shape.columns,
                                         .condition = chunk_.condition,
                                         .order = order_list(shape.key),
                                         .limit = chunk_.limit,
                                         .form = shape.form}),
                           State::asking);
    return sent ? Result<Event>{Event::none} : std::unexpected(sent.error());
}

Result<TableCopier::ReadRows> TableCopier::read(Batch& batch, std::size_t max_changes,
                                                std::size_t max_bytes, bool keep_last) {
    assert(state_ == State::copying);
    auto read = rows_->read(*link_, batch, max_changes, max_bytes, keep_last);
    if (!read) return std::unexpected(broken(read.error()));
    chunk_read_ += read->rows;
    if (read->rows > 0) task_.table->read_up_to(chunk_.part, read->last);
    // That a link broke is heard at the next step.
    if (read->over) state_ = State::ending;
    return std::move(*read);
}

Error TableCopier::broken(std::string_view what) const {
    return stop(Error::Category::protocol, fmt::format("the server sent {}", what))
        .at(task_.table->name());
}

void TableCopier::wants(Wants& wants, bool reading) const {
    switch (state_) {
        case State::idle: return;
        case State::away: wants.until(connect_at_); return;
        case State::connecting:
            wants.until(deadline_);
            if (connecting_ == Link::Connecting::wait_writable) {
                wants.writable(link_->fd());
            } else {
                wants.readable(link_->fd());
            }
            return;
        case State::copying:
            if (reading) wants.readable(link_->fd());
            return;
        default: wants.interests.push_back({link_->fd(), true, link_->wants_to_write()});
    }
}

}  // namespace pgc
