#include "simulation/fake_source.h"

#include <algorithm>
#include <string>

namespace pgc::sim {

using namespace std::chrono_literals;

namespace {

Error gone(std::string why) {
    return retry(Error::Category::connection, std::move(why));
}

std::shared_ptr<const Relation> any_table() {
    auto table = std::make_shared<Relation>();
    table->schema = "public";
    table->name = "t";
    return table;
}

}  // namespace

FakeSource::FakeSource(World& world, Server& server, const History& history, bool may_create_slot)
    : world_(world),
      server_(server),
      history_(history),
      may_create_slot_(may_create_slot),
      ready_at_(world.clock.now() + world.between(0ms, 5ms)),
      relation_(any_table()),
      fd_(world.open_descriptor([this] { return sender_ ? sender_->arrival(1) : kNever; })) {}

FakeSource::~FakeSource() {
    world_.close_descriptor(fd_);
    if (sender_) sender_->abandon();
}

Result<bool> FakeSource::open() {
    world_.step("open");
    if (world_.clock.now() < ready_at_) return false;
    if (!server_.up()) return std::unexpected(gone("could not connect"));
    if (server_.slot_active()) {
        return std::unexpected(gone("the slot is active for another process"));
    }
    bool is_new = false;
    if (server_.slot().lost) {
        return std::unexpected(stop(Error::Category::position, "the slot is lost"));
    }
    const bool is_gone = !server_.slot().exists && !may_create_slot_;
    if (!server_.slot().exists && may_create_slot_) {
        server_.create_slot();
        is_new = true;
        world_.step("slot created");
    }
    identity_ = {.system = server_.system(),
                 .timeline = server_.timeline(),
                 .history = server_.timelines(),
                 .database = "shop",
                 .slot = "slot",
                 .slot_is_new = is_new,
                 .slot_is_gone = is_gone,
                 .slot_confirmed = server_.slot().confirmed,
                 .server_end = server_.end()};
    server_end_ = server_.end();
    standby_ = server_.standby();
    cuts_ = server_.cuts();
    return true;
}

Result<void> FakeSource::start(Lsn from, std::string_view /*snapshot*/) {
    world_.step("start");
    if (auto still = connected(); !still) return still;
    if (cuts_ != server_.cuts()) return std::unexpected(gone("the connection was cut"));
    sender_ = std::make_unique<Walsender>(server_, from);
    certain_ = from;
    reported_at_ = world_.clock.now();
    return {};
}

Result<void> FakeSource::connected() {
    if (!server_.up()) return std::unexpected(gone("the server went away"));
    if (sender_ && !sender_->broken().empty()) return std::unexpected(gone(sender_->broken()));
    return {};
}

Result<Source::Read> FakeSource::read(Batch& batch, std::size_t max_changes,
                                      std::size_t max_bytes) {
    world_.step("read");
    while (const Sent* message = sender_->front()) {
        if (batch.changes.size() >= max_changes || batch.bytes >= max_bytes) return Read::more;
        if (ends_at_commit_ && !batch.transactions.empty() && batch.transactions.front().ends) {
            return Read::more;
        }
        take(*message, batch);
        sender_->pop();
    }
    if (auto still = connected(); !still) return std::unexpected(std::move(still.error()));
    return Read::caught_up;
}

void FakeSource::begin_part(Batch& batch, const Committed& transaction) const {
    if (!batch.transactions.empty() && batch.transactions.back().commit_lsn == transaction.commit) {
        return;
    }
    batch.transactions.push_back({.xid = transaction.xid,
                                  .commit_lsn = transaction.commit,
                                  .end_lsn = {},
                                  .committed_at = transaction.at,
                                  .first = static_cast<std::uint32_t>(batch.changes.size())});
}

void FakeSource::take(const Sent& message, Batch& batch) {
    if (message.kind == Sent::Kind::keepalive) {
        received_ = std::max(received_, message.lsn);
        server_end_ = std::max(server_end_, message.lsn);
        hurry_ = hurry_ || message.reply;
        return;
    }
    const Committed& transaction = history_.transactions[message.transaction];
    switch (message.kind) {
        case Sent::Kind::begin: inside_ = true; break;
        case Sent::Kind::row: {
            begin_part(batch, transaction);
            const Row& row = transaction.rows[message.row];
            Change change;
            change.operation = row.operation;
            change.relation = relation_.get();
            change.lsn = row.lsn;
            change.ordinal = message.row + 1;
            batch.changes.push_back(change);
            batch.hold(relation_);
            ++batch.transactions.back().count;
            batch.bytes += 40 + row.padding;
            batch.end = {transaction.commit, change.ordinal};
            break;
        }
        case Sent::Kind::commit:
            begin_part(batch, transaction);
            batch.transactions.back().ends = true;
            batch.transactions.back().end_lsn = transaction.end;
            batch.end = Position::whole(transaction.commit);
            batch.resume_at = transaction.end;
            received_ = std::max(received_, transaction.end);
            server_end_ = std::max(server_end_, transaction.end);
            inside_ = false;
            break;
        default: break;  // streaming is not asked for
    }
}

std::optional<Lsn> FakeSource::idle_at() const {
    if (inside_ || received_ == Lsn{}) return std::nullopt;
    return received_;
}

void FakeSource::confirm(Lsn lsn, bool now) {
    confirmed_ = std::max(confirmed_, lsn);
    hurry_ = hurry_ || now;
}

Result<void> FakeSource::service() {
    world_.step("service");
    if (auto still = connected(); !still) return still;
    if (standby_ && world_.clock.now() >= look_at_) {
        look_at_ = world_.clock.now() + kLook;
        if (server_.timeline() != identity_.timeline) {
            return std::unexpected(gone("the standby has gone over to another timeline"));
        }
        certain_ = server_.replayed();
    }
    if (hurry_ || world_.clock.now() - reported_at_ >= kFeedback) {
        hurry_ = false;
        reported_at_ = world_.clock.now();
        sender_->feedback(confirmed_, false);
        world_.step("feedback sent");
    }
    return connected();
}

void FakeSource::wants(Wants& wants, bool reading) const {
    if (!sender_) {
        wants.until(std::max(ready_at_, world_.clock.now() + 1ms));
        return;
    }
    wants.until(reported_at_ + kFeedback);
    if (standby_) wants.until(look_at_);
    if (reading) wants.readable(fd_);
}

Result<bool> FakeSource::close() {
    world_.step("close");
    if (hurry_) (void)service();
    if (sender_) sender_->cut("closed by us");
    sender_.reset();
    return true;
}

Result<bool> FakeFormat::encode_mark(const TransactionMark& mark, RecordBatch& out) {
    world_.step("a mark is encoded");
    const bool ends = mark.kind == TransactionMark::Kind::end;
    Record record;
    record.has_key = true;
    record.key = out.arena.copy(to_string(mark.commit_lsn));
    record.value = out.arena.copy(ends ? "end " + std::to_string(mark.events) : "begin");
    record.commit_lsn = mark.commit_lsn;
    record.ordinal = mark.ordinal;
    out.records.push_back(record);
    return true;
}

Result<bool> FakeFormat::encode_heartbeat(WallTime at, RecordBatch& out) {
    world_.step("a heartbeat is encoded");
    Record record;
    record.destination = Destination::heartbeats;
    record.operation = Operation::message;
    record.value = out.arena.copy(std::to_string(at.unix_us));
    out.records.push_back(record);
    return true;
}

Result<Encoded> FakeFormat::encode(const Batch& batch, std::size_t from, RecordBatch& out) {
    world_.step("encode");
    for (const Transaction& part : batch.transactions) {
        const Committed& transaction = history_.transactions[history_.first_from(part.commit_lsn)];
        const std::size_t end = std::size_t{part.first} + part.count;
        for (std::size_t i = std::max<std::size_t>(part.first, from); i < end; ++i) {
            const Change& change = batch.changes[i];
            const Row& row = transaction.rows[change.ordinal - 1];
            if (row.table == filtered_) {
                if (!refuses_) continue;
                const bool another = refuses_another && i + 1 < end;
                return Encoded::refused(i + (another ? 1 : 0),
                                        stop(Error::Category::data, "a row it does not like"));
            }
            Record record;
            record.has_key = true;
            record.key = out.arena.copy(std::to_string(row.key));
            record.value = out.arena.copy(token(row) + std::string(row.padding, 'x'));
            record.commit_lsn = part.commit_lsn;
            record.ordinal = change.ordinal;
            record.change = static_cast<std::uint32_t>(i);
            out.records.push_back(record);
        }
    }
    return Encoded::all(batch.changes.size());
}

}  // namespace pgc::sim
