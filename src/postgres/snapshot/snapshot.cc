#include "postgres/snapshot/snapshot.h"

#include <algorithm>
#include <utility>

#include "pgclient/quote.h"
#include "postgres/snapshot/progress.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

constexpr Duration kReportEvery = std::chrono::seconds{10};
// Chunks of a snapshot beside the stream: it stands while one is read.
constexpr std::uint64_t kSliceRows = 20'000;
// At any place: the stream stops between two transactions.
constexpr Lsn kHere{1};

}  // namespace

Snapshot::Snapshot(Deps deps)
    : deps_(std::move(deps)),
      config_(deps_.config.snapshot),
      ordered_at_(deps_.from),
      reports_(deps_.clock, deps_.metrics),
      jobs_(reports_, deps_.logger),
      exporter_(deps_.links, deps_.config.slot, deps_.config.connection.connect_timeout),
      pace_(config_.share, config_.hold_max),
      rate_(config_.rows_per_second),
      tables_(jobs_, reports_, deps_.relations, deps_.logger),
      reloads_({.jobs = jobs_,
                .reports = reports_,
                .relations = deps_.relations,
                .plan = deps_.plan,
                .links = deps_.links,
                .logger = deps_.logger}),
      moved_(jobs_, tables_) {}

Snapshot::~Snapshot() = default;

// -- what is to be read -------------------------------------------------------------------

Result<void> Snapshot::restore(std::string_view progress) {
    return jobs_.restore(progress);
}

void Snapshot::request(const SnapshotCommand& command, RequestedBy by, std::set<Oid> tables) {
    SnapshotCommand placed = command;
    auto& reload = placed.request.reload;
    if (reload && !reload->at) reload->at = ordered_at_;
    jobs_.request(placed, by, std::move(tables));
    drop_ended_jobs();
}

void Snapshot::drop_ended_jobs() {
    tables_.drop_ended();
    retries_.forget_ended(jobs_);
}

bool Snapshot::has_all_before_it() const noexcept {
    const SnapshotJob* all = jobs_.find(kWholeSnapshotId);
    return all != nullptr && !all->paused && all->done.empty() && all->open.empty();
}

// -- groups -------------------------------------------------------------------------------

void Snapshot::begin_at(ExportedSnapshot exported, Instant now) {
    take_snapshot(std::move(exported));
    of_slot_ = true;
    hold_ = exported_.at;
    pace_.begun(now, jobs_.whole());
    pace_.reading(now);
    listed_ = false;
    state_ = State::listing;
}

bool Snapshot::may_begin(Instant now) const {
    // What is not durable yet would be read again.
    return rows_.settled() && pace_.may_begin(now) && now >= retries_.due(jobs_) &&
           !reloads_.keep_all_waiting();
}

Result<void> Snapshot::step(const Stream& stream, Instant now) {
    const Lsn read_at = resting() ? rows_.place() : Lsn{};
    ordered_at_ = std::max({ordered_at_, stream.begun, read_at});
    const std::uint64_t before = jobs_.revision();
    reloads_.step(now);
    if (jobs_.revision() != before) drop_ended_jobs();
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
    take_snapshot(**exported);
    hold_ = exported_.at;  // whether the stream stands there, its source says at the next step
    state_ = State::approaching;
    return {};
}

// Rows are as of the byte before.
void Snapshot::take_snapshot(ExportedSnapshot exported) {
    exported_ = std::move(exported);
    rows_.set_place({exported_.at ? exported_.at.value - 1 : 0});
}

void Snapshot::report_waiting(Instant now) {
    report_at_ = now + kReportEvery;
    deps_.logger.warning("the snapshot waits for transactions that are still running",
                         {{"hint",
                           "find them, then end them or wait: SELECT pid, xact_start, state FROM "
                           "pg_stat_activity WHERE backend_xid IS NOT NULL ORDER BY "
                           "xact_start;"}});
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
    tables_.begin(
        *tables,
        [&](const SnapshotJob& job) {
            return !job.paused && reloads_.may_read(job) && now >= retries_.due(job.request.id);
        },
        stored_with_rows_, rows_.place());
    for (const std::string& id : tables_.blocked()) (void)retries_.put_off(id, true, now);
    moved_.ask_keys_again();
    const auto all = std::ranges::find_if(jobs_.all(), &SnapshotJob::all);
    marked_.begin_group(all != jobs_.all().end() && all->begun, tables_.sent_before());
    rows_.begin_group();
    deps_.logger.debug("a group of the snapshot is read",
                       {{"at", exported_.at}, {"tables", tables_.size()}});
    state_ = State::reading;
    finish_jobs();
    return read_tables(now);
}

Result<void> Snapshot::read_tables(Instant now) {
    bool busy = false;
    for (const auto& copier : copiers_) {
        if (auto done = step_copier(*copier, now); !done) return done;
        if (state_ != State::reading) return {};
        if (auto done = assign(*copier, now); !done) return done;
        busy = busy || copier->busy();
    }
    if (busy || next_table(now) != nullptr) return {};
    marked_.close(false);
    if (!marked_.ready()) end_group(now);
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
        case TableCopier::Event::table_failed:
            return table_failed(*copier.table(), copier.failure(), now);
    }
    return {};
}

// A snapshot that was asked for while the stream runs fails alone, and not by what may pass. One
// that nobody asked for is nobody's to request again: it is tried until it can be read.
Result<void> Snapshot::table_failed(TableCopyState& table, const Error& error, Instant now) {
    const std::string id = tables_.job_of(table);
    const SnapshotJob* job = jobs_.find(id);
    if (job != nullptr && job->all()) return std::unexpected(error);
    const bool passes = error.next != Error::Next::stop;
    if (job != nullptr && (passes || is_of_joined(*job))) {
        table.defer();
        if (!retries_.put_off(id, passes, now)) return {};
        deps_.logger.failure(LogLevel::warning,
                             "a table of a snapshot could not be read; it is tried again later",
                             error);
        reports_.waits(id, Reported::waiting, describe(error));
        return {};
    }
    if (job != nullptr) jobs_.end(id, Reported::failed, describe(error));
    drop_ended_jobs();
    return {};
}

void Snapshot::chunk_ended(const TableCopier& copier) {
    const auto& table = copier.table();
    if (const auto part = copier.ended_part(); part && !table->part_read(*part)) {
        marked_.forget(*table, *part);
    } else if (part && !marked_.part_ended(*table, *part)) {
        rows_.part_ended(table, *part);
    }
    if (const SnapshotJob* job = marks_rows_of(*table)) {
        const Oid shown = table->table().shown.oid;
        if (tables_.table_read(job->request.id, shown)) marked_.table_read(shown);
        if (tables_.all_read(job->request.id)) marked_.close(true);
    }
    durable(rows_.durable_to());
}

std::shared_ptr<TableCopyState> Snapshot::next_table(Instant now) const {
    return tables_.next(now < pace_.until());
}

Result<void> Snapshot::assign(TableCopier& copier, Instant now) {
    if (!copier.idle()) return {};
    auto table = may_lag_further() ? next_table(now) : nullptr;
    if (table == nullptr) {
        if (!waits_for_store()) copier.rest();
        return {};
    }
    tables_.begins(*table);
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
    const std::uint64_t lag = rows_.unstored() + asked + rows_each();
    return lag <= lag_max() || rows_.unstored() == 0;
}

std::uint64_t Snapshot::lag_max() const noexcept {
    return config_.chunk_rows * copiers_.size() * lag_factor_;
}

bool Snapshot::is_due() const {
    const auto rows = rows_.to_be_stored();
    return rows && (*rows >= rows_each() * lag_factor_ || waits_for_store());
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
    marked_.forget_all();
    if (!of_slot_ && !exporter_.idle()) exporter_.release();
    of_slot_ = false;
    hold_.reset();
    pace_.failed(now);
    state_ = State::idle;
}

// -- what was read ------------------------------------------------------------------------

void Snapshot::durable(Position position) {
    const bool changed = rows_.durable(position);
    if (changed) jobs_.changed();
    tables_.finish_tables();
    finish_jobs();
    rows_.kept(changed, jobs_.revision());
}

void Snapshot::finish_jobs() {
    tables_.finish_jobs();
    retries_.forget_ended(jobs_);
}

// -- reported -----------------------------------------------------------------------------

std::string Snapshot::progress() const {
    auto jobs = jobs_.all();
    tables_.remember(jobs);
    return write_progress(bounded(std::move(jobs)));
}

SnapshotReport Snapshot::report() const {
    SnapshotReport report = reports_.report();
    tables_.show(report);
    return report;
}

void Snapshot::wants(Wants& wants, bool reading) const {
    exporter_.wants(wants);
    reloads_.wants(wants);
    const bool may_read = reading && !rate_.exhausted();
    for (const auto& copier : copiers_) copier->wants(wants, may_read);
    switch (state_) {
        case State::idle:
            if (rows_.settled() && exporter_.idle() && !reloads_.keep_all_waiting()) {
                wants.until(std::max(pace_.next(), retries_.due(jobs_)));
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
            if (could_assign() || (may_read && marked_.ready())) wants.until(Instant{});
            return;
    }
}

}  // namespace pgc
