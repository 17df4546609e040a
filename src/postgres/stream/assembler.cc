#include "postgres/stream/assembler.h"

#include <algorithm>
#include <utility>

namespace pgc {

namespace {

using pgoutput::MessageKind;

// Takes what the new row lacks from the old one, and says whether something is still lacking.
bool fill_unchanged(const Cell* before, std::span<Cell> after) noexcept {
    bool lacking = false;
    for (std::size_t i = 0; i < after.size(); ++i) {
        if (after[i].state != Cell::State::unchanged) [[likely]]
            continue;
        const bool known = before != nullptr && before[i].state != Cell::State::absent &&
                           before[i].state != Cell::State::unchanged;
        if (known) {
            after[i] = before[i];
        } else {
            lacking = true;
        }
    }
    return lacking;
}

}  // namespace

void Assembler::enter(Batch& batch) noexcept {
    ++batch_number_;
    extent_open_ =
        in_transaction_ && !batch.transactions.empty() && !batch.transactions.back().ends;
}

Result<Assembler::Taken> Assembler::take(std::string_view bytes, Batch& batch) {
    if (bytes.empty()) return std::unexpected(broken("an empty message", received_));
    if (bytes.front() == pgoutput::kXLogData) [[likely]] {
        const auto data = pgoutput::decode_xlog_data(bytes);
        if (!data) return std::unexpected(broken(data.error(), received_));
        return take_message(*data, batch);
    }
    if (bytes.front() == pgoutput::kKeepalive) return take_keepalive(bytes);
    return std::unexpected(broken("a copy message of unknown kind", received_));
}

Result<Assembler::Taken> Assembler::take_keepalive(std::string_view bytes) {
    const auto keepalive = pgoutput::decode_keepalive(bytes);
    if (!keepalive) return std::unexpected(broken(keepalive.error(), received_));
    if (!in_transaction_ && !in_block_ && !in_prepared_) {
        idle_ = std::max(idle_, keepalive->end);
        received_ = std::max(received_, keepalive->end);
    }
    server_end_ = std::max(server_end_, keepalive->end);
    if (keepalive->end == std::exchange(keepalive_, keepalive->end)) ++stale_keepalives_;
    reply_requested_ = reply_requested_ || keepalive->reply_requested;
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_message(const pgoutput::XLogData& data, Batch& batch) {
    const auto kind = pgoutput::kind_of(data.message);
    if (!kind) return std::unexpected(broken(kind.error(), data.start));
    server_end_ = std::max(server_end_, data.end);
    if (in_block_) [[unlikely]]
        return take_in_block(*kind, data);
    if (in_prepared_) [[unlikely]]
        return take_in_prepared(*kind, data);
    if (unwanted_) [[unlikely]]
        return take_unwanted(*kind, data);
    switch (*kind) {
        case MessageKind::insert:
        case MessageKind::update:
        case MessageKind::remove: return take_row(data, batch);
        case MessageKind::begin: return take_begin(data);
        case MessageKind::commit: return take_commit(data, batch);
        case MessageKind::relation: return take_relation(data);
        case MessageKind::type: return take_type(data);
        case MessageKind::origin: return take_origin(data);
        case MessageKind::truncate: return take_truncate(data, batch);
        case MessageKind::message: return take_logical(data, batch);
        case MessageKind::stream_start: return take_stream_start(data);
        case MessageKind::stream_abort: return take_stream_abort(data);
        case MessageKind::stream_commit: return take_stream_commit(data);
        default: return take_two_phase(*kind, data);
    }
}

// One row. The steps are in the order in which a refusal costs nothing to undo.
Result<Assembler::Taken> Assembler::take_row(const pgoutput::XLogData& data, Batch& batch) {
    const auto head = pgoutput::peek_row(data.message, false);
    if (!head) [[unlikely]]
        return std::unexpected(broken(head.error(), data.start));
    if (!in_transaction_) [[unlikely]] {
        return std::unexpected(broken("a row outside of any transaction", data.start));
    }
    KnownRelation* known = relations_.find(head->relation);
    if (known == nullptr) [[unlikely]] {
        return std::unexpected(unannounced("a row of a table it never announced", data.start));
    }
    if (!known->captured) {
        count(batch);
        return Taken::done;
    }
    const std::size_t columns = known->columns;
    // Never of length 0: a null pointer would mean "not sent".
    const std::size_t length = std::max<std::size_t>(columns, 1);
    Cell* before = head->has_old ? batch.arena.allocate<Cell>(length) : nullptr;
    Cell* after = head->has_new ? batch.arena.allocate<Cell>(length) : nullptr;
    const auto decoded = pgoutput::decode_row(*head, {before, before == nullptr ? 0 : columns},
                                              {after, after == nullptr ? 0 : columns});
    if (!decoded) [[unlikely]] {
        return std::unexpected(broken(decoded.error(), data.start, known));
    }
    if (head->operation == Operation::update && fill_unchanged(before, {after, columns})) {
        const std::span<Cell> row{after, columns};
        if (provided_) {
            fill_reselected(batch, row);
        } else if (wants_reselect(*known->relation, row)) {
            wanted_ = {known->relation.get(), row};
            return Taken::reselect;
        }
    }
    count(batch);
    hold(batch, *known);
    append(batch, {.operation = head->operation,
                   .before_is_full = head->old_is_full,
                   .relation = known->relation.get(),
                   .before = before,
                   .after = after,
                   .lsn = data.start,
                   .ordinal = ordinal_});
    return Taken::kept;
}

Result<Assembler::Taken> Assembler::take_begin(const pgoutput::XLogData& data) {
    const auto begin = pgoutput::decode_begin(data.message);
    if (!begin) return std::unexpected(broken(begin.error(), data.start));
    return this->begin(begin->xid, begin->commit_lsn, begin->committed_at, data.start);
}

Result<Assembler::Taken> Assembler::begin(Xid xid, Lsn commit, WallTime at, Lsn place) {
    if (in_transaction_) {
        return std::unexpected(broken("a transaction inside another one", place));
    }
    if (commit <= last_commit_) {
        return std::unexpected(broken("a transaction out of commit order", place));
    }
    unwanted_ = commit < wanted_from_;
    if (!unwanted_ && hold_at_ && commit >= *hold_at_) return Taken::held;
    begun_ = commit;
    in_transaction_ = true;
    extent_open_ = false;
    xid_ = xid;
    commit_lsn_ = commit;
    committed_at_ = at;
    ordinal_ = 0;
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_commit(const pgoutput::XLogData& data, Batch& batch) {
    const auto commit = pgoutput::decode_commit(data.message);
    if (!commit) return std::unexpected(broken(commit.error(), data.start));
    if (!in_transaction_ || commit->commit_lsn != commit_lsn_ ||
        commit->end_lsn <= commit->commit_lsn) {
        return std::unexpected(broken("the commit of another transaction", data.start));
    }
    end(commit->end_lsn, batch);
    return Taken::done;
}

void Assembler::end(Lsn end, Batch& batch) {
    Transaction& ended = transaction(batch);
    ended.ends = true;
    ended.end_lsn = end;
    batch.end = Position::whole(commit_lsn_);
    batch.resume_at = end;
    in_transaction_ = extent_open_ = false;
    last_commit_ = commit_lsn_;
    received_up_to(end);
}

void Assembler::received_up_to(Lsn end) noexcept {
    received_ = std::max(received_, end);
    server_end_ = std::max(server_end_, end);
}

Result<Assembler::Taken> Assembler::take_relation(const pgoutput::XLogData& data) {
    const auto declared = relations_.declare(data.message);
    if (!declared) return std::unexpected(declared.error());
    if (*declared != Relations::Declared::known) return Taken::catalog;
    if (streamed_ != nullptr) arrived(data.message, ++relations_arrived_);
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_type(const pgoutput::XLogData& data) {
    const auto type = pgoutput::decode_type(data.message, false);
    if (!type) return std::unexpected(broken(type.error(), data.start));
    relations_.announce_type(*type);
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_origin(const pgoutput::XLogData& data) {
    const auto origin = pgoutput::decode_origin(data.message);
    if (!origin) return std::unexpected(broken(origin.error(), data.start));
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_truncate(const pgoutput::XLogData& data, Batch& batch) {
    const auto truncate = pgoutput::decode_truncate(data.message, false);
    if (!truncate) return std::unexpected(broken(truncate.error(), data.start));
    if (!in_transaction_) {
        return std::unexpected(broken("a truncation outside of any transaction", data.start));
    }
    for (const Oid oid : truncate->relations) {
        KnownRelation* known = relations_.find(oid);
        if (known == nullptr) {
            return std::unexpected(
                unannounced("the truncation of a table it never announced", data.start));
        }
        count(batch);
        if (!known->captured) continue;
        hold(batch, *known);
        append(batch, {.operation = Operation::truncate,
                       .truncate_cascade = truncate->cascade,
                       .truncate_restarts_identity = truncate->restarts_identity,
                       .relation = known->relation.get(),
                       .lsn = data.start,
                       .ordinal = ordinal_});
    }
    return Taken::done;
}

Result<Assembler::Taken> Assembler::take_logical(const pgoutput::XLogData& data, Batch& batch) {
    const auto logical = pgoutput::decode_logical_message(data.message, false);
    if (!logical) return std::unexpected(broken(logical.error(), data.start));
    if (in_transaction_) {
        count(batch);
        took_messages_ = true;
        auto* message = batch.arena.allocate<Message>(1);
        *message = {logical->prefix, logical->content, logical->transactional};
        append(batch, {.operation = Operation::message,
                       .message = message,
                       .lsn = logical->lsn,
                       .ordinal = ordinal_});
        return Taken::kept;
    }
    if (logical->transactional) {
        return std::unexpected(
            broken("a transactional message outside of any transaction", data.start));
    }
    if (logical->lsn.value <= last_commit_.value + 1) {
        return std::unexpected(broken("a message out of order", data.start));
    }
    if (logical->lsn <= wanted_from_) {
        last_commit_ = Lsn{logical->lsn.value - 1};
        received_up_to(logical->lsn);
        return Taken::done;
    }
    if (hold_at_ && logical->lsn.value > hold_at_->value) return Taken::held;
    took_messages_ = true;
    append_lone_message(data, *logical, batch);
    return Taken::kept;
}

void Assembler::append_lone_message(const pgoutput::XLogData& data,
                                    const pgoutput::LogicalMessage& logical, Batch& batch) {
    const Lsn commit{logical.lsn.value - 1};
    batch.transactions.push_back({.xid = {},
                                  .commit_lsn = commit,
                                  .end_lsn = logical.lsn,
                                  .committed_at = data.sent_at,
                                  .first = static_cast<std::uint32_t>(batch.changes.size()),
                                  .count = 0,
                                  .ends = true});
    auto* message = batch.arena.allocate<Message>(1);
    *message = {logical.prefix, logical.content, false};
    append(batch,
           {.operation = Operation::message, .message = message, .lsn = logical.lsn, .ordinal = 1});
    batch.end = Position::whole(commit);
    batch.resume_at = logical.lsn;
    last_commit_ = begun_ = commit;
    received_ = std::max(received_, logical.lsn);
}

// The current transaction's extent in the batch, begun now if it has none there yet.
Transaction& Assembler::transaction(Batch& batch) {
    if (!extent_open_) {
        batch.transactions.push_back({.xid = xid_,
                                      .commit_lsn = commit_lsn_,
                                      .end_lsn = {},
                                      .committed_at = committed_at_,
                                      .first = static_cast<std::uint32_t>(batch.changes.size()),
                                      .count = 0,
                                      .ends = false});
        extent_open_ = true;
    }
    return batch.transactions.back();
}

// One more of the server's changes, shown or not.
void Assembler::count(Batch& batch) noexcept {
    if (!extent_open_) transaction(batch);
    ++ordinal_;
    batch.end = {commit_lsn_, ordinal_};
}

void Assembler::append(Batch& batch, const Change& change) {
    batch.changes.push_back(change);
    ++batch.transactions.back().count;
}

void Assembler::hold(Batch& batch, KnownRelation& known) {
    if (known.held_in == batch_number_) [[likely]]
        return;
    known.held_in = batch_number_;
    batch.hold(known.relation);
}

// A row is found again by its whole key or not at all.
bool Assembler::wants_reselect(const Relation& relation, std::span<const Cell> row) const noexcept {
    if (!reselect_ || relation.key.empty()) return false;
    const auto is_text = [&](std::uint32_t place) { return row[place].state == Cell::State::text; };
    if (!std::ranges::all_of(relation.key, is_text)) return false;
    for (std::size_t i = 0; i < row.size(); ++i) {
        if (row[i].state == Cell::State::unchanged && relation.columns[i].captured) return true;
    }
    return false;
}

void Assembler::fill_reselected(Batch& batch, std::span<Cell> row) {
    const Reselected values = *std::exchange(provided_, std::nullopt);
    for (const Reselected::Column& column : values.columns) {
        if (column.place >= row.size()) continue;
        Cell& cell = row[column.place];
        if (cell.state != Cell::State::unchanged) continue;
        cell.reselected = true;
        cell.state = column.text ? Cell::State::text : Cell::State::null;
        const std::string_view bytes = column.text ? batch.arena.copy(*column.text) : "";
        cell.data = bytes.data();
        cell.size = static_cast<std::uint32_t>(bytes.size());
    }
}

std::optional<Lsn> Assembler::idle_at() const noexcept {
    if (in_transaction_ || in_block_ || in_prepared_ || idle_ < received_ || !idle_)
        return std::nullopt;
    return idle_;
}

Error Assembler::broken(std::string_view what, Lsn lsn, const KnownRelation* known) const {
    std::string where = "at " + to_string(lsn);
    if (known != nullptr && known->relation) where = qualified_name(*known->relation) + " " + where;
    return stop(Error::Category::protocol, "the server sent " + std::string{what})
        .at(std::move(where));
}

// A new stream announces all of them again, should it be us who forgot this one too early.
Error Assembler::unannounced(std::string_view what, Lsn lsn) const {
    Error error = broken(what, lsn);
    if (relations_.let_some_go()) error.next = Error::Next::retry;
    return error;
}

Error Assembler::broken(pgoutput::DecodeError error, Lsn lsn, const KnownRelation* known) const {
    return broken("what we can't decode: " + std::string{pgoutput::text(error)}, lsn, known);
}

}  // namespace pgc
