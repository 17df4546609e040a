// What of the server has to do with prepared transactions: they take part in the workload, survive
// its crashes, and are sent when they are prepared where that is asked for.
#include <algorithm>
#include <utility>

#include "simulation/server.h"

namespace pgc::sim {

using namespace std::chrono_literals;

void Server::prepare_one() {
    Random& random = world_.random;
    Prepared prepared;
    prepared.xid = {next_xid_++};
    // What is rolled back touches nothing that others see.
    const bool doomed = random.chance(30);
    Lsn at{end_.value - random.below(std::min<std::uint64_t>(end_.value - 0x900, 300))};
    no_truncation_ = true;
    for (std::size_t i = random.below(workload_.rows_max + 1); i > 0; --i) {
        Row row = doomed ? lost_row() : random_row();
        at.value += 20 + random.below(60);
        row.lsn = at;
        row.identity = identities_[row.table];
        prepared.rows.push_back(row);
    }
    no_truncation_ = false;
    prepared.doomed = doomed;
    prepared.at = {std::max(end_.value, at.value) + random.below(2) * 30};
    prepared.end = end_ = {prepared.at.value + 40 + random.below(30)};
    world_.note("prepared at ", to_string(prepared.at), doomed ? ", to be rolled back" : "");
    undecided_.push_back(history_.prepared.size());
    history_.prepared.push_back(std::move(prepared));
    ++two_phase_counts_.prepared;
    for (Walsender* sender : senders_) sender->pump();
}

Row Server::lost_row() {
    Row row;
    row.table = static_cast<std::uint32_t>(world_.random.below(kTables));
    row.key = 1 + static_cast<std::int64_t>(world_.random.below(1000));
    row.columns = tables_[row.table].columns;
    row.version = ++versions_;
    return row;
}

void Server::decide_one() {
    Random& random = world_.random;
    const std::size_t which = random.below(undecided_.size());
    const std::size_t number = undecided_[which];
    undecided_.erase(undecided_.begin() + static_cast<std::ptrdiff_t>(which));
    const Prepared& prepared = history_.prepared[number];
    const Lsn decided{end_.value + random.below(2) * 30};
    end_ = {decided.value + 34 + random.below(30)};
    world_.note(prepared.doomed ? "rolled back at " : "committed at ", to_string(decided),
                ", prepared at ", to_string(prepared.at));
    if (prepared.doomed) {
        history_.rollbacks.push_back({.prepared = number, .at = decided, .end = end_});
    } else {
        for (const Row& row : prepared.rows) apply(tables_, row);
        history_.add({.xid = prepared.xid,
                      .commit = decided,
                      .end = end_,
                      .at = world_.clock.wall(),
                      .rows = prepared.rows,
                      .prepared = number});
    }
    for (Walsender* sender : senders_) sender->pump();
}

// A slot that is made waits for them.
void Server::decide_all() {
    while (!undecided_.empty()) decide_one();
}

bool Server::is_prepared(std::uint32_t table, std::int64_t key) const {
    return std::ranges::any_of(undecided_, [&](std::size_t number) {
        const Prepared& prepared = history_.prepared[number];
        return std::ranges::any_of(prepared.rows, [&](const Row& row) {
            return row.table == table && (row.key == key || row.old_key == key || key == 0);
        });
    });
}

void Walsender::sends_prepared(Lsn start) {
    Server::Slot& slot = server_.slot_;
    if (!std::exchange(slot.two_phase, true)) slot.two_phase_at = start;
    const History& history = server_.history_;
    two_phase_ = TwoPhase{.from = start};
    while (two_phase_->prepared < history.prepared.size() &&
           history.prepared[two_phase_->prepared].at < start) {
        ++two_phase_->prepared;
    }
    while (two_phase_->rollback < history.rollbacks.size() &&
           history.rollbacks[two_phase_->rollback].at < start) {
        ++two_phase_->rollback;
    }
}

// What is prepared or rolled back before the next commit is sent before it. False: nothing is.
bool Walsender::send_of_two_phases() {
    if (!two_phase_ || row_) return false;
    const History& history = server_.history_;
    const Lsn none{~std::uint64_t{0}};
    const auto& all = history.transactions;
    const Lsn commit = next_ < all.size() ? all[next_].commit : none;
    const Lsn prepare = two_phase_->prepared < history.prepared.size()
                            ? history.prepared[two_phase_->prepared].at
                            : none;
    const Lsn rollback = two_phase_->rollback < history.rollbacks.size()
                             ? history.rollbacks[two_phase_->rollback].at
                             : none;
    if (prepare < std::min(commit, rollback)) {
        const std::size_t number = two_phase_->prepared++;
        // What was prepared before the slot was asked for such comes when it is committed.
        if (prepare >= server_.slot_.two_phase_at) send_prepared(number);
        return true;
    }
    if (rollback < commit) {
        const std::size_t which = two_phase_->rollback++;
        if (history.prepared[history.rollbacks[which].prepared].at >= two_phase_->from ||
            server_.world_.random.chance(50)) {
            send({.kind = Sent::Kind::rollback_prepared,
                  .transaction = which,
                  .lsn = {},
                  .arrives = {}});
        }
        return true;
    }
    if (commit == none || !all[next_].prepared) return false;
    const std::size_t number = *all[next_].prepared;
    if (history.prepared[number].at < server_.slot_.two_phase_at) send_prepared(number);
    ++server_.two_phase_counts_.decided;
    send({.kind = Sent::Kind::commit_prepared, .transaction = next_++, .lsn = {}, .arrives = {}});
    return true;
}

void Walsender::send_prepared(std::size_t number) {
    const Prepared& prepared = server_.history_.prepared[number];
    Sent message{.transaction = number,
                 .lsn = {},
                 .arrives = {},
                 .xid = prepared.xid.value,
                 .sub_xid = prepared.xid.value,
                 .first = true,
                 .of_prepared = true};
    const auto one = [&](Sent::Kind kind) {
        message.kind = kind;
        send(message);
    };
    const bool streams = streams_ && !prepared.rows.empty() && server_.world_.random.chance(40);
    one(streams ? Sent::Kind::stream_start : Sent::Kind::begin_prepare);
    for (message.row = 0; message.row < prepared.rows.size(); ++message.row) {
        one(streams ? Sent::Kind::stream_row : Sent::Kind::row);
    }
    if (streams) one(Sent::Kind::stream_stop);
    one(streams ? Sent::Kind::stream_prepare : Sent::Kind::prepare);
}

}  // namespace pgc::sim
