#include "postgres/setup/source_setup.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <optional>
#include <utility>

#include "pgclient/answer.h"
#include "pgclient/session.h"
#include "postgres/setup/binary_choice.h"
#include "postgres/setup/identity.h"
#include "postgres/setup/link_pair.h"
#include "postgres/setup/publication_keeper.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/setup_reports.h"
#include "postgres/setup/slot.h"
#include "postgres/setup/slot_claim.h"
#include "postgres/setup/statements.h"

namespace pgc {

namespace {

using std::chrono::minutes;
using std::chrono::seconds;

constexpr Duration kAnswerPatience = seconds{60};
// Creating a slot waits for the transactions that run; a publication for locks.
constexpr Duration kCreatePatience = minutes{10};
constexpr Duration kCreateReminder = seconds{10};
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
    Steps(const PostgresConfig& config, LinkFactory& factory, const Clock& clock, Logger logger,
          SourceSetupTask task)
        : config_(config),
          factory_(factory),
          clock_(clock),
          logger_(std::move(logger)),
          task_(task),
          now_(clock.now()),
          deadline_(now_ + config.connection.connect_timeout) {}

    Result<bool> step();
    void wants(Wants& wants) const;

    SourceIdentity identity;
    StreamPlan plan;
    LinkPair links;

private:
    // In the order in which they are passed through.
    enum class State : std::uint8_t {
        making,
        connecting,  // both links; the sql link must come through first
        facts,
        replicating,  // the replication link
        system,
        history,
        slot,  // slot_claim.h
        publication,
        creating,
        types,
        done,
    };
    enum class Progress : std::uint8_t { on, wait };

    Result<Progress> go_on();
    Result<Progress> make_links();
    Result<Progress> connect_sql();
    Result<void> ask_system();
    Result<Progress> take_facts();
    Result<Progress> await_replication();
    Result<Progress> take_system();
    Result<Progress> take_history();
    Result<Progress> claim_slot();
    Result<Progress> step_claim();
    Result<Progress> begin_publication();
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
               state_ == State::history || state_ == State::creating;
    }

    const PostgresConfig& config_;
    LinkFactory& factory_;
    const Clock& clock_;
    const Logger logger_;
    const SourceSetupTask task_;

    State state_ = State::making;
    Instant now_;
    Instant deadline_;  // of the present state
    Instant remind_at_ = kNever;

    bool asked_system_ = false;
    ServerFacts facts_;
    std::optional<SlotClaim> claim_;
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
        case State::slot: return step_claim();
        case State::publication: return step_publication();
        case State::creating: return take_created();
        case State::types: return step_types();
        case State::done: break;
    }
    return Progress::wait;
}

// -- connecting -------------------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::make_links() {
    if (auto made = links.make(factory_); !made) return std::unexpected(std::move(made.error()));
    return enter(State::connecting, config_.connection.connect_timeout);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::connect_sql() {
    const auto connected = links.connect_sql();
    if (!connected) return std::unexpected(connected.error());
    if (!*connected) return Progress::wait;
    plan.server_version = links.sql->server_version();
    if (plan.server_version < kOldestServer) {
        ServerFacts facts;
        facts.version = plan.server_version;
        return std::unexpected(require_usable(facts).error());
    }
    return ask(*links.sql, server_facts_query(), State::facts);
}

// Doesn't wait for the facts: the two links ask at the same time.
Result<void> SourceSetup::Steps::ask_system() {
    links.keep_connecting();
    if (!links.replication_is_ready() || std::exchange(asked_system_, true)) return {};
    return links.replication->send("IDENTIFY_SYSTEM");
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_facts() {
    if (auto asked = ask_system(); !asked) return std::unexpected(std::move(asked.error()));
    auto rows = links.sql->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    auto facts = read_server_facts(**rows, plan.server_version);
    if (!facts) return std::unexpected(std::move(facts.error()));
    facts_ = std::move(*facts);
    if (auto usable = require_usable(facts_); !usable) return std::unexpected(usable.error());
    if (auto known = require_two_phase(config_, facts_.version); !known) {
        return std::unexpected(std::move(known.error()));
    }
    plan.protocol_version = protocol_version(facts_.version);
    plan.two_phase = config_.two_phase;
    plan.messages = facts_.version >= 140000;
    plan.sql_ascii = facts_.sql_ascii();
    plan.standby = facts_.standby;
    plan.wal_sender_timeout =
        facts_.version >= kWalSenderTimeoutSince ? kOurWalSenderTimeout : facts_.wal_sender_timeout;
    plan.publication = config_.publication;
    plan.publications = {config_.publication};
    plan.slot = config_.slot;
    return enter(State::replicating, config_.connection.connect_timeout);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::await_replication() {
    if (auto asked = ask_system(); !asked) return std::unexpected(std::move(asked.error()));
    const auto connected = links.replication_connected();
    if (!connected) return std::unexpected(connected.error());
    if (!*connected) return Progress::wait;
    warn_of_server(logger_, *links.replication, config_.connection, facts_.version);
    return enter(State::system, kAnswerPatience);
}

// -- who it is --------------------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_system() {
    auto rows = links.replication->result();
    if (!rows) return std::unexpected(std::move(rows.error()));
    if (!*rows) return Progress::wait;
    if (auto read = read_system(**rows, identity); !read) return std::unexpected(read.error());
    identity.slot = config_.slot;
    identity.publication = config_.publication;
    if (const auto& home = task_.home;
        home && (home->system != identity.system || home->database != identity.database)) {
        identity.slot_is_gone = true;
        return enter(State::done, Duration{0});
    }
    if (identity.timeline > 1) {
        return ask(*links.replication, timeline_history_command(identity.timeline), State::history);
    }
    return claim_slot();
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_history() {
    auto rows = links.replication->result();
    if (!rows && links.replication->sqlstate().empty())
        return std::unexpected(std::move(rows.error()));
    if (rows && !*rows) return Progress::wait;
    if (rows) {
        identity.history = read_history(**rows);
    } else {  // the file may have been cleared away; the start guard then knows less
        logger_.failure(LogLevel::warning, "the timeline's history is not available", rows.error());
    }
    return claim_slot();
}

// -- the slot, if it is there -------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::claim_slot() {
    claim_.emplace(SlotClaim::Terms{.slot = config_.slot,
                                    .database = identity.database,
                                    .server_version = facts_.version,
                                    .standby = facts_.standby,
                                    .may_replace = task_.may_replace_slot,
                                    .two_phase = config_.two_phase,
                                    .look_only = task_.look_only},
                   *links.sql, *links.replication, logger_);
    if (auto begun = claim_->begin(now_); !begun) return std::unexpected(begun.error());
    state_ = State::slot;
    return Progress::on;
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::step_claim() {
    const auto settled = claim_->step(now_);
    deadline_ = claim_->deadline();
    if (!settled) return std::unexpected(settled.error());
    if (!*settled) return Progress::wait;
    if (const auto& slot = claim_->slot()) {
        warn_of_slot(logger_, *slot);
        identity.slot_confirmed = slot->confirmed;
        // To ask for them would turn it on.
        if (task_.look_only && !slot->two_phase) plan.two_phase = false;
    } else if (task_.look_only || !task_.may_create_slot) {
        // The start guard refuses, and says whether it is another server's, too.
        identity.slot_is_gone = true;
        return enter(State::done, Duration{0});
    }
    return begin_publication();
}

// -- publication, then slot ----------------------------------------------------------------

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::begin_publication() {
    keeper_.emplace(config_, facts_.version, logger_, task_.without_inserts);
    if (auto begun = keeper_->begin(*links.sql, !claim_->slot(), &facts_); !begun) {
        return std::unexpected(begun.error());
    }
    return enter(State::publication, kCreatePatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::step_publication() {
    auto state = keeper_->step(*links.sql);
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
                               {"slot_is_there", claim_->slot().has_value()}});
    return claim_->slot() ? begin_types() : begin_creating();
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::begin_creating() {
    // A standby's slots can't be copied further.
    const std::string command = create_slot_command(facts_.version, config_.slot,
                                                    {.failover = !facts_.standby,
                                                     .exported = task_.export_snapshot,
                                                     .two_phase = config_.two_phase});
    auto asked = ask(*links.replication, command, State::creating);
    deadline_ = now_ + kCreatePatience;
    remind_at_ = now_ + kCreateReminder;
    return asked;
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::take_created() {
    auto rows = links.replication->result();
    if (!rows) {
        Error error = std::move(rows.error());
        // Made by somebody since we looked: look again.
        if (links.replication->sqlstate() == "42710") error.next = Error::Next::retry;
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
    if (auto begun = choice_->begin(*links.sql); !begun) return std::unexpected(begun.error());
    return enter(State::types, kAnswerPatience);
}

Result<SourceSetup::Steps::Progress> SourceSetup::Steps::step_types() {
    auto all = choice_->step(*links.sql);
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
                        {{"slot", config_.slot}, {"hint", what_holds_up_slots(facts_.standby)}});
    }
    if (now_ < deadline_) return {};
    return std::unexpected(out_of_patience());
}

Error SourceSetup::Steps::out_of_patience() {
    if (state_ == State::connecting || state_ == State::replicating) {
        return no_connection_in_time(config_.connection);
    }
    if (state_ == State::creating) {
        // Else the server would go on waiting, and leave behind a slot that nobody reads.
        const auto end =
            fmt::format("SELECT pg_terminate_backend({})", links.replication->backend_pid());
        if (auto sent = links.sql->send(end); !sent) return std::move(sent.error());
        return slot_not_created(config_.slot, facts_.standby);
    }
    return retry(Error::Category::connection, "the server does not answer");
}

void SourceSetup::Steps::wants(Wants& wants) const {
    const auto answering = [&](const Link& link) {
        wants.interests.push_back({link.fd(), true, link.wants_to_write()});
    };
    wants.until(deadline_);
    wants.until(remind_at_);
    switch (state_) {
        case State::making: wants.until(now_); return;
        case State::done: return;
        case State::slot: claim_->wants(wants); return;
        default: break;
    }
    links.wants_of_replication(wants);
    if (state_ == State::connecting) {
        links.wants_of_sql(wants);
    } else if (!asks_replication()) {
        answering(*links.sql);
    } else if (state_ != State::replicating) {
        answering(*links.replication);
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
    return std::move(steps_->links.replication);
}
std::unique_ptr<Link> SourceSetup::sql_link() noexcept {
    return std::move(steps_->links.sql);
}

}  // namespace pgc
