#include "postgres/snapshot/snapshot.h"

#include <algorithm>
#include <iterator>
#include <span>
#include <utility>

#include "postgres/quote.h"
#include "postgres/snapshot/statements.h"

namespace pgc {
namespace {

using Reported = SnapshotReport::State;

constexpr Duration kTellEvery = std::chrono::seconds{10};
// Chunks of a snapshot beside the stream: it stands while one is read.
constexpr std::uint64_t kSliceRows = 20'000;
constexpr std::size_t kOpenShown_max = 8;
constexpr std::size_t kSlotName_max = 63;
// Until a table is tried again that could not be read: for a reason that may pass by itself, and
// for one that somebody has to mend. Each time twice as long.
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

Snapshot::Snapshot(With with)
    : with_(std::move(with)),
      config_(with_.config.snapshot),
      reports_(with_.clock, with_.metrics),
      works_(reports_, with_.logger),
      exporter_(with_.links, temporary_slot(with_.config.slot),
                with_.config.connection.connect_timeout),
      pace_(config_.share, config_.hold_max),
      rate_(config_.rows_per_second) {}

Snapshot::~Snapshot() = default;

// -- what is to be read -------------------------------------------------------------------

Result<void> Snapshot::take_up(std::string_view progress) {
    return works_.take_up(progress);
}

void Snapshot::order(const SnapshotOrder& order, OrderedBy by, std::set<Oid> tables) {
    works_.order(order, by, std::move(tables));
    drop_jobs();
}

// What was cancelled, or has failed, is not read on.
void Snapshot::drop_jobs() {
    for (Job& job : jobs_) job.over = job.over || works_.find(job.work) == nullptr;
    std::erase_if(put_off_, [&](const auto& one) { return works_.find(one.first) == nullptr; });
}

bool Snapshot::has_all_before_it() const noexcept {
    const SnapshotWork* all = works_.find(kWholeSnapshotId);
    return all != nullptr && !all->paused && all->done.empty() && all->open.empty();
}

// -- groups -------------------------------------------------------------------------------

void Snapshot::begin_at(ExportedSnapshot exported, Instant now) {
    exported_ = std::move(exported);
    of_slot_ = true;
    hold_ = exported_.at;
    pace_.begun(now, works_.whole());
    pace_.reading(now);
    listed_ = false;
    state_ = State::listing;
}

bool Snapshot::may_begin(Instant now) const {
    // What is not durable yet would be read again.
    return marks_.empty() && pace_.may_begin(now) && now >= due();
}

// When the first of the works may be read that are not paused.
Instant Snapshot::due() const {
    Instant first = kNever;
    for (const SnapshotWork& work : works_.all()) {
        if (!work.paused) first = std::min(first, due(work));
    }
    return first;
}

Instant Snapshot::due(const SnapshotWork& work) const {
    const auto at = put_off_.find(work.request.id);
    return at == put_off_.end() ? Instant{} : at->second.until;
}

Result<void> Snapshot::step(const Stream& stream, Instant now) {
    auto done = go_on(stream, now);
    if (done || done.error().next == Error::Next::stop) return done;
    with_.logger.failure(LogLevel::warning, "the snapshot was interrupted; trying again",
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
            return step_readers(now);
        case State::exporting:
            if (auto done = step_readers(now); !done) return done;
            return export_snapshot(stream, now);
        case State::approaching:
            if (auto done = step_readers(now); !done) return done;
            return approach(stream, now);
        case State::listing: return list_tables(now);
        case State::reading: return read_tables(now);
    }
    return {};
}

void Snapshot::begin_exporting(Instant now) {
    exporter_.begin(now);
    pace_.begun(now, works_.whole());
    hold_ = kHere;
    tell_at_ = now + kTellEvery;
    state_ = State::exporting;
}

Result<void> Snapshot::export_snapshot(const Stream& stream, Instant now) {
    const auto exported = exporter_.step(now);
    if (!exported) return std::unexpected(exported.error());
    if (*exported == nullptr) {
        if (now >= pace_.give_way_at()) hold_.reset();
        if (now >= tell_at_ && exporter_.creating()) tell_waiting(now);
        return {};
    }
    tell_at_ = kNever;
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

void Snapshot::tell_waiting(Instant now) {
    tell_at_ = now + kTellEvery;
    with_.logger.warning(
        "the snapshot waits for transactions that are still running",
        {{"mend",
          "end them: SELECT pid, xact_start, state FROM pg_stat_activity WHERE backend_xid "
          "IS NOT NULL ORDER BY xact_start;"}});
    for (const SnapshotWork& work : works_.all()) {
        if (work.paused) continue;
        reports_.waits(work.request.id, Reported::waiting, "transactions that are still running");
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

std::size_t Snapshot::readers_wanted() const {
    return static_cast<std::size_t>(config_.readers);
}

Result<void> Snapshot::list_tables(Instant now) {
    while (readers_.size() < readers_wanted()) {
        readers_.push_back(
            std::make_unique<TableReader>(TableReader::With{.config = with_.config,
                                                            .links = with_.links,
                                                            .relations = with_.relations,
                                                            .memory = with_.memory,
                                                            .logger = with_.logger}));
    }
    if (auto done = step_readers(now); !done) return done;
    TableReader& first = *readers_.front();
    if (!listed_) {
        if (!first.idle()) return {};
        listed_ = true;
        taken_at_ = with_.clock.wall();
        return first.ask(
            "ROLLBACK; BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; "
            "SET TRANSACTION SNAPSHOT " +
            quote_text(exported_.name) + "; " +
            snapshot_tables_query(with_.plan.server_version, with_.plan.publications));
    }
    auto rows = first.answer(now);
    if (!rows) return std::unexpected(std::move(rows.error()));
    return *rows ? take_tables(**rows, now) : Result<void>{};
}

Result<void> Snapshot::take_tables(const Rows& rows, Instant now) {
    const auto tables = read_snapshot_tables(rows);
    if (!tables) return std::unexpected(tables.error());
    remember(works_.all(), jobs_);
    jobs_.clear();
    begun_.clear();
    kept_.clear();
    known_keys_.clear();
    // Two groups at one place would still be one line of positions.
    ordinal_ = stored_ordinal_ = read_to_.commit == rows_at() ? read_to_.ordinal : 0;
    for (SnapshotWork& work : works_.all()) {
        if (work.paused || now < due(work)) continue;
        if (add_jobs(work, *tables)) begun_.push_back(work.request.id);
    }
    with_.logger.debug("a group of the snapshot is read",
                       {{"at", exported_.at}, {"tables", jobs_.size()}});
    state_ = State::reading;
    finish_works();
    return read_tables(now);
}

// A table is read once in a group: two READs of one row at one place could not be told from two
// rows.
bool Snapshot::add_jobs(SnapshotWork& work, const std::vector<SnapshotTable>& tables) {
    std::uint64_t expected = 0;
    std::uint64_t added = 0;
    bool whole = true;
    std::set<Oid> taken;
    const TableFilter named = tables_named(work.request);
    for (const Job& job : jobs_) taken.insert(job.table->table().address.oid);
    for (const SnapshotTable& table : tables) {
        if (work.done.contains(table.address.oid) || !means(work, named, table)) continue;
        if (!with_.relations.selects(table.shown.schema, table.shown.name, table.above)) {
            forget(work, table);
            continue;
        }
        // From now on it is this table, not whichever is called like it when its turn comes.
        if (!work.all() && work.meant.insert(table.address.oid).second) works_.changed();
        if (taken.contains(table.address.oid)) {
            whole = false;
            continue;
        }
        const auto open = work.open.find(table.address.oid);
        jobs_.push_back(
            {.work = work.request.id,
             .table = std::make_shared<TableReading>(
                 table, work.request.where,
                 open == work.open.end() ? std::nullopt : std::optional{open->second})});
        jobs_.back().table->place = jobs_.size() - 1;
        expected += jobs_.back().table->rows_expected();
        ++added;
    }
    reports_.tables(work.request.id, added, expected);
    reports_.waits(work.request.id, Reported::reading, "");
    return whole;
}

// One whose new name the filters don't mean: its changes come no more, so its rows don't either.
void Snapshot::forget(SnapshotWork& work, const SnapshotTable& table) {
    if (work.meant.erase(table.address.oid) + work.open.erase(table.address.oid) == 0) return;
    works_.changed();
    with_.logger.warning(
        "a table is read no further: the filters don't include it any more",
        {{"id", work.request.id}, {"table", quote_name(table.address.schema, table.address.name)}});
}

Result<void> Snapshot::read_tables(Instant now) {
    bool busy = false;
    for (const auto& reader : readers_) {
        if (auto done = step_reader(*reader, now); !done) return done;
        if (state_ != State::reading) return {};
        if (auto done = assign(*reader, now); !done) return done;
        busy = busy || reader->busy();
    }
    if (!busy && next_table(now) == nullptr) end_group(now);
    return {};
}

// Also while they have nothing to read: the end of a transaction is heard, a connection made anew.
Result<void> Snapshot::step_readers(Instant now) {
    for (const auto& reader : readers_) {
        if (auto done = step_reader(*reader, now); !done) return done;
    }
    return {};
}

Result<void> Snapshot::step_reader(TableReader& reader, Instant now) {
    return heed(reader, reader.step(now), now);
}

Result<void> Snapshot::heed(TableReader& reader, const Result<TableReader::Event>& event,
                            Instant now) {
    if (!event) return std::unexpected(event.error());
    switch (*event) {
        case TableReader::Event::none: return {};
        case TableReader::Event::ended: chunk_ended(reader); return {};
        case TableReader::Event::snapshot_lost:
            return std::unexpected(
                retry(Error::Category::server, "the database's snapshot is not there any more"));
        case TableReader::Event::table_failed: {
            return table_failed(jobs_[reader.table()->place], reader.failure(), now);
        }
    }
    return {};
}

// A snapshot that was asked for while the stream runs fails alone, and not by what may pass. One
// that nobody asked for is nobody's to order again: it is tried until it can be read.
Result<void> Snapshot::table_failed(const Job& job, const Error& error, Instant now) {
    const SnapshotWork* work = works_.find(job.work);
    if (work != nullptr && work->all()) return std::unexpected(error);
    if (work != nullptr && (error.next == Error::Next::retry || is_of_joined(*work))) {
        job.table->defer();
        put_off(job.work, error, now);
        return {};
    }
    if (work != nullptr) works_.end(std::string{job.work}, Reported::failed, describe(error));
    drop_jobs();
    return {};
}

void Snapshot::put_off(const std::string& id, const Error& error, Instant now) {
    const bool passes = error.next == Error::Next::retry;
    PutOff& one = put_off_[id];
    if (now < one.until) return;  // by another of its tables
    one.pause = std::clamp(one.pause * 2, passes ? kPutOff_min : kPutOff_max,
                           passes ? kPutOff_max : kPutOffLong_max);
    one.until = now + one.pause;
    with_.logger.failure(LogLevel::warning,
                         "a table of a snapshot could not be read; it is tried again later", error);
    reports_.waits(id, Reported::waiting, describe(error));
}

void Snapshot::chunk_ended(const TableReader& reader) {
    if (const auto part = reader.ended_part(); part && reader.table()->part_read(*part)) {
        marks_.push_back(
            {.at = read_to_, .table = reader.table(), .part = *part, .key = {}, .whole = true});
    }
    durable(durable_to_);
}

bool Snapshot::may_assign(const Job& job, Instant now) const {
    if (job.over) return false;
    const TableReading& table = *job.table;
    const bool waits = table.state() == TableReading::State::unopened || table.has_chunk();
    if (!waits) return false;
    const SnapshotWork* work = works_.find(job.work);
    if (work == nullptr) return false;
    if (now < pace_.until() && !work->paused) return true;
    // Without a key it is read whole or not at all.
    return table.state() == TableReading::State::open && table.shape().key.empty();
}

// Unopened ones first, the largest of them; then to help with those that are open.
std::shared_ptr<TableReading> Snapshot::next_table(Instant now) const {
    const auto first = [&](TableReading::State state) -> std::shared_ptr<TableReading> {
        for (const Job& job : jobs_) {
            if (job.table->state() == state && may_assign(job, now)) return job.table;
        }
        return nullptr;
    };
    if (auto unopened = first(TableReading::State::unopened)) return unopened;
    return first(TableReading::State::open);
}

Result<void> Snapshot::assign(TableReader& reader, Instant now) {
    if (!reader.idle()) return {};
    auto table = may_lag_further() ? next_table(now) : nullptr;
    if (table == nullptr) {
        if (!waits_for_store()) reader.rest();
        return {};
    }
    return heed(reader,
                reader.begin({.table = std::move(table),
                              .snapshot = exported_.name,
                              .publications = with_.plan.publications,
                              .chunk_rows = rows_each(),
                              .readers = readers_.size(),
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
    for (const auto& reader : readers_) asked += reader->rows_to_come();
    const std::uint64_t lag = ordinal_ - stored_ordinal_ + asked + rows_each();
    return lag <= config_.chunk_rows * readers_.size() || ordinal_ == stored_ordinal_;
}

bool Snapshot::is_due() const {
    if (kept_.empty()) return false;
    return kept_.back().ordinal - stored_ordinal_ >= rows_each() || waits_for_store();
}

bool Snapshot::waits_for_store() const {
    return state_ == State::reading && a_reader_is_idle() && !may_lag_further();
}

// A reader waited for the store, and need not any more.
bool Snapshot::could_assign() const {
    return a_reader_is_idle() && may_lag_further() && next_table(with_.clock.now()) != nullptr;
}

bool Snapshot::a_reader_is_idle() const {
    return std::ranges::any_of(readers_, [](const auto& reader) { return reader->idle(); });
}

void Snapshot::end_group(Instant now) {
    let_go();
    if (!of_slot_) exporter_.release();
    of_slot_ = false;
    hold_.reset();
    pace_.ended(now);
    state_ = State::idle;
    finish_works();
    if (works_.empty()) readers_.clear();
}

// The locks that readers hold: whoever waits for one to alter a table may have begun to write, and
// the next group would wait for him as he waits for us.
void Snapshot::let_go() {
    for (const auto& reader : readers_) {
        if (reader->idle()) reader->rest();
    }
}

void Snapshot::abandon_group(Instant now) {
    for (const auto& reader : readers_) {
        if (!reader->idle()) reader->abandon();
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
    for (std::size_t i = 0; i < readers_.size(); ++i) {
        TableReader& reader = *readers_[(next_reader_ + i) % readers_.size()];
        if (!reader.copying()) continue;
        auto read = reader.read(batch, static_cast<std::size_t>(allowed), max_bytes);
        if (!read) return std::unexpected(std::move(read.error()));
        if (read->rows == 0) {
            batch.clear();
            continue;
        }
        next_reader_ = (next_reader_ + i + 1) % readers_.size();
        seal(batch, reader, std::move(read->last));
        rate_.took(read->rows);
        return true;
    }
    return false;
}

// The rows of one reader, as a batch.
void Snapshot::seal(Batch& batch, const TableReader& reader, Key last) {
    const auto& table = reader.table();
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
        marks_.push_back({.at = read_to_, .table = table, .part = reader.part(), .key = last});
    }
    table->read_up_to(reader.part(), std::move(last));
    reports_.rows_read(jobs_[table->place].work, table->name(), batch.changes.size());
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
    if (changed) works_.changed();
    finish_tables();
    finish_works();
    if (durable_to_.commit != rows_at()) return;
    if (changed) {
        kept_.push_back({.revision = works_.revision(), .ordinal = durable_to_.ordinal});
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
    return std::ranges::any_of(works_.all(),
                               [](const SnapshotWork& work) { return !work.open.empty(); }) ||
           std::ranges::any_of(jobs_, [](const Job& job) { return !job.over; });
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
    remember(works_.all(), jobs_);
    for (SnapshotWork& work : works_.all()) {
        for (auto& [oid, open] : work.open) {
            if (open.shown != relation.oid || has_key_of(relation, open)) continue;
            add_moved(open, std::nullopt);
            changed = true;
        }
    }
    if (!changed) return;
    for (const Job& job : jobs_) {
        if (!job.over && job.table->table().shown.oid == relation.oid) {
            job.table->read_again(std::nullopt);
        }
    }
    works_.changed();
}

void Snapshot::move(const Change& change) {
    const auto key = new_key(change);
    remember(works_.all(), jobs_);
    for (const Job& job : jobs_) {
        if (!job.over && job.table->table().shown.oid == change.relation->oid) {
            job.table->read_again(key);
            with_.logger.debug("a row that moved is read once more",
                               {{"table", job.table->name()}});
        }
    }
    for (SnapshotWork& work : works_.all()) {
        for (auto& [oid, open] : work.open) {
            if (open.shown != change.relation->oid) continue;
            add_moved(open, key);
        }
    }
    works_.changed();
}

// Of each table half done, what is left of it.
void Snapshot::remember(std::vector<SnapshotWork>& works, const std::vector<Job>& jobs) {
    for (const Job& job : jobs) {
        if (job.over) continue;
        auto left = job.table->left();
        const auto work = std::ranges::find_if(
            works, [&](const SnapshotWork& one) { return one.request.id == job.work; });
        if (!left || work == works.end()) continue;
        work->open.insert_or_assign(job.table->table().address.oid, std::move(*left));
    }
}

void Snapshot::finish_tables() {
    for (Job& job : jobs_) {
        if (job.over || !job.table->all_durable()) continue;
        job.over = true;
        SnapshotWork* work = works_.find(job.work);
        if (work == nullptr) continue;
        work->open.erase(job.table->table().address.oid);
        work->meant.erase(job.table->table().address.oid);
        work->done.insert(job.table->table().address.oid);
        reports_.table_done(job.work, job.table->name());
        works_.changed();
    }
}

// A work is over when a group that began with all its tables has left none of them.
void Snapshot::finish_works() {
    std::vector<std::string> over;
    for (const std::string& id : begun_) {
        const bool left =
            std::ranges::any_of(jobs_, [&](const Job& job) { return job.work == id && !job.over; });
        if (!left && works_.find(id) != nullptr) over.push_back(id);
    }
    for (const std::string& id : over) {
        const SnapshotWork& work = *works_.find(id);
        const bool none = !work.all() && work.done.empty();
        const bool were = !work.meant.empty();
        put_off_.erase(id);
        works_.end(id, none ? Reported::failed : Reported::done,
                   !none  ? ""
                   : were ? "its tables are gone, or not captured any more"
                          : "no captured table is called like this");
    }
}

// -- told ---------------------------------------------------------------------------------

std::string Snapshot::progress() const {
    auto works = works_.all();
    remember(works, jobs_);
    return write_progress(bounded(std::move(works)));
}

SnapshotReport Snapshot::report() const {
    SnapshotReport report = reports_.report();
    for (SnapshotReport::Request& request : report.requests) {
        for (const Job& job : jobs_) {
            if (job.work != request.id || job.over || request.open.size() >= kOpenShown_max)
                continue;
            if (job.table->state() != TableReading::State::open) continue;
            request.open.push_back({.name = job.table->name(),
                                    .rows = job.table->rows,
                                    .rows_expected = job.table->rows_expected()});
        }
    }
    return report;
}

void Snapshot::wants(Wants& wants, bool reading) const {
    exporter_.wants(wants);
    const bool may_read = reading && !rate_.exhausted();
    for (const auto& reader : readers_) reader->wants(wants, may_read);
    switch (state_) {
        case State::idle:
            if (marks_.empty() && exporter_.idle()) {
                wants.until(std::max(pace_.next(), due()));
            }
            return;
        case State::exporting:
            wants.until(hold_ ? pace_.give_way_at() : kNever);
            wants.until(exporter_.creating() ? tell_at_ : kNever);
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
