#include "simulation/wire_link.h"

#include <fmt/core.h>

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <utility>

#include "base/byte_cursor.h"
#include "pgclient/server_errors.h"
#include "support/walsender_messages.h"
#include "support/wire.h"

namespace pgc::sim {

using namespace std::chrono_literals;
namespace wire = pgc::testing;

namespace {

constexpr std::size_t kTypicalMessage = 80;

Answered refusal(std::string_view sqlstate, std::string_view message) {
    return {std::unexpected(server_error({.sqlstate = sqlstate, .message = message})),
            std::string{sqlstate}};
}

CopyMessage copy_of(std::string_view bytes) {
    char* data = static_cast<char*>(std::malloc(bytes.size()));
    std::memcpy(data, bytes.data(), bytes.size());
    return {data, bytes.size()};
}

}  // namespace

WireLink::WireLink(const Place& place, LinkFactory::Use use)
    : world_(place.world),
      server_(place.server),
      history_(place.history),
      catalog_(place.catalog),
      local_(place.local),
      fd_(world_.open_descriptor([this] { return readable_at(); })),
      connected_at_(world_.clock.now() + world_.between(0ms, 3ms)),
      cuts_(server_.cuts()),
      holes_(server_.holes()),
      slots_(place.slots),
      reading_(place.reading),
      one_publication_(place.one_publication),
      loses_aborts_(place.loses_aborts),
      publishes_at_prepare_(place.publishes_at_prepare),
      counts_(place.counts),
      refused_(use == LinkFactory::Use::sql && world_.random.chance(reading_.refused)) {
    world_.note("connection ", std::to_string(fd_), use == LinkFactory::Use::sql ? " for SQL" : "");
    if (use == LinkFactory::Use::sql) {
        session_.emplace(world_, server_, slots_, reading_, counts_);
    }
}

WireLink::~WireLink() {
    world_.close_descriptor(fd_);
    if (sender_) sender_->abandon();
    if (slot_) slots_.leave(slot_);
}

Instant WireLink::readable_at() const {
    if (broken()) return Instant{};
    if (lost_in_a_hole()) return given_up_at();
    if (ends_at_) return *ends_at_;
    if (copy_) return std::min(copy_->next_at, cut_at_);
    if (creating_)
        return slot_->state == SlotMaker::State::making
                   ? kNever
                   : std::max(answered_at_, slot_->reported_at);
    if (answer_) return std::min(answered_at_, cut_at_);
    if (sender_) return sender_->arrival(1 + low_water_ / kTypicalMessage);
    return connected_at_;
}

std::optional<Error> WireLink::broken() const {
    if (lost_in_a_hole()) {
        if (world_.clock.now() < given_up_at()) return std::nullopt;
        return lost_error("could not receive data from server: Connection timed out");
    }
    const bool cut = cut_ || world_.clock.now() >= cut_at_;
    if (!server_.up() || cuts_ != server_.cuts() || cut) {
        return lost_error("server closed the connection unexpectedly");
    }
    if (sender_ && !sender_->broken().empty()) return lost_error(sender_->broken());
    if (server_.shutting_down() && (slot_ || (session_ && session_->reading()))) {
        return lost_error("terminating connection due to administrator command");
    }
    return std::nullopt;
}

Result<Link::Connecting> WireLink::connect() {
    world_.step("connecting");
    if (auto error = broken()) return std::unexpected(std::move(*error));
    if (lost_in_a_hole() || world_.clock.now() < connected_at_) return Connecting::wait_readable;
    const bool late = !session_ && server_.shutting_down();
    if (refused_ || late) return std::unexpected(lost_error("Connection refused"));
    return Connecting::done;
}

Result<void> WireLink::ask(std::string_view command, Catalog::Parameters parameters) {
    world_.step("send");
    if (auto error = broken()) return std::unexpected(std::move(*error));
    sqlstate_.clear();
    world_.note("on ", std::to_string(fd_), ": ", command.substr(0, command.find('\n')));
    if (lost_in_a_hole()) {
        answer_ = Answered{Rows{}};
        answered_at_ = kNever;
        return {};
    }
    if (slot_) SlotMaker::end_snapshot(*slot_);
    if (command.starts_with("START_REPLICATION")) {
        answer_soon(start_replication(command));
    } else if (command.starts_with("CREATE_REPLICATION_SLOT")) {
        create_slot(command);
    } else if (command.starts_with("DROP_REPLICATION_SLOT")) {
        const auto name = command.substr(command.find('"') + 1);
        const bool dropped = slots_.drop(name.substr(0, name.find('"')));
        slot_.reset();
        answer_soon(dropped ? Answered{Rows{}} : refusal("42704", "there is no such slot"));
    } else {
        auto answer = session_ ? session_->answer(command) : std::nullopt;
        answer_soon(answer ? std::move(*answer) : catalog_.answer(command, parameters));
    }
    world_.step("sent");
    return {};
}

void WireLink::create_slot(std::string_view command) {
    const auto name = command.substr(command.find('"') + 1);
    const auto has = [&](std::string_view word) {
        return command.find(word) != std::string_view::npos;
    };
    slot_ = slots_.begin(std::string{name.substr(0, name.find('"'))}, has(" TEMPORARY "),
                         has(" EXPORT_SNAPSHOT") || has("'export'"), has("TWO_PHASE true"));
    if (!slot_) return answer_soon(refusal("42710", "replication slot already exists"));
    creating_ = true;
    answered_at_ = world_.clock.now() + world_.between(0us, 2ms);
}

Answered WireLink::slot_made() const {
    if (slot_->state == SlotMaker::State::failed) {
        return refusal("57P01", "terminating connection due to administrator command");
    }
    Rows rows;
    rows.columns = {"slot_name", "consistent_point", "snapshot_name", "output_plugin"};
    const auto snapshot =
        slot_->exports ? std::optional{slot_->snapshot} : std::optional<std::string>{};
    rows.rows.push_back({slot_->name, to_string(slot_->at), snapshot, "pgoutput"});
    return {std::move(rows)};
}

void WireLink::answer_soon(Answered answer) {
    answer_ = std::move(answer);
    const Duration delay = world_.between(0us, 2ms);
    answered_at_ = world_.clock.now() + delay;
    world_.after(delay, [] {});
}

Answered WireLink::start_replication(std::string_view command) {
    if (!server_.slot().exists) return refusal("42704", "replication slot does not exist");
    if (server_.slot().lost) {
        return refusal("55000", "can no longer get changes from replication slot");
    }
    if (server_.slot_active()) return refusal("55006", "replication slot is active");
    const auto at = command.find("LOGICAL ") + 8;
    const auto from = parse_lsn(command.substr(at, command.find(' ', at) - at));
    if (!from) return refusal("42601", "syntax error");
    binary_ = command.find("binary 'true'") != std::string_view::npos;
    std::uint8_t asked = 3;
    if (const Publications* listing = server_.publications()) {
        const auto has = [&](std::string_view name) {
            return command.find(fmt::format("\"{}\"", name)) != std::string_view::npos;
        };
        asked = static_cast<std::uint8_t>((has(kPublished) ? 1 : 0) |
                                          (has(kPublishedInserts) && !one_publication_ ? 2 : 0));
        if ((has(kPublished) && !listing->find(kPublished)) ||
            (has(kPublishedInserts) && !listing->find(kPublishedInserts))) {
            return refusal("42704", "a publication does not exist");
        }
    }
    const bool streams = command.find("streaming 'on'") != std::string_view::npos;
    const bool two_phase = command.find("two_phase 'on'") != std::string_view::npos;
    sender_ = std::make_unique<Walsender>(server_, *from, asked, streams, two_phase);
    return {Rows{}};
}

Result<std::optional<Rows>> WireLink::result() {
    world_.step("result");
    if (auto error = broken()) return std::unexpected(std::move(*error));
    if (creating_) {
        if (slot_->state == SlotMaker::State::making) return std::nullopt;
        if (world_.clock.now() < slot_->reported_at) return std::nullopt;
        creating_ = false;
        answer_ = slot_made();
    }
    if (!answer_) {
        return std::unexpected(
            stop(Error::Category::internal, "an answer to nothing was asked for"));
    }
    if (lost_in_a_hole() || world_.clock.now() < answered_at_) return std::nullopt;
    if (session_) copy_ = session_->take_copy();
    Answered answer = std::move(*answer_);
    answer_.reset();
    sqlstate_ = answer.sqlstate;
    if (!answer.rows) return std::unexpected(std::move(answer.rows.error()));
    return std::optional{std::move(*answer.rows)};
}

Result<Link::Drained> WireLink::drain(std::vector<CopyMessage>& out, std::size_t max_messages,
                                      std::size_t max_bytes, std::size_t& received) {
    world_.step("drain");
    if (copy_) {
        if (auto error = broken()) return std::unexpected(std::move(*error));
        return drain_copy(out, max_messages, max_bytes, received);
    }
    std::size_t messages = 0;
    std::size_t bytes = 0;
    const auto give = [&](std::string_view message) {
        out.push_back(copy_of(message));
        bytes += message.size();
        ++messages;
    };
    while (const Sent* message = lost_in_a_hole() ? nullptr : sender_->front()) {
        if (messages >= max_messages || bytes >= max_bytes) {
            received += bytes;
            return Drained::limit;
        }
        if (announced_.empty()) announced_ = declaration(*message);
        if (!announced_.empty()) {
            give(announced_.front());
            announced_.pop_front();
            continue;  // the limits hold for it too
        }
        const bool lost = loses_aborts_ && message->kind == Sent::Kind::stream_abort;
        if (const std::string text = encoded(*message); !lost && !text.empty()) give(text);
        told(*message);
        sender_->pop();
    }
    received += bytes;
    if (messages == 0) {
        if (auto error = broken()) return std::unexpected(std::move(*error));
    }
    return Drained::all;
}

// Rows dribble in; the connection may break with some of them lost.
Link::Drained WireLink::drain_copy(std::vector<CopyMessage>& out, std::size_t max_messages,
                                   std::size_t max_bytes, std::size_t& received) {
    const Instant now = world_.clock.now();
    std::size_t bytes = 0;
    for (std::size_t i = 0; !lost_in_a_hole() && now >= copy_->next_at; ++i) {
        if (copy_->cut_in == 0U) {
            ++counts_.cuts;
            world_.note("a reader's connection breaks");
            cut_ = true;
            break;
        }
        if (copy_->messages.empty()) {
            answer_soon(copy_->fails_with.empty()
                            ? Answered{Rows{}}
                            : refusal(copy_->fails_with, "canceling statement"));
            copy_.reset();
            received += bytes;
            if (world_.random.chance(reading_.cut)) {
                ++counts_.cuts;
                cut_at_ = now + world_.between(0ms, 10ms);
            }
            return Drained::ended;
        }
        if (i == max_messages || bytes >= max_bytes) {
            received += bytes;
            return Drained::limit;
        }
        out.push_back(copy_of(copy_->messages.front()));
        bytes += copy_->messages.front().size();
        copy_->messages.pop_front();
        if (copy_->cut_in) --*copy_->cut_in;
        if (world_.random.chance(30)) {
            copy_->next_at = now + world_.between(0ms, reading_.row_max);
        }
    }
    received += bytes;
    return Drained::all;
}

const Row& WireLink::row_of(const Sent& message) const {
    if (message.kind == Sent::Kind::stream_lost) return message.lost;
    if (message.of_prepared) return history_.prepared[message.transaction].rows[message.row];
    return history_.transactions[message.transaction].rows[message.row];
}

std::deque<std::string> WireLink::declaration(const Sent& message) {
    switch (message.kind) {
        case Sent::Kind::row: return declaration(row_of(message), declared_);
        case Sent::Kind::stream_lost: {
            StreamedTables& tables = streamed_[message.xid];
            if (!tables.before) tables.before = tables.declared;
            [[fallthrough]];
        }
        case Sent::Kind::stream_row: {
            auto all = declaration(row_of(message), streamed_[message.xid].declared);
            for (std::string& one : all) one = wire::in_block(message.sub_xid, one);
            return all;
        }
        default: return {};
    }
}

// What a streamed transaction was told of tables is told to all when it commits; of what was
// aborted in it, nothing is.
void WireLink::told(const Sent& message) {
    switch (message.kind) {
        case Sent::Kind::stream_start: streamed_[message.xid].before.reset(); break;
        case Sent::Kind::stream_abort: {
            if (message.xid == message.sub_xid) {
                streamed_.erase(message.xid);
                break;
            }
            StreamedTables& tables = streamed_[message.xid];
            if (tables.before) tables.declared = *tables.before;
            tables.declared.again.fill(true);
            break;
        }
        case Sent::Kind::stream_prepare: streamed_.erase(message.xid); break;
        case Sent::Kind::stream_commit: {
            const Declared& its = streamed_[message.xid].declared;
            for (std::uint32_t table = 0; table < kTables; ++table) {
                if (its.at[table] <= declared_.at[table]) continue;
                declared_.forms[table] = its.forms[table];
                declared_.at[table] = its.at[table];
            }
            streamed_.erase(message.xid);
            break;
        }
        default: break;
    }
}

// Told before the first row, when it has changed, and now and then for no reason.
std::deque<std::string> WireLink::declaration(const Row& row, Declared& declared) {
    const auto now = (static_cast<std::uint32_t>(row.identity) << 16U) | row.columns;
    const bool again = std::exchange(declared.again[row.table], false);
    if (declared.forms[row.table] == now && !again) return {};
    declared.forms[row.table] = now;
    declared.at[row.table] = ++declarations_;
    const bool full = row.identity == 'f';
    const bool any = row.identity != 'n';
    std::vector<wire::SentColumn> columns{{.name = "id", .type = 20, .identity = any},
                                          {.name = "v", .identity = full},
                                          {.name = "note", .identity = full}};
    std::deque<std::string> all;
    for (std::uint32_t i = 1; i <= row.columns; ++i) {
        const std::string name = fmt::format("c{}", i);
        columns.push_back({.name = name, .type = type_of(name), .identity = full});
        if (i > 2) continue;
        // A domain goes by the name of what it is made of.
        all.push_back(i == 1 ? wire::type(kMood, "public", "mood")
                             : wire::type(kShort, "", "varchar"));
    }
    all.push_back(
        wire::relation(kFirstOid + row.table, "public", name_of(row.table), row.identity, columns));
    return all;
}

std::string WireLink::encoded(const Sent& message) const {
    const auto transaction = [&]() -> const Committed& {
        return history_.transactions[message.transaction];
    };
    switch (message.kind) {
        case Sent::Kind::keepalive: return wire::keepalive(message.lsn, message.reply);
        case Sent::Kind::begin: return wire::begin(transaction().commit, transaction().xid.value);
        case Sent::Kind::commit: return wire::commit(transaction().commit, transaction().end);
        case Sent::Kind::row: return encoded(row_of(message));
        case Sent::Kind::begin_prepare:
        case Sent::Kind::prepare:
        case Sent::Kind::stream_prepare:
        case Sent::Kind::commit_prepared:
        case Sent::Kind::rollback_prepared: return encoded_of_two_phases(message);
        default: return encoded_of_stream(message);
    }
}

std::string WireLink::encoded_of_two_phases(const Sent& message) const {
    using enum Sent::Kind;
    if (message.kind == commit_prepared) {
        const Committed& transaction = history_.transactions[message.transaction];
        if (publishes_at_prepare_) return {};
        return wire::prepared('K', transaction.xid.value, transaction.commit, transaction.end);
    }
    if (message.kind == rollback_prepared) {
        const RolledBack& back = history_.rollbacks[message.transaction];
        const Prepared& prepared = history_.prepared[back.prepared];
        if (publishes_at_prepare_) return {};
        return wire::rollback_prepared(prepared.xid.value, prepared.end, back.end);
    }
    const Prepared& prepared = history_.prepared[message.transaction];
    if (publishes_at_prepare_) {
        if (message.kind == begin_prepare) return wire::begin(prepared.at, prepared.xid.value);
        if (message.kind == prepare) return wire::commit(prepared.at, prepared.end);
        return wire::stream_commit(prepared.xid.value, prepared.at, prepared.end);
    }
    const char kind = message.kind == begin_prepare ? 'b' : message.kind == prepare ? 'P' : 'p';
    return wire::prepared(kind, prepared.xid.value, prepared.at, prepared.end);
}

std::string WireLink::encoded_of_stream(const Sent& message) const {
    switch (message.kind) {
        case Sent::Kind::stream_start: return wire::stream_start(message.xid, message.first);
        case Sent::Kind::stream_stop: return wire::stream_stop();
        case Sent::Kind::stream_abort: return wire::stream_abort(message.xid, message.sub_xid);
        case Sent::Kind::stream_commit: {
            const Committed& transaction = history_.transactions[message.transaction];
            return wire::stream_commit(message.xid, transaction.commit, transaction.end);
        }
        default: return wire::in_block(message.sub_xid, encoded(row_of(message)));
    }
}

std::string WireLink::encoded(const Row& row) const {
    const std::uint32_t oid = kFirstOid + row.table;
    const bool full = identity_of(row.table) == 'f';
    const auto value = [&](std::string text) {
        return binary_ ? wire::Sent{'b', std::move(text)} : wire::Sent{std::move(text)};
    };
    const auto number = [&](std::int64_t id) {
        return binary_ ? wire::Sent{'b', wire::Wire{}.int64(id).bytes()}
                       : wire::Sent{std::to_string(id)};
    };
    const auto whole = [&](std::int64_t id, const std::string& text, wire::Sent note) {
        wire::SentRow columns{number(id), value(text), std::move(note)};
        for (std::uint32_t i = 0; i < row.columns; ++i) columns.push_back(value("new"));
        return columns;
    };
    const auto old_row = [&](std::int64_t id) {
        if (full) return whole(id, "former", value(note_of(row)));
        wire::SentRow columns(3 + row.columns, wire::kNull);
        columns[0] = number(id);
        return columns;
    };
    const std::string text = token(row) + std::string(row.padding, 'x');
    const std::int64_t before = row.old_key != 0 ? row.old_key : row.key;
    switch (row.operation) {
        case Operation::insert:
            return wire::insert(row.lsn, oid, whole(row.key, text, value(note_of(row))));
        case Operation::remove:
            return wire::remove(row.lsn, oid, full ? 'O' : 'K', old_row(before));
        case Operation::truncate: return wire::truncate(row.lsn, {oid});
        default: break;
    }
    const auto now = whole(row.key, text, wire::kUnchanged);
    if (!full && row.old_key == 0) return wire::update(row.lsn, oid, now);
    return wire::update(row.lsn, oid, full ? 'O' : 'K', old_row(before), now);
}

Link::Release WireLink::release() const noexcept {
    return [](void* memory) { std::free(memory); };
}

Result<void> WireLink::put(std::string_view message) {
    world_.step("put");
    if (auto error = broken()) return std::unexpected(std::move(*error));
    if (lost_in_a_hole()) return {};
    ByteCursor in{message};
    const char kind = static_cast<char>(in.read<std::uint8_t>());
    const Lsn write{in.read<std::uint64_t>()};
    const Lsn flush{in.read<std::uint64_t>()};
    (void)in.take(16);
    const bool reply = in.read<std::uint8_t>() != 0;
    if (kind != 'r' || in.overrun() || !in.rest().empty() || flush > write) {
        world_.fail(fmt::format("feedback that makes no sense: write {}, flush {}",
                                to_string(write), to_string(flush)));
    }
    sender_->feedback(flush, reply);
    world_.step("feedback sent");
    return {};
}

Result<bool> WireLink::end_copy() {
    world_.step("end_copy");
    if (auto error = broken(); error && !ends_at_) return std::unexpected(std::move(*error));
    if (lost_in_a_hole()) return false;
    if (!ends_at_) {
        const Duration delay = world_.between(0ms, 5ms);
        ends_at_ = world_.clock.now() + delay;
        world_.after(delay, [] {});
    }
    if (world_.clock.now() < *ends_at_) return false;
    sender_->cut("left copy mode");
    return true;
}

}  // namespace pgc::sim
