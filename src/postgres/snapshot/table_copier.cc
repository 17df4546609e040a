#include "postgres/snapshot/table_copier.h"

#include <fmt/core.h>

#include <algorithm>
#include <array>
#include <cassert>
#include <functional>
#include <map>
#include <string_view>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "postgres/catalog/table_facts.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

constexpr Duration kPause = std::chrono::milliseconds{200};
constexpr int kFailedConnects_max = 5;
// Pages sampled for each part a table is cut into.
constexpr double kPagesPerPart = 32;

// The table is not what it was: dropped, renamed, a column gone, or somebody is altering it.
bool indicates_change(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 5> states{"42P01", "42703", "3F000", "55P03", "42809"};
    return std::ranges::find(states, sqlstate) != states.end();
}
// The transaction that exported it is over.
bool indicates_lost_snapshot(std::string_view sqlstate) noexcept {
    return sqlstate == "22023" || sqlstate == "55000" || sqlstate == "42704";
}
// It is out of something, shuts down, or was in its own way: no statement's fault.
bool indicates_server_trouble(std::string_view sqlstate) noexcept {
    constexpr std::array<std::string_view, 4> classes{"08", "40", "53", "57P"};
    return std::ranges::any_of(classes, [&](auto c) { return sqlstate.starts_with(c); });
}
bool indicates_timeout(std::string_view sqlstate) noexcept {
    return sqlstate == "57014";
}

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
            case State::checking:
                return check(
                    check_expression_query(task_.table->table().address, task_.table->where()),
                    State::parsing);
            case State::parsing: return describe();
            case State::describing:
                columns_answer_ = std::move(**answer);
                return take_columns(columns_answer_);
            case State::learning: return take_facts(**answer);
            case State::ordering: return take_order(**answer);
            case State::splitting: return take_split(**answer);
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
    if (was == State::opening && indicates_lost_snapshot(sqlstate)) {
        end_chunk(false);
        return Event::snapshot_lost;
    }
    if (indicates_timeout(sqlstate) && has_chunk_ && chunk_read_ > 0 &&
        !table.shape().key.empty()) {
        deps_.logger.info("a chunk took too long: what was read of it counts",
                          {{"table", table.name()}, {"rows", chunk_read_}});
        return end_chunk(false);
    }
    if (is_of_binary_form(sqlstate)) {
        deps_.logger.info("a type of the table can't be sent in binary: it is read as text",
                          {{"table", table.name()}});
        table.read_as_text();
        return end_chunk(false);
    }
    // Once it is open the table stays as it is: what is wrong then is somebody's condition.
    const bool of_condition = !indicates_server_trouble(sqlstate) &&
                              (was == State::checking || was == State::parsing ||
                               (has_chunk_ && was != State::opening && !table.where().empty()));
    if (indicates_change(sqlstate) && !of_condition) {
        deps_.logger.info("a table was altered while it was read: it is read again later",
                          {{"table", table.name()}, {"sqlstate", sqlstate}});
        end_chunk(false);
        table.defer();
        return Event::ended;
    }
    if (sqlstate == "42501") error.hint = refusal_hint(error, table.table().address);
    if (of_condition && sqlstate != "42501") {
        error.next = Error::Next::stop;
        error.what = "its condition fails: " + error.what;
        error.hint = "request it again with another condition";
    }
    failure_ = std::move(error).at(table.name());
    end_chunk(false);
    return Event::table_failed;
}

// A type that has no send function, is made of one, or has one that refuses. Whether it is so is
// known of most types beforehand; not of what an extension's own send function calls. Text is
// always there, from the row on that was read last, or, without a key, from the beginning.
bool TableCopier::is_of_binary_form(std::string_view sqlstate) const noexcept {
    const TableShape& shape = task_.table->shape();
    return (sqlstate == "42883" || sqlstate == "0A000") && has_chunk_ &&
           (chunk_read_ == 0 || !shape.key.empty()) && shape.form == CopyForm::binary;
}

std::string TableCopier::refusal_hint(const Error& error, const TableAddress& table) const {
    const std::string role = quote_name(deps_.config.connection.username);
    if (error.what.find("row-level security") != std::string::npos) {
        return fmt::format(
            "ALTER ROLE {} BYPASSRLS; policies hide rows from this role; or leave the table out "
            "with "
            "source.tables.exclude",
            role);
    }
    return fmt::format("GRANT USAGE ON SCHEMA {} TO {}; GRANT SELECT ON {} TO {}",
                       quote_name(table.schema), role, quote_name(table.schema, table.name), role);
}

Result<TableCopier::Event> TableCopier::take_opened(const Rows& rows) {
    TableCopyState& table = *task_.table;
    const bool same = rows.rows.size() == 1 && Answer{rows}.flag("same");
    if (!same) return altered("since the snapshot");
    now_.clear();
    for (std::size_t i = 1; i < rows.fields.size(); ++i) {
        now_.push_back({.name = rows.columns[i],
                        .number = rows.fields[i].number,
                        .type = Oid{rows.fields[i].type},
                        .modifier = rows.fields[i].modifier});
    }
    if (has_chunk_) {
        // Between two chunks nothing keeps it as it is.
        return is_still(table.shape().was, now_) ? begin_copy() : altered("between two chunks");
    }
    if (table.where().empty()) return describe();
    return check(check_condition_query(table.table().address, table.where()), State::checking);
}

// By the extended protocol, which takes one statement only.
Result<TableCopier::Event> TableCopier::check(const std::string& query, State next) {
    if (auto sent = link_->send(query, {}, false); !sent) return std::unexpected(sent.error());
    state_ = next;
    return Event::none;
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

Result<TableCopier::Event> TableCopier::describe() {
    const SnapshotTable& table = task_.table->table();
    const auto sent = send(snapshot_columns_query(link_->server_version(), task_.publications,
                                                  table.address, table.shown),
                           State::describing);
    return sent ? Result<Event>{Event::none} : std::unexpected(sent.error());
}

Result<TableCopier::Event> TableCopier::take_columns(const Rows& rows) {
    const SnapshotTable& table = task_.table->table();
    if (rows.rows.empty()) {
        state_ = State::idle;
        task_.table->be_gone();
        return end_chunk(true);
    }
    message_ = {};
    message_.oid = table.shown.oid;
    message_.schema = table.shown.schema;
    message_.name = table.shown.name;
    shape_ = {};
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        const char identity = row.letter("identity");
        if (identity == '\0') return std::unexpected(strange_answer("a table's columns"));
        message_.identity = static_cast<ReplicaIdentity>(identity);
        shape_.rows = row.number("rows", -1);
        shape_.pages = static_cast<std::uint32_t>(row.number("pages"));
        const auto& name = rows.rows[i].front();
        if (name) {
            message_.columns.push_back(
                {.name = *name,
                 .type = row.oid("type"),
                 .modifier = static_cast<std::int32_t>(row.number("modifier")),
                 .identity = row.flag("is_identity")});
        }
        // One without columns has a row all the same, of NULLs but for the table's own.
        if (name && !row.sound()) return std::unexpected(strange_answer("a table's columns"));
    }
    const auto types = deps_.relations.unknown_types(message_);
    const auto sent = link_->send(table_facts_query(link_->server_version()),
                                  table_facts_parameters(table.shown.oid, types), false);
    if (!sent) return std::unexpected(sent.error());
    state_ = State::learning;
    return Event::none;
}

Result<TableCopier::Event> TableCopier::take_facts(const Rows& rows) {
    const auto facts = read_table_facts(rows);
    if (!facts) return std::unexpected(facts.error());
    auto relation = deps_.relations.describe(message_, *facts);
    if (!relation) return std::unexpected(std::move(relation.error()));
    shape_.relation = std::move(*relation);
    const Relation& is = *shape_.relation;
    bool binary = deps_.config.binary && !deps_.carry_over.text_only;
    for (std::uint32_t i = 0; i < is.columns.size(); ++i) {
        if (!is.columns[i].captured) continue;
        shape_.columns.push_back(is.columns[i].name);
        shape_.places.push_back(i);
        // What the stream sends as text among binary values, COPY does not.
        const bool sendable = is.columns[i].type->read_binary != nullptr;
        binary = binary && sendable && deps_.relations.binary_known(message_.columns[i].type);
    }
    std::vector<std::string> key;
    for (const std::uint32_t place : is.key) {
        key.push_back(is.columns[place].name);
        binary = binary && has_key_text(*is.columns[place].type);
    }
    shape_.form = binary ? CopyForm::binary : CopyForm::text;
    const SnapshotTable& table = task_.table->table();
    const auto sent =
        send(snapshot_order_query(link_->server_version(), table.address, table.shown, key),
             State::ordering);
    return sent ? Result<Event>{Event::none} : std::unexpected(sent.error());
}

Result<TableCopier::Event> TableCopier::take_order(const Rows& rows) {
    std::map<std::string, std::size_t, std::less<>> ordered;  // the key's columns
    for (std::size_t i = 0; i < rows.rows.size(); ++i) {
        Answer row{rows, i};
        shape_.was.push_back({.name = row.text("name"),
                              .number = row.number("number"),
                              .type = row.oid("type"),
                              .modifier = row.number("modifier")});
        if (!row.sound()) return std::unexpected(strange_answer("a table's order"));
        if (!row.is_null("less")) ordered.emplace(shape_.was.back().name, i);
    }
    if (!is_still(shape_.was, now_)) return altered("since the snapshot");
    const Relation& is = *shape_.relation;
    for (const std::uint32_t place : is.key) {
        const auto at = ordered.find(is.columns[place].name);
        // What no index makes unique can't show where a chunk ends: it is read whole.
        if (at == ordered.end()) {
            shape_.key.clear();
            shape_.ordered_by.clear();
            break;
        }
        Answer row{rows, at->second};
        shape_.key.push_back({.name = at->first,
                              .type = row.text("type_name"),
                              .collation = row.text("collation"),
                              .operators = {.less = row.text("less"),
                                            .at_most = row.text("at_most"),
                                            .equal = row.text("equal"),
                                            .at_least = row.text("at_least"),
                                            .greater = row.text("greater")}});
        shape_.ordered_by.push_back(ordering_word({.column = at->first,
                                                   .type = message_.columns[place].type,
                                                   .unusual = row.text("unusual"),
                                                   .version = row.text("version")}));
    }
    return split_or_open();
}

Result<TableCopier::Event> TableCopier::split_or_open() {
    const TableCopyState& table = *task_.table;
    parts_ = table.parts_wanted(shape_, task_.readers);
    const bool by_places = shape_.key.empty();
    if (by_places && link_->server_version() < 140000) parts_ = 1;
    if (parts_ < 2 || by_places || shape_.pages == 0) return take_split({});
    const double percent = std::min(100.0, 100 * kPagesPerPart * parts_ / shape_.pages);
    const auto sent =
        send(split_query(table.table().address, shape_.key, parts_, percent), State::splitting);
    return sent ? Result<Event>{Event::none} : std::unexpected(sent.error());
}

Result<TableCopier::Event> TableCopier::take_split(const Rows& rows) {
    std::vector<Key> bounds;
    for (const auto& row : rows.rows) {
        Key bound;
        for (const auto& text : row) {
            if (text) bound.push_back(*text);
        }
        if (bound.size() != shape_.key.size()) {
            return std::unexpected(strange_answer("where to cut a table"));
        }
        bounds.push_back(std::move(bound));
    }
    TableCopyState& table = *task_.table;
    table.open(std::move(shape_), bounds, parts_);
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
    rows_.emplace(shape.form, shape.columns.size());
    cells_.resize(shape.columns.size());
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
                                                std::size_t max_bytes) {
    assert(state_ == State::copying);
    const TableShape& shape = task_.table->shape();
    const Link::Release release = link_->release();
    ReadRows read;
    std::size_t received = 0;
    messages_.clear();
    const auto drained = link_->drain(messages_, max_changes, max_bytes, received);
    const Cell* last = nullptr;
    for (std::size_t i = 0; i < messages_.size(); ++i) {
        const CopyMessage& message = messages_[i];
        batch.retain(message.data, message.size, release);
        const auto found = decode(message, batch);
        if (!found) {
            for (++i; i < messages_.size(); ++i) release(messages_[i].data);
            return std::unexpected(found.error());
        }
        if (*found == CopyRows::Found::nothing) continue;
        last = batch.changes.back().after;
        ++read.rows;
    }
    chunk_read_ += read.rows;
    if (last != nullptr && !shape.key.empty()) {
        auto key = key_of(last);
        if (!key) return std::unexpected(broken("a key without a text"));
        read.last = std::move(*key);
    }
    if (!drained) {
        // What came before counts; that nothing more comes is heard at the next step.
        state_ = State::ending;
        return read;
    }
    if (*drained == Link::Drained::ended) state_ = State::ending;
    read.more = *drained == Link::Drained::limit;
    return read;
}

Result<CopyRows::Found> TableCopier::decode(const CopyMessage& message, Batch& batch) {
    const TableShape& shape = task_.table->shape();
    const auto found = rows_->read({message.data, message.size}, cells_);
    if (!found) return std::unexpected(broken("a row that COPY can't have sent"));
    if (*found == CopyRows::Found::nothing) return found.value();
    const std::size_t columns = shape.relation->columns.size();
    Cell* row = batch.arena.allocate<Cell>(std::max<std::size_t>(columns, 1));
    if (shape.places.size() == columns) [[likely]] {
        std::ranges::copy(cells_, row);
    } else {
        std::fill_n(row, columns, Cell{});
        for (std::size_t i = 0; i < cells_.size(); ++i) row[shape.places[i]] = cells_[i];
    }
    batch.changes.push_back(
        {.operation = Operation::read, .relation = shape.relation.get(), .after = row});
    return found.value();
}

std::optional<Key> TableCopier::key_of(const Cell* row) {
    const Relation& relation = *task_.table->shape().relation;
    Key key;
    scratch_.clear();
    for (const std::uint32_t place : relation.key) {
        auto text = key_text(*relation.columns[place].type, row[place], scratch_);
        if (!text) return std::nullopt;
        key.push_back(std::move(*text));
    }
    return key;
}

Error TableCopier::broken(std::string what) const {
    return stop(Error::Category::protocol, "the server sent " + std::move(what))
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
