#include "simulation/server.h"

#include <algorithm>
#include <utility>

namespace pgc::sim {

using namespace std::chrono_literals;

Server::Server(World& world, History& history, Oracle& oracle, const Workload& workload)
    : world_(world),
      history_(history),
      oracle_(oracle),
      workload_(workload),
      left_(workload.transactions),
      living_(kTables) {
    for (std::uint32_t table = 0; table < kTables; ++table) identities_[table] = identity_of(table);
    while (workload_.rows_before > history_.rows) commit_one();
    hanging_.clear();
    schedule_commit();
    look_around();
}

void Server::look_around() {
    const auto senders = senders_;
    for (Walsender* sender : senders) sender->pump();
    world_.after(kLooksAround, [this] { look_around(); });
}

void Server::schedule_commit() {
    if (workload_done()) return;
    world_.after(world_.between(0ms, workload_.pause_max), [this] {
        if (up_ && !shutting_down_ && !workload_done()) {
            if (world_.random.chance(15)) end_.value += 1 + world_.random.below(500);  // neighbours
            go_on();
            if (left_ > 0) --left_;
        }
        schedule_commit();
    });
}

void Server::go_on() {
    Random& random = world_.random;
    if (!undecided_.empty() && (left_ == 0 || random.chance(25))) return decide_one();
    if (workload_.prepares > 0 && random.chance(workload_.prepares)) return prepare_one();
    commit_one();
}

Row Server::random_row() {
    Random& random = world_.random;
    Row row;
    row.table = static_cast<std::uint32_t>(random.below(kTables));
    row.columns = tables_[row.table].columns;
    row.version = ++versions_;
    row.padding = random.below(workload_.padding_max + 1);
    if (random.chance(1)) row.padding *= 50;
    const auto dice = random.below(10);
    return living_[row.table].empty() || dice < 5 ? new_row(row) : changed_row(row, dice);
}

Row Server::new_row(Row row) {
    row.key = free_key(row.table);
    row.note = row.version;
    living_[row.table].push_back({row.key, row.note});
    return row;
}

Row Server::changed_row(Row row, std::uint64_t dice) {
    Random& random = world_.random;
    auto& living = living_[row.table];
    if (random.chance(1) && !no_truncation_ && can_alter(row.table)) {
        row.operation = Operation::truncate;
        living.clear();
        return row;
    }
    const auto at = random.below(living.size());
    if (hangs(row.table, living[at].key)) return new_row(row);  // it is locked
    const bool refused = identities_[row.table] == 'n' &&
                         publications_.publishes(kPublished, row.table, Operation::update);
    if (refused) return new_row(row);
    row.key = living[at].key;
    row.note = living[at].note;
    if (dice < 8) {
        row.operation = Operation::update;
        if (random.chance(10)) {
            row.old_key = row.key;
            row.key = living[at].key = free_key(row.table);
        }
        return row;
    }
    row.operation = Operation::remove;
    living[at] = living.back();
    living.pop_back();
    return row;
}

// Mostly a new one; or one that nobody has, or has any more.
std::int64_t Server::free_key(std::uint32_t table) {
    if (world_.random.chance(30)) {
        const auto key = static_cast<std::int64_t>(
            1 + world_.random.below(static_cast<std::uint64_t>(next_key_)));
        const bool taken =
            std::ranges::any_of(living_[table], [&](const Living& one) { return one.key == key; });
        if (!taken && key < next_key_ && !hangs(table, key)) return key;
    }
    next_key_ += 1 + static_cast<std::int64_t>(world_.random.below(3));
    return next_key_ - 1;
}

void Server::commit_one() {
    Random& random = world_.random;
    Committed transaction;
    transaction.xid = {next_xid_++};
    transaction.at = world_.clock.wall();
    std::size_t rows = random.below(workload_.rows_max + 1);  // none: empty, or not published
    if (workload_.giant && left_ == workload_.transactions / 2) rows = 400;
    // Rows of a transaction that overlaps others lie before those others' commits; and a COPY
    // gives all its rows one place.
    const bool copy = random.chance(10);
    Lsn at{end_.value - random.below(std::min<std::uint64_t>(end_.value - 0x900, 300))};
    alter_tables();
    for (std::size_t i = 0; i < rows; ++i) {
        Row row = random_row();
        if (!copy) at.value += 20 + random.below(60);
        row.lsn = at;
        world_.note(name(row.operation), " ", name_of(row.table), " ", std::to_string(row.old_key),
                    " ", std::to_string(row.key), " ", token(row), " ", note_of(row));
        if (publish(row)) transaction.rows.push_back(row);
    }
    // The end of one is often where the next one begins.
    transaction.commit = {std::max(end_.value, at.value) + random.below(2) * 30};
    transaction.end = {transaction.commit.value + 34 + random.below(30)};
    world_.note("committed at ", to_string(transaction.commit));
    end_ = transaction.end;
    for (const Row& row : transaction.rows) apply(tables_, row);
    const bool truncates = std::ranges::any_of(
        transaction.rows, [](const Row& row) { return row.operation == Operation::truncate; });
    if (!transaction.rows.empty() && !truncates && random.chance(workload_.hang)) {
        hanging_.push_back({history_.transactions.size(),
                            world_.clock.now() + world_.between(0ms, workload_.hang_max)});
        world_.note("commit at ", to_string(transaction.commit), " hangs");
    }
    history_.add(std::move(transaction));
    for (Walsender* sender : senders_) sender->pump();
}

// False: no publication has it. Of an insert that must not be, wherever its table moves.
bool Server::publish(Row& row) {
    row.identity = identities_[row.table];
    if (!workload_.identities || !oracle_.begun()) return true;
    const bool first = publications_.publishes(kPublished, row.table, row.operation);
    const bool second = publications_.publishes(kPublishedInserts, row.table, row.operation);
    row.published = static_cast<std::uint8_t>((first ? 1 : 0) | (second ? 2 : 0));
    const bool inserts = row.operation == Operation::insert;
    if (row.published == 0 && inserts) {
        world_.fail("an INSERT into " + name_of(row.table) + " is in no publication");
    }
    if (inserts && std::exchange(published_by_[row.table], row.published) != row.published) {
        ++moves_;
    }
    return row.published != 0;
}

// Each of its own, before the transaction that comes.
void Server::alter_tables() {
    Random& random = world_.random;
    const auto some_table = [&] { return static_cast<std::uint32_t>(random.below(kTables)); };
    if (workload_.alters && random.chance(5)) {
        if (const auto table = some_table(); can_alter(table)) ++tables_[table].columns;
    }
    if (workload_.identities && random.chance(15)) {
        char& identity = identities_[random.chance(50) ? 0 : 2];
        identity = identity == 'n' ? 'd' : 'n';
        world_.note("a replica identity is ", identity == 'n' ? "lost" : "gained");
    }
    if (random.chance(workload_.rewrites)) {
        if (const auto table = some_table(); can_alter(table)) ++tables_[table].file;
    }
}

Instant Server::hanging_until() const {
    Instant until = world_.clock.now();
    for (const Hanging& one : hanging_) until = std::max(until, one.until);
    return until;
}

bool Server::hangs(std::uint32_t table, std::int64_t key) const {
    if (is_prepared(table, key)) return true;
    return std::ranges::any_of(hanging_, [&](const Hanging& one) {
        if (one.until <= world_.clock.now()) return false;
        return std::ranges::any_of(
            history_.transactions[one.transaction].rows, [&](const Row& row) {
                return row.table == table && (row.key == key || row.old_key == key || key == 0);
            });
    });
}

// Nobody else has a lock on it.
bool Server::can_alter(std::uint32_t table) const {
    return readers_[table] == 0 && !hangs(table, 0);
}

std::shared_ptr<const Tables> Server::visible() const {
    auto tables = std::make_shared<Tables>();
    for (std::size_t i = 0; i < history_.transactions.size(); ++i) {
        const bool hidden = std::ranges::any_of(hanging_, [&](const Hanging& one) {
            return one.transaction == i && one.until > world_.clock.now();
        });
        if (hidden) continue;
        for (const Row& row : history_.transactions[i].rows) apply(*tables, row);
    }
    for (std::uint32_t i = 0; i < kTables; ++i) {
        (*tables)[i].columns = tables_[i].columns;
        (*tables)[i].file = tables_[i].file;
    }
    return tables;
}

void Server::create_slot(bool two_phase) {
    decide_all();
    end_.value += 56;  // a record of its own comes before the consistent point
    slot_ = {.exists = true,
             .lost = false,
             .confirmed = end_,
             .saved = end_,
             .held_until = {},
             .held_for = 0,
             .two_phase = two_phase,
             .two_phase_at = end_};
    if (!oracle_.begun()) oracle_.begins_at(end_);
    oracle_.slot_stands_at(end_);
    world_.note("slot created at ", to_string(end_));
}

bool Server::end_stale_walsender() noexcept {
    if (!senders_.empty() || !slot_active() || slot_.held_for != world_.life()) return false;
    release_slot();
    return true;
}

void Server::cut_all(const std::string& why) {
    ++cuts_;
    const auto senders = senders_;
    for (Walsender* sender : senders) sender->cut(why);
}

void Server::end_walsender() {
    const auto senders = senders_;
    for (Walsender* sender : senders) sender->cut("terminating connection by an administrator");
}

std::optional<std::size_t> Server::holder() const {
    if (senders_.empty()) return std::nullopt;
    return senders_.front()->instance_;
}

void Server::shut_down(Duration down) {
    if (!up_ || shutting_down_) return;
    world_.note("server shuts down");
    shutting_down_ = down;
    all_durable_since_ = world_.clock.now();
    go_on_shutting_down();
}

void Server::go_on_shutting_down() {
    if (!shutting_down_ || !up_) return;
    if (!oracle_.complete() || !oracle_.can_store()) all_durable_since_ = world_.clock.now();
    const bool held_up = std::ranges::any_of(senders_, [&](const Walsender* sender) {
        return slot_.confirmed < end_ && !sender->hole_;
    });
    if (held_up && world_.clock.now() - all_durable_since_ > kShutdown_max) {
        world_.fail("a shutdown waits for us, though everything is durable");
    }
    if (held_up) {
        for (Walsender* sender : senders_) sender->pump();
        world_.after(100ms, [this] { go_on_shutting_down(); });
        return;
    }
    checkpoint();
    crash(*std::exchange(shutting_down_, std::nullopt));
}

void Server::black_hole() {
    world_.note("the network swallows everything");
    holes_.push_back({world_.clock.now(), cuts_});
    for (Walsender* sender : senders_) sender->sink_into_a_hole();
}

void Server::crash(Duration down) {
    world_.note("server goes down; slot back from ", to_string(slot_.confirmed), " to ",
                to_string(slot_.saved));
    up_ = false;
    ++starts_;
    hanging_.clear();
    shutting_down_.reset();
    cut_all("the server went down");
    slot_.confirmed = slot_.saved;
    slot_.held_until = {};
    world_.after(down, [this] {
        world_.note("server is back");
        up_ = true;
    });
}

void Server::checkpoint() {
    slot_.saved = slot_.confirmed;
}

void Server::promote() {
    world_.note("standby promoted at ", to_string(end_));
    if (std::exchange(standby_, false) && up_ && !shutting_down_) {
        history_of_timelines_.push_back({timeline_++, end_});
        return;
    }
    cut_all("the server was replaced by its standby");
    ++starts_;
    hanging_.clear();
    slot_.held_until = {};
    slot_.confirmed = slot_.saved;
    history_of_timelines_.push_back({timeline_, end_});
    ++timeline_;
}

void Server::drop_slot() {
    world_.note("slot dropped");
    slot_ = {};
    oracle_.slot_stands_at({});
}

void Server::recreate_slot() {
    create_slot();
}

void Server::invalidate_slot() {
    world_.note("slot invalidated");
    slot_.lost = true;
    oracle_.slot_stands_at({});
}

void Server::advance_slot() {
    end_.value += 100;
    slot_.confirmed = slot_.saved = end_;
    oracle_.slot_stands_at(end_);
    world_.note("slot advanced to ", to_string(end_));
}

void Server::lose_log(Lsn back_to) {
    world_.note("log diverges at ", to_string(back_to));
    std::uint32_t left = timeline_;
    while (!history_of_timelines_.empty() && history_of_timelines_.back().at > back_to) {
        left = history_of_timelines_.back().timeline;
        history_of_timelines_.pop_back();
    }
    history_of_timelines_.push_back({left, back_to});
    ++timeline_;
    slot_.confirmed = slot_.saved = std::min(slot_.saved, back_to);
    end_.value += 1000;  // the new timeline has gone on meanwhile
}

void Server::replace_system() {
    world_.note("another system answers");
    system_ = "7999999999999999999";
    slot_.confirmed = slot_.saved = std::min(slot_.confirmed, oracle_.stored());
}

Walsender::Walsender(Server& server, Lsn from, std::uint8_t publications, bool streams,
                     bool two_phase)
    : server_(server),
      publications_(publications),
      instance_(server.world_.instance()),
      heard_(server.world_.clock.now()) {
    // The server goes ahead to what was confirmed, without a word.
    const Lsn start = std::max(from, server.slot_.confirmed);
    next_ = server.history_.first_from(start);
    reported_ = start;
    if (streams) streams_.emplace(server.world_, server.history_, publications, server.streamed_);
    if (two_phase) sends_prepared(start);
    server.senders_.push_back(this);
    server.oracle_.streaming_begins(start);
    pump();
}

Walsender::~Walsender() {
    std::erase(server_.senders_, this);
}

void Walsender::cut(std::string why) {
    server_.world_.note("cut: ", why);
    broken_ = std::move(why);
    outbox_.clear();
    std::erase(server_.senders_, this);
}

void Walsender::abandon() {
    if (!broken_.empty()) return;
    std::erase(server_.senders_, this);
    broken_ = "gone";
    server_.slot_.held_until = server_.world_.clock.now() + server_.world_.between(0ms, 3s);
    server_.slot_.held_for = server_.world_.life();
}

void Walsender::send(Sent message) {
    const Instant soon = server_.world_.clock.now() + server_.world_.between(0us, 2ms);
    message.arrives = outbox_.empty() ? soon : std::max(soon, outbox_.back().arrives);
    outbox_.push_back(message);
    server_.world_.after(message.arrives - server_.world_.clock.now(), [] {});
}

// Before the next transaction begins: perhaps something of those to come, and what is left of this
// one if it was streamed. True: it was.
bool Walsender::stream() {
    if (!streams_ || row_) return false;
    const auto send = [this](const Sent& message) { this->send(message); };
    streams_->some(next_, send);
    return streams_->commit(next_, send);
}

// Fills what is in flight; then, when all is sent, says so.
void Walsender::pump() {
    if (!broken_.empty()) return;
    const auto& transactions = server_.history_.transactions;
    while (outbox_.size() < kInFlight) {
        if (send_of_two_phases()) continue;
        if (next_ == transactions.size()) break;
        const Committed& transaction = transactions[next_];
        if (stream()) {
            ++next_;
            continue;
        }
        if (transaction.rows.empty() && transaction.xid.value % 2 == 0) {
            ++next_;  // newer servers don't send empty ones
            continue;
        }
        if (!row_) {
            send({.kind = Sent::Kind::begin, .transaction = next_, .lsn = {}, .arrives = {}});
            row_ = 0;
        } else if (*row_ < transaction.rows.size() &&
                   (transaction.rows[*row_].published & publications_) == 0) {
            ++*row_;  // none of those that were asked for has it
        } else if (*row_ < transaction.rows.size()) {
            send({.kind = Sent::Kind::row,
                  .transaction = next_,
                  .row = (*row_)++,
                  .lsn = {},
                  .arrives = {}});
        } else {
            send({.kind = Sent::Kind::commit, .transaction = next_, .lsn = {}, .arrives = {}});
            row_.reset();
            ++next_;
        }
    }
    const bool all_sent = next_ == transactions.size() && !row_;
    if (all_sent && server_.end_ > reported_ && outbox_.size() < kInFlight) {
        reported_ = server_.end_;
        send({.kind = Sent::Kind::keepalive, .lsn = reported_, .arrives = {}});
    }
    const Duration silence = server_.world_.clock.now() - heard_;
    if (silence > Server::kPatience) {
        cut("terminating walsender process due to replication timeout");
    } else if (silence > Server::kPatience / 2 && !asked_) {
        asked_ = true;
        send({.kind = Sent::Kind::keepalive, .lsn = reported_, .reply = true, .arrives = {}});
    }
}

const Sent* Walsender::front() {
    pump();
    if (hole_ || outbox_.empty() || outbox_.front().arrives > server_.world_.clock.now())
        return nullptr;
    return &outbox_.front();
}

Instant Walsender::arrival(std::size_t messages) const {
    if (!broken_.empty()) return Instant{};
    if (hole_ || outbox_.size() < messages) return kNever;
    return outbox_[messages - 1].arrives;
}

void Walsender::feedback(Lsn flush, bool wants_reply) {
    if (!broken_.empty() || hole_) return;
    pump();  // a connection that timed out takes no feedback any more
    if (!broken_.empty()) return;
    heard_ = server_.world_.clock.now();
    asked_ = false;
    if (server_.forgets_prepared_) flush = std::max(flush, server_.oracle_.stored());
    server_.oracle_.confirmed(flush);
    server_.slot_.confirmed = std::max(server_.slot_.confirmed, flush);
    if (wants_reply) send({.kind = Sent::Kind::keepalive, .lsn = reported_, .arrives = {}});
}

}  // namespace pgc::sim
