#include "postgres/setup/source_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/quote.h"
#include "pgclient/session.h"
#include "postgres/setup/binary_choice.h"
#include "postgres/setup/identity.h"
#include "postgres/setup/publication_keeper.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/slot.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

using std::chrono::milliseconds;
using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kAnswerPatience = seconds{60};
// Creating a slot waits for the transactions that run; a publication for locks.
constexpr Duration kCreatePatience = minutes{10};
constexpr Duration kCreateReminder = seconds{10};
// A reader that is just leaving needs a moment; one that stays is somebody else.
constexpr Duration kLeavingPatience = seconds{3};
constexpr Duration kEndedPatience = seconds{15};
constexpr Duration kSlotPoll = milliseconds{100};

constexpr Duration kOurWalSenderTimeout = seconds{20};
static_assert(kWalSenderTimeout == "20s");

std::string first_of(const std::vector<std::string>& names) {
    constexpr std::ptrdiff_t shown = 5;
    const auto end = names.begin() + std::min<std::ptrdiff_t>(shown, std::ssize(names));
    return fmt::format("{}{}", fmt::join(names.begin(), end, ", "),
                       std::ssize(names) > shown ? ", …" : "");
}

}  // namespace

class SourceSetup::Steps {
public:
    Steps(const PostgresConfig& config, LinkFactory& links, const Clock& clock, Logger logger,
          SourceSetupTask task)
        : config_(config),
          links_(links),
          clock_(clock),
          logger_(std::move(logger)),
          task_(task),
          now_(clock.now()),
          deadline_(now_ + config.connection.connect_timeout) {}

    Result<bool> step();
    void wants(Wants& wants) const;

    SourceIdentity identity;
    StreamPlan plan;
    std::unique_ptr<Link> sql;
    std::unique_ptr<Link> replication;

private:
    // In the order in which they are passed through; `waiting` goes back to `slot`.
    enum class State : std::uint8_t {
        making,
        connecting,  // both links; the sql link must come through first
        facts,
        replicating,  // the replication link
        system,
        history,
        slot,
        dropping,
        altering,
        ending_reader,
        waiting,  // for the slot to be free
        publication,
        creating,
        types,
        done,
    };
    enum class Progress : std::uint8_t { on, wait };

    Result<Progress> go_on();
    Result<Progress> make_links();
    Result<Progress> connect_sql();
    Result<void> continue_replication_connect();
    Result<void> ask_system();
    Result<Progress> take_facts();
    Result<Progress> await_replication();
    Result<Progress> take_system();
    Result<Progress> take_history();
    Result<Progress> take_slot();
    Result<Progress> drop_slot(const Error& why);
    Result<Progress> take_dropped();
    Result<Progress> turn_off_two_phase();
    Result<Progress> take_altered();
    Result<Progress> slot_is_active(const SlotState& slot);
    Result<Progress> take_ended();
    Result<Progress> poll_slot();
    Result<Progress> step_publication();
    Result<Progress> begin_creating();
    Result<Progress> take_created();
    Result<Progress> begin_types();
    Result<Progress> step_types();
    Result<void> check_patience();
    Error out_of_patience();

    Result<Progress> ask(Link& link, const std::string& command, State state) {
        if (auto sent = link.send(command); !sent) return std::unexpected(std::move(sent.error()));
        return enter(state, kAnswerPatience);
    }
    Progress enter(State state, Duration patience) {
        state_ = state;
        deadline_ = now_ + patience;
        return Progress::on;
    }
    bool asks_replication() const noexcept {
        return state_ == State::replicating || state_ == State::system ||
               state_ == State::history || state_ == State::altering || state_ == State::creating;
    }
    std::string_view what_holds_up_slots() const noexcept {
        return facts_.standby ? "on the primary: SELECT pg_log_standby_snapshot();"
                              : "end them: SELECT pid, xact_start, state FROM pg_stat_activity "
                                "WHERE backend_xid IS NOT NULL ORDER BY xact_start;";
    }
    void warn_of_server() const;
    void warn_of_slot(const SlotState& slot) const;

    const PostgresConfig& config_;
    LinkFactory& links_;
    const Clock& clock_;
    const Logger logger_;
    const SourceSetupTask task_;

    State state_ = State::making;
    Instant now_;
    Instant deadline_;  // of the present state
    Instant remind_at_ = kNever;
    Instant poll_at_ = kNever;
    std::optional<Instant> give_up_slot_at_;
    bool ended_reader_ = false;

    Link::Connecting sql_waits_ = Link::Connecting::wait_readable;
    Link::Connecting replication_waits_ = Link::Connecting::wait_readable;
    bool asked_system_ = false;
    std::optional<Error> replication_error_;  // reported once the sql link knows no better reason
    ServerFacts facts_;
    std::optional<SlotState> slot_;
    std::optional<PublicationKeeper> keeper_;
    std::optional<BinaryChoice> choice_;
};

Result<bool> SourceSetup::Steps::step() {
    now_ = clock_.now();
    while (state_ != State::done) {
        auto progress = go_on();
        if (!progress) return std::unexpected(std::move(progress.error()));
        if (*progress == Progress::on) continue;
        if (auto patient = check_patience(); !patient) {
            return std::unexpected(std::move(patient.error()));
        }
        return false;
    }
    return true;
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::go_on() {
    switch (state_) {
        case State::making: return make_links();
        case State::connecting: return connect_sql();
        case State::facts: return take_facts();
        case State::replicating: return await_replication();
        case State::system: return take_system();
        case State::history: return take_history();
        case State::slot: return take_slot();
        case State::dropping: return take_dropped();
        case State::altering: return take_altered();
        case State::ending_reader: return take_ended();
        case State::waiting: return poll_slot();
        case State::publication: return step_publication();
        case State::creating: return take_created();
        case State::types: return step_types();
        case State::done: break;
    }
    return Progress::wait;
}

// -- connecting -------------------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::make_links() {
    for (const auto& [use, link] : {std::pair{LinkFactory::Use::sql, &sql},
                                    std::pair{LinkFactory::Use::replication, &replication}}) {
        auto made = links_.make(use);
        if (!made) return std::unexpected(std::move(made.error()));
        *link = std::move(*made);
    }
    return enter(State::connecting, config_.connection.connect_timeout);
}

Result<void> SourceSetup::Steps::continue_replication_connect() {
    if (replication_error_ || replication_waits_ == Link::Connecting::done) return {};
    auto connecting = replication->connect();
    if (!connecting) {
        replication_error_ = std::move(connecting.error());
    } else {
        replication_waits_ = *connecting;
    }
    return {};
}

// Doesn't wait for the facts: the two links ask at the same time.
Result<void> SourceSetup::Steps::ask_system() {
    if (auto serviced = continue_replication_connect(); !serviced) return serviced;
    const bool connected = !replication_error_ && replication_waits_ == Link::Connecting::done;
    if (!connected || std::exchange(asked_system_, true)) return {};
    return replication->send("IDENTIFY_SYSTEM");
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::connect_sql() {
    if (auto serviced = continue_replication_connect(); !serviced)
        return std::unexpected(serviced.error());
    auto connecting = sql->connect();
    if (!connecting) return std::unexpected(std::move(connecting.error()));
    sql_waits_ = *connecting;
    if (sql_waits_ != Link::Connecting::done) return Progress::wait;
    plan.server_version = sql->server_version();
    if (plan.server_version < kOldestServer) {
        ServerFacts facts;
        facts.version = plan.server_version;
        return std::unexpected(require_usable(facts).error());
    }
    return ask(*sql, server_facts_query(), State::facts);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_facts() {
    if (auto asked = ask_system(); !asked) return std::unexpected(asked.error());
    auto rows = sql->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    auto facts = read_server_facts(**rows, plan.server_version);
    if (!facts) return std::unexpected(std::move(facts.error()));
    facts_ = std::move(*facts);
    if (auto usable = require_usable(facts_); !usable) return std::unexpected(usable.error());
    plan.protocol_version = protocol_version(facts_.version);
    plan.messages = facts_.version >= 140000;
    plan.sql_ascii = facts_.sql_ascii();
    plan.standby = facts_.standby;
    plan.max_slot_wal_keep_bytes = facts_.max_slot_wal_keep_bytes;
    plan.wal_sender_timeout =
        facts_.version >= kWalSenderTimeoutSince ? kOurWalSenderTimeout : facts_.wal_sender_timeout;
    plan.publication = config_.publication;
    plan.publications = {config_.publication};
    plan.slot = config_.slot;
    return enter(State::replicating, config_.connection.connect_timeout);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::await_replication() {
    if (auto asked = ask_system(); !asked) return std::unexpected(asked.error());
    if (replication_error_) return std::unexpected(std::move(*replication_error_));
    if (replication_waits_ != Link::Connecting::done) return Progress::wait;
    warn_of_server();
    return enter(State::system, kAnswerPatience);
}

// -- who it is --------------------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_system() {
    auto rows = replication->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    if (auto read = read_system(**rows, identity); !read) return std::unexpected(read.error());
    identity.slot = config_.slot;
    if (const auto& home = task_.home;
        home && (home->system != identity.system || home->database != identity.database)) {
        identity.slot_is_gone = true;
        return enter(State::done, Duration{0});
    }
    if (identity.timeline > 1) {
        return ask(*replication, timeline_history_command(identity.timeline), State::history);
    }
    return ask(*sql, slots_query(facts_.version, config_.slot), State::slot);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_history() {
    auto rows = replication->result();
    if (!rows && replication->sqlstate().empty()) return std::unexpected(std::move(rows.error()));
    if (rows && !*rows) return Progress::wait;
    if (rows) {
        identity.history = read_history(**rows);
    } else {  // the file may have been cleared away; the start guard then knows less
        logger_.failure(LogLevel::warning, "the timeline's history is not available", rows.error());
    }
    return ask(*sql, slots_query(facts_.version, config_.slot), State::slot);
}

// -- the slot, if it is there -------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_slot() {
    auto rows = sql->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    auto slots = read_slots(**rows);
    if (!slots) return std::unexpected(std::move(slots.error()));
    slot_.reset();
    if (!slots->empty()) {
        slot_ = std::move(slots->front());
        if (auto sound = require_sound(*slot_, identity.database, facts_.standby); !sound) {
            const bool given_up = slot_->here && !slot_->active &&
                                  (slot_->wal_status == "lost" || !slot_->invalid.empty());
            if (task_.may_replace_slot && given_up) return drop_slot(sound.error());
            return std::unexpected(std::move(sound.error()));
        }
        if (slot_->active) return slot_is_active(*slot_);
        if (sends_prepared(*slot_, facts_.version)) return turn_off_two_phase();
        warn_of_slot(*slot_);
        identity.slot_confirmed = slot_->confirmed;
    } else if (task_.look_only || !task_.may_create_slot) {
        // The start guard refuses, and says whether it is another server's, too.
        identity.slot_is_gone = true;
        return enter(State::done, Duration{0});
    }
    keeper_.emplace(config_, facts_.version, logger_, task_.without_inserts);
    if (auto begun = keeper_->begin(*sql, !slot_, &facts_); !begun)
        return std::unexpected(begun.error());
    return enter(State::publication, kCreatePatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::drop_slot(const Error& why) {
    logger_.failure(LogLevel::error,
                    "the slot can't be used: it is dropped, and a snapshot follows", why);
    return ask(*sql, drop_slot_query(config_.slot), State::dropping);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_dropped() {
    auto rows = sql->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    return ask(*sql, slots_query(facts_.version, config_.slot), State::slot);
}

// It was made by somebody else, or read by somebody who wanted that.
Result<SourceSetup::Steps::Progress> SourceSetup::Steps::turn_off_two_phase() {
    if (task_.look_only || facts_.version < kAlterTwoPhaseSince) {
        return std::unexpected(two_phase_refused(*slot_));
    }
    logger_.warning(
        "two_phase of the slot is turned off: transactions are sent when they commit, those that "
        "are prepared now too",
        {{"slot", config_.slot}});
    return ask(*replication, turn_off_two_phase_command(config_.slot), State::altering);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_altered() {
    auto rows = replication->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    return ask(*sql, slots_query(facts_.version, config_.slot), State::slot);
}

// Somebody reads from it: our former self, cut off without the server's knowing, is ended;
// anybody else gets a moment to leave.
Result<SourceSetup::Steps::Progress> SourceSetup::Steps::slot_is_active(const SlotState& slot) {
    if (!give_up_slot_at_) give_up_slot_at_ = now_ + kLeavingPatience;
    if (task_.look_only || now_ >= *give_up_slot_at_) return std::unexpected(slot_in_use(slot));
    if (!ended_reader_ && slot.pid != 0) {
        return ask(*sql, end_stale_reader_query(slot.pid), State::ending_reader);
    }
    poll_at_ = now_ + kSlotPoll;
    return enter(State::waiting, kAnswerPatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_ended() {
    auto rows = sql->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    if (!(*rows)->rows.empty() && Answer{**rows}.flag("ended")) {
        ended_reader_ = true;
        give_up_slot_at_ = now_ + kEndedPatience;
        logger_.info("ended a session of ours that still held the slot",
                     {{"slot", config_.slot}, {"pid", slot_->pid}});
    }
    poll_at_ = now_ + kSlotPoll;
    return enter(State::waiting, kAnswerPatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::poll_slot() {
    if (now_ < poll_at_) return Progress::wait;
    poll_at_ = kNever;
    return ask(*sql, slots_query(facts_.version, config_.slot), State::slot);
}

// -- publication, then slot ----------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::step_publication() {
    auto state = keeper_->step(*sql);
    if (!state) return std::unexpected(std::move(state.error()));
    if (!*state) return Progress::wait;
    plan.via_root = (*state)->via_root;
    plan.maintained = (*state)->maintained;
    plan.filter_tables = !(*state)->in_step;
    plan.joined = (*state)->joined;
    plan.publications = std::move((*state)->publications);
    plan.lineages = std::move((*state)->lineages);
    plan.covered = std::move((*state)->covered);
    logger_.info("connected", {{"server", version_name(facts_.version)},
                               {"database", identity.database},
                               {"publication", config_.publication},
                               {"tables", (*state)->tables.size()},
                               {"first", first_of((*state)->tables)},
                               {"slot", config_.slot},
                               {"slot_is_there", slot_.has_value()}});
    return slot_ ? begin_types() : begin_creating();
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::begin_creating() {
    // A standby's slots can't be copied further.
    const std::string command =
        create_slot_command(facts_.version, config_.slot, !facts_.standby, task_.export_snapshot);
    auto asked = ask(*replication, command, State::creating);
    deadline_ = now_ + kCreatePatience;
    remind_at_ = now_ + kCreateReminder;
    return asked;
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_created() {
    auto rows = replication->result();
    if (!rows) {
        Error error = std::move(rows.error());
        // Made by somebody since we looked: look again.
        if (replication->sqlstate() == "42710") error.next = Error::Next::retry;
        return std::unexpected(std::move(error));
    }
    if (!*rows) return Progress::wait;
    Answer row{**rows};
    identity.slot_confirmed = row.lsn("consistent_point");
    if (task_.export_snapshot) plan.exported_snapshot = row.text("snapshot_name");
    if (!row.sound()) return std::unexpected(strange_answer("the new slot"));
    identity.slot_is_new = true;
    remind_at_ = kNever;
    logger_.info("slot created", {{"slot", config_.slot}, {"at", identity.slot_confirmed}});
    return begin_types();
}

// -- binary or text -------------------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::begin_types() {
    if (!config_.binary || task_.text_only || facts_.version < 140000) {
        return enter(State::done, Duration{0});
    }
    if (task_.text_until && identity.slot_confirmed < *task_.text_until) {
        plan.text_for_now = true;
        logger_.info("values are taken as text: the WAL holds some that have no binary form",
                     {{"until", *task_.text_until}});
        return enter(State::done, Duration{0});
    }
    choice_.emplace(facts_.version, plan.publications);
    if (auto begun = choice_->begin(*sql); !begun) return std::unexpected(begun.error());
    return enter(State::types, kAnswerPatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::step_types() {
    auto all = choice_->step(*sql);
    if (!all) return std::unexpected(std::move(all.error()));
    if (!*all) return Progress::wait;
    plan.binary = **all;
    plan.text_for_now = !plan.binary;
    if (!plan.binary) {
        logger_.info("values are taken as text: a published type has no known binary form",
                     {{"type", choice_->obstacle()}});
    }
    return enter(State::done, Duration{0});
}

// -- waiting --------------------------------------------------------------------------------

Result<void> SourceSetup::Steps::check_patience() {
    if (now_ >= remind_at_) {
        remind_at_ = now_ + kCreateReminder;
        logger_.warning("creating the slot waits for transactions that are still running",
                        {{"slot", config_.slot}, {"hint", what_holds_up_slots()}});
    }
    if (now_ < deadline_) return {};
    return std::unexpected(out_of_patience());
}

Error SourceSetup::Steps::out_of_patience() {
    if (state_ == State::connecting || state_ == State::replicating) {
        Error error = retry(
            Error::Category::connection,
            fmt::format(
                "no connection within {} s",
                std::chrono::duration_cast<seconds>(config_.connection.connect_timeout).count()));
        for (const PostgresHost& host : config_.connection.hosts) {
            error.where += (error.where.empty() ? "" : ", ") + to_string(host);
        }
        error.hint =
            "check PG_HOST, PG_PORT and the network between; or raise "
            "PG_CONNECT_TIMEOUT_SECS";
        return error;
    }
    if (state_ == State::creating) {
        // Else the server would go on waiting, and leave behind a slot that nobody reads.
        const auto end = fmt::format("SELECT pg_terminate_backend({})", replication->backend_pid());
        if (auto sent = sql->send(end); !sent) return std::move(sent.error());
        Error error = retry(Error::Category::server,
                            fmt::format("slot {} could not be created: transactions that were "
                                        "running are still not over",
                                        quote_name(config_.slot)));
        error.hint = what_holds_up_slots();
        return error;
    }
    return retry(Error::Category::connection, "the server does not answer");
}

void SourceSetup::Steps::wants(Wants& wants) const {
    const auto connecting = [&](const Link& link, Link::Connecting waits) {
        if (waits == Link::Connecting::wait_writable) {
            wants.writable(link.fd());
        } else if (waits == Link::Connecting::wait_readable) {
            wants.readable(link.fd());
        }
    };
    const auto answering = [&](const Link& link) {
        wants.interests.push_back({link.fd(), true, link.wants_to_write()});
    };
    wants.until(deadline_);
    wants.until(remind_at_);
    switch (state_) {
        case State::making: wants.until(now_); return;
        case State::done: return;
        case State::waiting: wants.until(poll_at_); return;
        default: break;
    }
    if (!replication_error_) connecting(*replication, replication_waits_);
    if (state_ == State::connecting) {
        connecting(*sql, sql_waits_);
    } else if (!asks_replication()) {
        answering(*sql);
    } else if (state_ != State::replicating) {
        answering(*replication);
    }
}

// -- warnings -------------------------------------------------------------------------------

void SourceSetup::Steps::warn_of_server() const {
    if (!replication->encrypted() && !replication->local() &&
        config_.connection.plain_text_to_others()) {
        logger_.warning("the connection is not encrypted: data and password can be read on the way",
                        {{"hint", "set PG_SSL_MODE=verify-full"}});
    }
    for (const KnownBug& bug : known_bugs(facts_.version)) {
        logger_.warning(
            "this version of the server has a bug that concerns us",
            {{"server", version_name(facts_.version)}, {"bug", bug.what}, {"hint", bug.hint}});
    }
}

void SourceSetup::Steps::warn_of_slot(const SlotState& slot) const {
    if (slot.wal_status == "unreserved") {
        logger_.warning("the slot is about to be lost: it needs more WAL than the server keeps",
                        {{"slot", slot.name},
                         {"retained_bytes", slot.retained_bytes},
                         {"hint", "raise max_slot_wal_keep_size"}});
    }
}

// -------------------------------------------------------------------------------------------

SourceSetup::SourceSetup(const PostgresConfig& config, LinkFactory& links, const Clock& clock,
                         Logger logger, SourceSetupTask task)
    : steps_(std::make_unique<Steps>(config, links, clock, std::move(logger), task)) {}

SourceSetup::~SourceSetup() = default;

Result<bool> SourceSetup::step() {
    return steps_->step();
}
void SourceSetup::wants(Wants& wants) const {
    steps_->wants(wants);
}
const SourceIdentity& SourceSetup::identity() const noexcept {
    return steps_->identity;
}
const StreamPlan& SourceSetup::plan() const noexcept {
    return steps_->plan;
}
std::unique_ptr<Link> SourceSetup::replication_link() noexcept {
    return std::move(steps_->replication);
}
std::unique_ptr<Link> SourceSetup::sql_link() noexcept {
    return std::move(steps_->sql);
}

}  // namespace pgc
