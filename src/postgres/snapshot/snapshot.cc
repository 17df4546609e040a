#include "postgres/snapshot/snapshot.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "pgclient/quote.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

constexpr Duration kReportEvery = std::chrono::seconds{10};
// Chunks of a snapshot beside the stream: it stands while one is read.
constexpr std::uint64_t kSliceRows = 20'000;
constexpr std::size_t kOpenShown_max = 8;
constexpr std::size_t kSlotName_max = 63;
// Until a table is tried again that could not be read: for a reason that may pass by itself, and
// for one that somebody has to fix. Each time twice as long.
constexpr Duration kPutOff_min = std::chrono::seconds{1};
constexpr Duration kPutOff_max = std::chrono::seconds{60};
constexpr Duration kPutOffLong_max = std::chrono::hours{1};
// At any place: the stream stops between two transactions.
constexpr Lsn kHere{1};

std::string temporary_slot(std::string_view slot) {
    constexpr std::string_view suffix = "_snapshot";
    return std::string{slot.substr(0, kSlotName_max - suffix.size())} + std::string{suffix};
}

}  // namespace

Snapshot::Snapshot(Deps deps)
    : deps_(std::move(deps)),
      config_(deps_.config.snapshot),
      reports_(deps_.clock, deps_.metrics),
      jobs_(reports_, deps_.logger),
      exporter_(deps_.links, temporary_slot(deps_.config.slot),
                deps_.config.connection.connect_timeout),
      pace_(config_.share, config_.hold_max),
      rate_(config_.rows_per_second) {}

Snapshot::~Snapshot() = default;

// -- what is to be read -------------------------------------------------------------------

Result<void> Snapshot::restore(std::string_view progress) {
    return jobs_.restore(progress);
}

void Snapshot::request(const SnapshotCommand& command, RequestedBy by, std::set<Oid> tables) {
    jobs_.request(command, by, std::move(tables));
    drop_table_jobs();
}

// What was cancelled, or has failed, is not read on.
void Snapshot::drop_table_jobs() {
    for (TableJob& table_job : table_jobs_)
        table_job.over = table_job.over || jobs_.find(table_job.job_id) == nullptr;
    std::erase_if(put_off_, [&](const auto& one) { return jobs_.find(one.first) == nullptr; });
}

bool Snapshot::has_all_before_it() const noexcept {
    const SnapshotJob* all = jobs_.find(kWholeSnapshotId);
    return all != nullptr && !all->paused && all->done.empty() && all->open.empty();
}

// -- groups -------------------------------------------------------------------------------

void Snapshot::begin_at(ExportedSnapshot exported, Instant now) {
    exported_ = std::move(exported);
    of_slot_ = true;
    hold_ = exported_.at;
    pace_.begun(now, jobs_.whole());
    pace_.reading(now);
    listed_ = false;
    state_ = State::listing;
}

bool Snapshot::may_begin(Instant now) const {
    // What is not durable yet would be read again.
    return marks_.empty() && pace_.may_begin(now) && now >= due();
}

// When the first of the jobs may be read that are not paused.
Instant Snapshot::due() const {
    Instant first = kNever;
    for (const SnapshotJob& job : jobs_.all()) {
        if (!job.paused) first = std::min(first, due(job));
    }
    return first;
}

Instant Snapshot::due(const SnapshotJob& job) const {
    const auto at = put_off_.find(job.request.id);
    return at == put_off_.end() ? Instant{} : at->second.until;
}

Result<void> Snapshot::step(const Stream& stream, Instant now) {
    auto done = go_on(stream, now);
    if (done || done.error().next == Error::Next::stop) return done;
    deps_.logger.failure(LogLevel::warning, "the snapshot was interrupted; trying again",
                         done.error());
    abandon_group(now);
    return {};
}

Result<void> Snapshot::go_on(const Stream& stream, Instant now) {
    switch (state_) {
        case State::idle:
            if (!exporter_.idle()) {
                if (auto dropped = exporter_.step(now); !dropped) {
                    return std::unexpected(dropped.error());
                }
            }
            if (exporter_.idle() && may_begin(now)) begin_exporting(now);
            return step_copiers(now);
        case State::exporting:
            if (auto done = step_copiers(now); !done) return done;
            return export_snapshot(stream, now);
        case State::approaching:
            if (auto done = step_copiers(now); !done) return done;
            return approach(stream, now);
        case State::listing: return list_tables(now);
        case State::reading: return read_tables(now);
    }
    return {};
}

void Snapshot::begin_exporting(Instant now) {
    exporter_.begin(now);
    pace_.begun(now, jobs_.whole());
    hold_ = kHere;
    report_at_ = now + kReportEvery;
    state_ = State::exporting;
}

Result<void> Snapshot::export_snapshot(const Stream& stream, Instant now) {
    const auto exported = exporter_.step(now);
    if (!exported) return std::unexpected(exported.error());
    if (*exported == nullptr) {
        if (now >= pace_.give_way_at()) hold_.reset();
        if (now >= report_at_ && exporter_.creating()) report_waiting(now);
        return {};
    }
    report_at_ = kNever;
    if (stream.begun >= (*exported)->at) {
        // It was long in coming, and the stream has passed it.
        pace_.in_vain();
        exporter_.release();
        hold_.reset();
        state_ = State::idle;
        return {};
    }
    exported_ = **exported;
    hold_ = exported_.at;  // whether the stream stands there, its source says at the next step
    state_ = State::approaching;
    return {};
}

void Snapshot::report_waiting(Instant now) {
    report_at_ = now + kReportEvery;
    deps_.logger.warning(
        "the snapshot waits for transactions that are still running",
        {{"hint",
          "end them: SELECT pid, xact_start, state FROM pg_stat_activity WHERE backend_xid "
          "IS NOT NULL ORDER BY xact_start;"}});
    for (const SnapshotJob& job : jobs_.all()) {
        if (job.paused) continue;
        reports_.waits(job.request.id, Reported::waiting, "transactions that are still running");
    }
}

Result<void> Snapshot::approach(const Stream& stream, Instant now) {
    if (!stream.standing) return {};
    pace_.reading(now);
    of_slot_ = false;
    listed_ = false;
    state_ = State::listing;
    return list_tables(now);
}

std::size_t Snapshot::copiers_wanted() const {
    return static_cast<std::size_t>(config_.readers);
}

Result<void> Snapshot::list_tables(Instant now) {
    while (copiers_.size() < copiers_wanted()) {
        copiers_.push_back(
            std::make_unique<TableCopier>(TableCopier::Deps{.config = deps_.config,
                                                            .links = deps_.links,
                                                            .relations = deps_.relations,
                                                            .carry_over = deps_.carry_over,
                                                            .logger = deps_.logger}));
    }
    if (auto done = step_copiers(now); !done) return done;
    TableCopier& first = *copiers_.front();
    if (!listed_) {
        if (!first.idle()) return {};
        listed_ = true;
        taken_at_ = deps_.clock.wall();
        return first.ask(
            "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            "SET TRANSACTION SNAPSHOT " +
            quote_text(exported_.name) + "; " +
            snapshot_tables_query(deps_.plan.server_version, deps_.plan.publications));
    }
    auto rows = first.answer(now);
    if (!rows) return std::unexpected(std::move(rows.error()));
    return *rows ? take_tables(**rows, now) : Result<void>{};
}

Result<void> Snapshot::take_tables(const Rows& rows, Instant now) {
    const auto tables = read_snapshot_tables(rows);
    if (!tables) return std::unexpected(tables.error());
    remember(jobs_.all(), table_jobs_);
    table_jobs_.clear();
    begun_.clear();
    kept_.clear();
    known_keys_.clear();
    // Two groups at one place would still be one line of positions.
    ordinal_ = stored_ordinal_ = read_to_.commit == rows_at() ? read_to_.ordinal : 0;
    for (SnapshotJob& job : jobs_.all()) {
        if (job.paused || now < due(job)) continue;
        if (add_table_jobs(job, *tables)) begun_.push_back(job.request.id);
    }
    deps_.logger.debug("a group of the snapshot is read",
                       {{"at", exported_.at}, {"tables", table_jobs_.size()}});
    state_ = State::reading;
    finish_jobs();
    return read_tables(now);
}

// A table is read once in a group: two READs of one row at one place could not be distinguished
// from two rows.
bool Snapshot::add_table_jobs(SnapshotJob& job, const std::vector<SnapshotTable>& tables) {
    std::uint64_t expected = 0;
    std::uint64_t added = 0;
    bool whole = true;
    std::set<Oid> taken;
    const TableFilter named = tables_named(job.request);
    for (const TableJob& table_job : table_jobs_)
        taken.insert(table_job.table->table().address.oid);
    for (const SnapshotTable& table : tables) {
        if (job.done.contains(table.address.oid) || !means(job, named, table)) continue;
        if (!deps_.relations.selects(table.shown.schema, table.shown.name, table.above)) {
            forget(job, table);
            continue;
        }
        // From now on it is this table, not whichever is called like it when its turn comes.
        if (!job.all() && job.pending.insert(table.address.oid).second) jobs_.changed();
        if (taken.contains(table.address.oid)) {
            whole = false;
            continue;
        }
        const auto open = job.open.find(table.address.oid);
        table_jobs_.push_back(
            {.job_id = job.request.id,
             .table = std::make_shared<TableCopyState>(
                 table, job.request.where,
                 open == job.open.end() ? std::nullopt : std::optional{open->second})});
        table_jobs_.back().table->place = table_jobs_.size() - 1;
        expected += table_jobs_.back().table->rows_expected();
        ++added;
    }
    reports_.tables(job.request.id, added, expected);
    reports_.waits(job.request.id, Reported::reading, "");
    return whole;
}

// One whose new name the filters don't mean: its changes come no more, so its rows don't either.
void Snapshot::forget(SnapshotJob& job, const SnapshotTable& table) {
    if (job.pending.erase(table.address.oid) + job.open.erase(table.address.oid) == 0) return;
    jobs_.changed();
    deps_.logger.warning(
        "a table is no longer read: the filters don't include it any more",
        {{"id", job.request.id}, {"table", quote_name(table.address.schema, table.address.name)}});
}

Result<void> Snapshot::read_tables(Instant now) {
    bool busy = false;
    for (const auto& copier : copiers_) {
        if (auto done = step_copier(*copier, now); !done) return done;
        if (state_ != State::reading) return {};
        if (auto done = assign(*copier, now); !done) return done;
        busy = busy || copier->busy();
    }
    if (!busy && next_table(now) == nullptr) end_group(now);
    return {};
}

// Also while they have nothing to read: the end of a transaction is heard, a connection made again.
Result<void> Snapshot::step_copiers(Instant now) {
    for (const auto& copier : copiers_) {
        if (auto done = step_copier(*copier, now); !done) return done;
    }
    return {};
}

Result<void> Snapshot::step_copier(TableCopier& copier, Instant now) {
    return handle_event(copier, copier.step(now), now);
}

Result<void> Snapshot::handle_event(TableCopier& copier, const Result<TableCopier::Event>& event,
                                    Instant now) {
    if (!event) return std::unexpected(event.error());
    switch (*event) {
        case TableCopier::Event::none: return {};
        case TableCopier::Event::ended: chunk_ended(copier); return {};
        case TableCopier::Event::snapshot_lost:
            return std::unexpected(
                retry(Error::Category::server, "the database's snapshot is not there any more"));
        case TableCopier::Event::table_failed: {
            return table_failed(table_jobs_[copier.table()->place], copier.failure(), now);
        }
    }
    return {};
}

// A snapshot that was asked for while the stream runs fails alone, and not by what may pass. One
// that nobody asked for is nobody's to request again: it is tried until it can be read.
Result<void> Snapshot::table_failed(const TableJob& table_job, const Error& error, Instant now) {
    const SnapshotJob* job = jobs_.find(table_job.job_id);
    if (job != nullptr && job->all()) return std::unexpected(error);
    if (job != nullptr && (error.next == Error::Next::retry || is_of_joined(*job))) {
        table_job.table->defer();
        put_off(table_job.job_id, error, now);
        return {};
    }
    if (job != nullptr) jobs_.end(std::string{table_job.job_id}, Reported::failed, describe(error));
    drop_table_jobs();
    return {};
}

void Snapshot::put_off(const std::string& id, const Error& error, Instant now) {
    const bool passes = error.next == Error::Next::retry;
    PutOff& one = put_off_[id];
    if (now < one.until) return;  // by another of its tables
    one.pause = std::clamp(one.pause * 2, passes ? kPutOff_min : kPutOff_max,
                           passes ? kPutOff_max : kPutOffLong_max);
    one.until = now + one.pause;
    deps_.logger.failure(LogLevel::warning,
                         "a table of a snapshot could not be read; it is tried again later", error);
    reports_.waits(id, Reported::waiting, describe(error));
}

void Snapshot::chunk_ended(const TableCopier& copier) {
    if (const auto part = copier.ended_part(); part && copier.table()->part_read(*part)) {
        marks_.push_back(
            {.at = read_to_, .table = copier.table(), .part = *part, .key = {}, .whole = true});
    }
    durable(durable_to_);
}

bool Snapshot::may_assign(const TableJob& table_job, Instant now) const {
    if (table_job.over) return false;
    const TableCopyState& table = *table_job.table;
    const bool waits = table.state() == TableCopyState::State::unopened || table.has_chunk();
    if (!waits) return false;
    const SnapshotJob* job = jobs_.find(table_job.job_id);
    if (job == nullptr) return false;
    if (now < pace_.until() && !job->paused) return true;
    // Without a key it is read whole or not at all.
    return table.state() == TableCopyState::State::open && table.shape().key.empty();
}

// Unopened ones first, the largest of them; then to help with those that are open.
std::shared_ptr<TableCopyState> Snapshot::next_table(Instant now) const {
    const auto first = [&](TableCopyState::State state) -> std::shared_ptr<TableCopyState> {
        for (const TableJob& table_job : table_jobs_) {
            if (table_job.table->state() == state && may_assign(table_job, now))
                return table_job.table;
        }
        return nullptr;
    };
    if (auto unopened = first(TableCopyState::State::unopened)) return unopened;
    return first(TableCopyState::State::open);
}

Result<void> Snapshot::assign(TableCopier& copier, Instant now) {
    if (!copier.idle()) return {};
    auto table = may_lag_further() ? next_table(now) : nullptr;
    if (table == nullptr) {
        if (!waits_for_store()) copier.rest();
        return {};
    }
    return handle_event(copier,
                        copier.begin({.table = std::move(table),
                                      .snapshot = exported_.name,
                                      .publications = deps_.plan.publications,
                                      .chunk_rows = rows_each(),
                                      .readers = copiers_.size(),
                                      .statement_timeout = config_.statement_timeout},
                                     now),
                        now);
}

// Of one statement.
std::uint64_t Snapshot::rows_each() const noexcept {
    const std::uint64_t half = std::max<std::uint64_t>(config_.chunk_rows / 2, 1);
    return pace_.whole() ? half : std::min(half, kSliceRows);
}

bool Snapshot::may_lag_further() const noexcept {
    std::uint64_t asked = 0;
    for (const auto& copier : copiers_) asked += copier->rows_to_come();
    const std::uint64_t lag = ordinal_ - stored_ordinal_ + asked + rows_each();
    return lag <= config_.chunk_rows * copiers_.size() || ordinal_ == stored_ordinal_;
}

bool Snapshot::is_due() const {
    if (kept_.empty()) return false;
    return kept_.back().ordinal - stored_ordinal_ >= rows_each() || waits_for_store();
}

bool Snapshot::waits_for_store() const {
    return state_ == State::reading && a_copier_is_idle() && !may_lag_further();
}

// A reader waited for the store, and need not any more.
bool Snapshot::could_assign() const {
    return a_copier_is_idle() && may_lag_further() && next_table(deps_.clock.now()) != nullptr;
}

bool Snapshot::a_copier_is_idle() const {
    return std::ranges::any_of(copiers_, [](const auto& copier) { return copier->idle(); });
}

void Snapshot::end_group(Instant now) {
    let_go();
    if (!of_slot_) exporter_.release();
    of_slot_ = false;
    hold_.reset();
    pace_.ended(now);
    state_ = State::idle;
    finish_jobs();
    if (jobs_.empty()) copiers_.clear();
}

// The locks that readers hold: whoever waits for one to alter a table may have begun to write, and
// the next group would wait for him as he waits for us.
void Snapshot::let_go() {
    for (const auto& copier : copiers_) {
        if (copier->idle()) copier->rest();
    }
}

void Snapshot::abandon_group(Instant now) {
    for (const auto& copier : copiers_) {
        if (!copier->idle()) copier->abandon();
    }
    let_go();
    if (!of_slot_ && !exporter_.idle()) exporter_.release();
    of_slot_ = false;
    hold_.reset();
    pace_.failed(now);
    state_ = State::idle;
}

// -- rows ---------------------------------------------------------------------------------

Result<bool> Snapshot::read(Batch& batch, std::size_t max_changes, std::size_t max_bytes,
                            Instant now) {
    if (state_ != State::reading) return false;
    const std::uint64_t allowed = rate_.allowed(now, max_changes);
    if (allowed == 0) return false;
    for (std::size_t i = 0; i < copiers_.size(); ++i) {
        TableCopier& copier = *copiers_[(next_copier_ + i) % copiers_.size()];
        if (!copier.copying()) continue;
        auto read = copier.read(batch, static_cast<std::size_t>(allowed), max_bytes);
        if (!read) return std::unexpected(std::move(read.error()));
        if (read->rows == 0) {
            batch.clear();
            continue;
        }
        next_copier_ = (next_copier_ + i + 1) % copiers_.size();
        seal(batch, copier, std::move(read->last));
        rate_.took(read->rows);
        return true;
    }
    return false;
}

// The rows of one reader, as a batch.
void Snapshot::seal(Batch& batch, const TableCopier& copier, Key last) {
    const auto& table = copier.table();
    batch.lane = kSnapshotLane;
    batch.hold(table->shape().relation);
    for (Change& change : batch.changes) {
        change.lsn = rows_at();
        change.ordinal = ++ordinal_;
    }
    batch.transactions.push_back({.xid = {},
                                  .commit_lsn = rows_at(),
                                  .end_lsn = {},
                                  .committed_at = taken_at_,
                                  .first = 0,
                                  .count = static_cast<std::uint32_t>(batch.changes.size()),
                                  .ends = false});
    batch.end = read_to_ = {rows_at(), ordinal_};
    table->rows += batch.changes.size();
    if (!last.empty()) {
        marks_.push_back({.at = read_to_, .table = table, .part = copier.part(), .key = last});
    }
    table->read_up_to(copier.part(), std::move(last));
    reports_.rows_read(table_jobs_[table->place].job_id, table->name(), batch.changes.size());
    reports_.table_read(table->name(), static_cast<double>(table->rows) /
                                           static_cast<double>(table->rows_expected()));
}

void Snapshot::durable(Position position) {
    durable_to_ = std::max(durable_to_, position);
    bool changed = false;
    for (; !marks_.empty() && marks_.front().at <= durable_to_; marks_.pop_front()) {
        Mark& mark = marks_.front();
        if (mark.whole) {
            mark.table->durable_whole(mark.part);
        } else {
            mark.table->durable_up_to(mark.part, std::move(mark.key));
        }
        changed = true;
    }
    if (changed) jobs_.changed();
    finish_tables();
    finish_jobs();
    if (durable_to_.commit != rows_at()) return;
    if (changed) {
        kept_.push_back({.revision = jobs_.revision(), .ordinal = durable_to_.ordinal});
    } else {
        // Rows of a table without a key, of which nothing can be remembered.
        (kept_.empty() ? stored_ordinal_ : kept_.back().ordinal) = durable_to_.ordinal;
    }
}

void Snapshot::stored(std::uint64_t revision) {
    for (; !kept_.empty() && kept_.front().revision <= revision; kept_.pop_front()) {
        stored_ordinal_ = std::max(stored_ordinal_, kept_.front().ordinal);
    }
}

// -- rows that move meanwhile --------------------------------------------------------------

bool Snapshot::watches() const noexcept {
    return std::ranges::any_of(jobs_.all(),
                               [](const SnapshotJob& job) { return !job.open.empty(); }) ||
           std::ranges::any_of(table_jobs_,
                               [](const TableJob& table_job) { return !table_job.over; });
}

std::optional<Key> Snapshot::new_key(const Change& change) {
    Scratch scratch;
    Key key;
    for (const std::uint32_t place : change.relation->key) {
        auto text = key_text(*change.relation->columns[place].type, change.after[place], scratch);
        if (!text) return std::nullopt;
        key.push_back(std::move(*text));
    }
    return key;
}

void Snapshot::changes_come_by(const Relation& relation) {
    if (known_keys_.size() <= relation.slot) known_keys_.resize(relation.slot + 1);
    if (known_keys_[relation.slot]) return;
    known_keys_[relation.slot] = true;
    bool changed = false;
    remember(jobs_.all(), table_jobs_);
    for (SnapshotJob& job : jobs_.all()) {
        for (auto& [oid, open] : job.open) {
            if (open.shown != relation.oid || has_key_of(relation, open)) continue;
            add_moved(open, std::nullopt);
            changed = true;
        }
    }
    if (!changed) return;
    for (const TableJob& table_job : table_jobs_) {
        if (!table_job.over && table_job.table->table().shown.oid == relation.oid) {
            table_job.table->read_again(std::nullopt);
        }
    }
    jobs_.changed();
}

void Snapshot::move(const Change& change) {
    const auto key = new_key(change);
    remember(jobs_.all(), table_jobs_);
    for (const TableJob& table_job : table_jobs_) {
        if (!table_job.over && table_job.table->table().shown.oid == change.relation->oid) {
            table_job.table->read_again(key);
            deps_.logger.debug("a row that moved is read once more",
                               {{"table", table_job.table->name()}});
        }
    }
    for (SnapshotJob& job : jobs_.all()) {
        for (auto& [oid, open] : job.open) {
            if (open.shown != change.relation->oid) continue;
            add_moved(open, key);
        }
    }
    jobs_.changed();
}

// Of each table half done, what is left of it.
void Snapshot::remember(std::vector<SnapshotJob>& jobs, const std::vector<TableJob>& table_jobs) {
    for (const TableJob& table_job : table_jobs) {
        if (table_job.over) continue;
        auto left = table_job.table->left();
        const auto job = std::ranges::find_if(
            jobs, [&](const SnapshotJob& one) { return one.request.id == table_job.job_id; });
        if (!left || job == jobs.end()) continue;
        job->open.insert_or_assign(table_job.table->table().address.oid, std::move(*left));
    }
}

void Snapshot::finish_tables() {
    for (TableJob& table_job : table_jobs_) {
        if (table_job.over || !table_job.table->all_durable()) continue;
        table_job.over = true;
        SnapshotJob* job = jobs_.find(table_job.job_id);
        if (job == nullptr) continue;
        job->open.erase(table_job.table->table().address.oid);
        job->pending.erase(table_job.table->table().address.oid);
        job->done.insert(table_job.table->table().address.oid);
        reports_.table_done(table_job.job_id, table_job.table->name());
        jobs_.changed();
    }
}

// A job is over when a group that began with all its tables has left none of them.
void Snapshot::finish_jobs() {
    std::vector<std::string> over;
    for (const std::string& id : begun_) {
        const bool left = std::ranges::any_of(table_jobs_, [&](const TableJob& table_job) {
            return table_job.job_id == id && !table_job.over;
        });
        if (!left && jobs_.find(id) != nullptr) over.push_back(id);
    }
    for (const std::string& id : over) {
        const SnapshotJob& job = *jobs_.find(id);
        const bool none = !job.all() && job.done.empty();
        const bool were = !job.pending.empty();
        put_off_.erase(id);
        jobs_.end(id, none ? Reported::failed : Reported::done,
                  !none  ? ""
                  : were ? "its tables are gone, or not captured any more"
                         : "no captured table has this name");
    }
}

// -- reported -----------------------------------------------------------------------------

std::string Snapshot::progress() const {
    auto jobs = jobs_.all();
    remember(jobs, table_jobs_);
    return write_progress(bounded(std::move(jobs)));
}

SnapshotReport Snapshot::report() const {
    SnapshotReport report = reports_.report();
    for (SnapshotReport::Request& request : report.requests) {
        for (const TableJob& table_job : table_jobs_) {
            if (table_job.job_id != request.id || table_job.over ||
                request.open.size() >= kOpenShown_max)
                continue;
            if (table_job.table->state() != TableCopyState::State::open) continue;
            request.open.push_back({.name = table_job.table->name(),
                                    .rows = table_job.table->rows,
                                    .rows_expected = table_job.table->rows_expected()});
        }
    }
    return report;
}

void Snapshot::wants(Wants& wants, bool reading) const {
    exporter_.wants(wants);
    const bool may_read = reading && !rate_.exhausted();
    for (const auto& copier : copiers_) copier->wants(wants, may_read);
    switch (state_) {
        case State::idle:
            if (marks_.empty() && exporter_.idle()) {
                wants.until(std::max(pace_.next(), due()));
            }
            return;
        case State::exporting:
            wants.until(hold_ ? pace_.give_way_at() : kNever);
            wants.until(exporter_.creating() ? report_at_ : kNever);
            return;
        case State::approaching:
        case State::listing: return;
        case State::reading:
            if (reading && rate_.exhausted()) wants.until(rate_.refill_at());
            if (could_assign()) wants.until(Instant{});
            return;
    }
}

}  // namespace pgc
