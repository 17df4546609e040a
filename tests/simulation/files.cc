#include "simulation/files.h"

#include <algorithm>
#include <cerrno>
#include <tuple>

#include "base/crc32c.h"
#include "sink/file/layout.h"
#include "sink/file/sink.h"
#include "sink/file/task_pool.h"
#include "sink/file/worker.h"
#include "support/forwarding.h"

namespace pgc::sim {

using namespace std::chrono_literals;

namespace {

constexpr std::string_view kPipeline = "shop";

// A disk that leaves out what makes something durable, or what takes something back.
class SpoiltDisk final : public Disk {
public:
    SpoiltDisk(Disk& inner, Mutation mutation) : inner_(inner), mutation_(mutation) {}

    Result<std::unique_ptr<DiskFile>> create(const std::string& path) override {
        return spoilt(inner_.create(path));
    }
    Result<std::unique_ptr<DiskFile>> append(const std::string& path, std::uint64_t size) override {
        return spoilt(inner_.append(path, size));
    }
    Result<void> make_folder(const std::string& path) override { return inner_.make_folder(path); }
    Result<void> rename(const std::string& from, const std::string& to) override {
        return inner_.rename(from, to);
    }
    Result<void> sync_folder(const std::string& path) override {
        if (mutation_ == Mutation::folders_are_not_synced) return {};
        return inner_.sync_folder(path);
    }
    Result<std::optional<std::string>> read(const std::string& path) override {
        const bool closing = path.ends_with("closing.json");
        if (closing && mutation_ == Mutation::files_stay_where_they_are_moved) return std::nullopt;
        return inner_.read(path);
    }
    Result<std::optional<std::string>> read_part(const std::string& path, std::uint64_t offset,
                                                 std::size_t most) override {
        return inner_.read_part(path, offset, most);
    }
    Result<void> replace(const std::string& path, std::string_view content) override {
        return inner_.replace(path, content);
    }
    Result<void> remove(const std::string& path) override { return inner_.remove(path); }
    Result<std::vector<std::string>> list(const std::string& path) override {
        return inner_.list(path);
    }
    Result<std::optional<std::uint64_t>> size(const std::string& path) override {
        return inner_.size(path);
    }
    Result<std::unique_ptr<DiskLock>> lock(const std::string& path) override {
        return inner_.lock(path);
    }

private:
    class Unsynced final : public DiskFile {
    public:
        explicit Unsynced(std::unique_ptr<DiskFile> inner) : inner_(std::move(inner)) {}
        Result<void> write(std::string_view bytes) override { return inner_->write(bytes); }
        Result<void> sync() override { return {}; }

    private:
        const std::unique_ptr<DiskFile> inner_;
    };
    Result<std::unique_ptr<DiskFile>> spoilt(Result<std::unique_ptr<DiskFile>> file) const {
        if (!file || mutation_ != Mutation::files_are_not_synced) return file;
        return std::make_unique<Unsynced>(std::move(*file));
    }

    Disk& inner_;
    const Mutation mutation_;
};

// Whoever hears what is committed hears it after the loader.
class WatchedPositions final : public PositionStore {
public:
    WatchedPositions(PositionStore& inner, FakeFiles& files, bool hasty)
        : inner_(inner), files_(files), hasty_(hasty) {}

    Result<std::optional<Loaded>> load() override {
        auto loaded = inner_.load();
        files_.look();
        return loaded;
    }
    void create() override { inner_.create(); }
    Result<void> save(const StoredPosition& position) override { return inner_.save(position); }
    Result<void> forget() override { return inner_.forget(); }
    Result<bool> saved() override {
        auto saved = inner_.saved();
        files_.look();
        if (saved && hasty_) return true;
        return saved;
    }
    void wants(Wants& wants) const override { inner_.wants(wants); }
    std::uint64_t attempts() const noexcept override { return inner_.attempts(); }
    std::string where() const override { return inner_.where(); }

private:
    PositionStore& inner_;
    FakeFiles& files_;
    const bool hasty_;
};

// A place where the process may die, and after which somebody looks.
class WatchedFiles final : public test::ForwardingSink {
public:
    WatchedFiles(World& world, FakeFiles& files, std::unique_ptr<Sink> sink, Mutation mutation)
        : ForwardingSink(std::move(sink)),
          world_(world),
          files_(files),
          mutation_(mutation),
          positions_(*inner().positions(), files,
                     mutation == Mutation::files_are_called_registered) {}
    ~WatchedFiles() override { files_.look(); }

    PositionStore* positions() noexcept override { return &positions_; }
    Result<bool> open() override {
        auto opened = inner().open();
        files_.look();
        return opened;
    }
    Result<Offer> offer(RecordBatchPtr& batch) override {
        world_.step("offer");
        // It may be gone when it was accepted.
        files_.accepted(*batch);
        if (mutation_ == Mutation::ddl_is_left_out) batch->messages.clear();
        auto answer = inner().offer(batch);
        files_.look();
        return answer;
    }
    Result<Position> durable(Lane lane) override {
        auto durable = inner().durable(lane);
        files_.look();
        return durable;
    }
    Result<void> seal(const StoredPosition& position) override {
        world_.step("seal");
        auto sealed = inner().seal(position);
        files_.look();
        return sealed;
    }

    void reload_changed(const ReloadChange& change) override {
        using Step = ReloadChange::Step;
        if (mutation_ == Mutation::reload_that_is_over_goes_on && change.step == Step::over) return;
        inner().reload_changed(change);
    }
    void table_ended(const SnapshotTableEnd& table) override {
        SnapshotTableEnd told = table;
        // What was given up is a file all the same.
        if (mutation_ == Mutation::reload_that_is_given_up_is_complete) told.whole = true;
        inner().table_ended(told);
    }

private:
    World& world_;
    FakeFiles& files_;
    const Mutation mutation_;
    WatchedPositions positions_;
};

}  // namespace

FakeFiles::FakeFiles(World& world, Oracle& oracle, const History& history, const FileHabits& habits,
                     Mutation mutation)
    : world_(world),
      oracle_(oracle),
      habits_(habits),
      mutation_(mutation),
      registry_(world.clock, world.random),
      ddl_(world, history),
      reloads_(world, history) {
    asked_ = std::make_unique<SpoiltDisk>(disk_, mutation);
    if (!habits_.there) return;
    oracle_.comes_in_one_line();
    config_->root = "/files";
    config_->pipeline = kPipeline;
    config_->compression = Compression::none;
    config_->interval = std::max<Duration>(habits_.interval, 1s);
    config_->checkpoint_interval = habits_.checkpoint;
    config_->bytes_max = habits_.bytes_max;
    registry_.exists = !habits_.missing;
    registry_.delay_max = habits_.answer_max;
    registry_.lost_before_percent = habits_.lost_percent;
    registry_.lost_after_percent = habits_.lost_percent;
    registry_.step = [this](const char* what) { world_.step(what); };
    disk_.set_observer(
        [this](DiskCall call, const std::string&) { world_.step(name(call).data()); });
    if (habits_.faults_percent == 0) return;
    for (const DiskCall call : {DiskCall::create, DiskCall::write, DiskCall::sync, DiskCall::rename,
                                DiskCall::sync_folder, DiskCall::replace, DiskCall::append}) {
        disk_.fail_sometimes(call, EIO, habits_.faults_percent, world_.random);
    }
}

std::unique_ptr<Sink> FakeFiles::make_sink() {
    auto sink = std::make_unique<FileSink>(FileSink::Deps{
        .config = config_,
        .disk = *asked_,
        .clock = world_.clock,
        .metrics = metrics_,
        .logger = {},
        .registry = std::make_unique<SimulatedFileRegistry>(registry_, std::string{kPipeline}),
        .worker = std::make_unique<SimulatedWorker>(
            world_.clock, [this] { return world_.between(0ns, habits_.work_max); }),
        .pool = std::make_unique<InTurn>(2)});
    return std::make_unique<WatchedFiles>(world_, *this, std::move(sink), mutation_);
}

bool FakeFiles::has_position() {
    const auto& position = registry_.pipeline(std::string{kPipeline}).position;
    return position && position->resume_at;
}

void FakeFiles::process_ended(bool alone) {
    look();
    if (!habits_.there || !alone || !world_.random.chance(habits_.power_cuts_percent)) return;
    world_.note("the machine fails");
    disk_.crash(world_.random);
    look();
}

void FakeFiles::settles() {
    registry_.lost_before_percent = registry_.lost_after_percent = 0;
    for (const DiskCall call : {DiskCall::create, DiskCall::write, DiskCall::sync, DiskCall::rename,
                                DiskCall::sync_folder, DiskCall::replace, DiskCall::append}) {
        disk_.fail_sometimes(call, EIO, 0, world_.random);
    }
}

void FakeFiles::accepted(const RecordBatch& batch) {
    for (const Record& record : batch.records) {
        if (record.relation == nullptr || record.destination != Destination::own) continue;
        const TableId table{record.relation->schema, record.relation->name};
        Copies& alike = copies_[{table, std::string{record.value}}];
        // What an earlier instance wrote comes again, perhaps counted otherwise.
        std::erase_if(alike,
                      [&](const auto& one) { return one.second.instance != world_.instance(); });
        Copy& copy = alike[{record.commit_lsn, record.ordinal}];
        copy.key = record.key;
        copy.value = record.value;
        copy.record = record;
        copy.record.relation = nullptr;
        copy.record.first_header = nullptr;
        copy.record.header_count = 0;
        copy.number = ++accepted_;
        copy.instance = world_.instance();
        copy.record.key = copy.key;
        copy.record.value = copy.value;
    }
}

void FakeFiles::look() {
    if (!habits_.there || world_.failed()) return;
    const auto& known = registry_.pipeline(std::string{kPipeline});
    if (known.content.seal == seen_ || !known.position) return;
    seen_ = known.content.seal;
    world_.note("seal ", std::to_string(seen_));
    read_tables();
    reloads_.look(known, disk_);
    auto lines = new_lines();
    std::ranges::sort(lines, {}, [](const Copy* line) {
        return std::tuple{line->record.commit_lsn, line->record.ordinal, line->number};
    });
    for (const Copy* line : lines) oracle_.durable(line->record, line->instance);
    oracle_.committed(world_.instance());
    oracle_.stored(*known.position);
    if (habits_.ddl) ddl_.look(known, disk_, !lost_);
}

// Everything that the registry names, complete files first: those are older.
void FakeFiles::read_tables() {
    const auto& known = registry_.pipeline(std::string{kPipeline});
    streaming_now_.clear();
    reads_now_.clear();
    const auto into = [&](FileKind kind) -> std::map<TableId, Lines>& {
        return kind == FileKind::streaming ? streaming_now_ : reads_now_;
    };
    for (const CompleteFile& file : known.complete) {
        if (file.kind == FileKind::ddl) continue;
        const OpenFile as_open{.id = 0,
                               .table = file.table,
                               .kind = file.kind,
                               .bytes = file.bytes,
                               .rows = file.rows,
                               .crc32c = file.crc32c,
                               .first_lsn = {},
                               .last_lsn = {},
                               .opened_at = {},
                               .details = {}};
        read_file("/files/" + file.path, as_open, into(file.kind));
    }
    for (const auto& [id, file] : known.open) {
        if (file.kind == FileKind::ddl) continue;
        const std::string name = std::string{kFileKinds.word(file.kind)} + ".jsonl";
        read_file(open_file_folder("/files", id) + "/" + name, file, into(file.kind));
    }
}

void FakeFiles::read_file(const std::string& path, const OpenFile& file,
                          std::map<TableId, Lines>& into) {
    std::string content = disk_.content(path).value_or("");
    if (content.size() > file.bytes && file.id != 0) content.resize(file.bytes);
    if (content.size() != file.bytes || crc32c(0, content) != file.crc32c) {
        return world_.fail("a registered file is not what the registry says: " + path);
    }
    Lines& lines = into[file.table];
    std::size_t from = 0;
    for (std::size_t to = 0; (to = content.find('\n', from)) != std::string::npos; from = to + 1) {
        lines.push_back(content.substr(from, to - from));
    }
}

std::vector<const FakeFiles::Copy*> FakeFiles::new_lines() {
    std::vector<const Copy*> found;
    for (auto& [table, lines] : streaming_now_) {
        Lines& seen = streamed_[table];
        if (lines.size() < seen.size() || !std::equal(seen.begin(), seen.end(), lines.begin())) {
            world_.fail("lines that were registered are gone, or others");
            return {};
        }
        for (std::size_t i = seen.size(); i < lines.size(); ++i) {
            note_new(table, lines[i], times_streamed_[{table, lines[i]}]++, found);
        }
        seen = lines;
    }
    for (const auto& [table, lines] : reads_now_) {
        for (std::size_t i = 0; i < lines.size(); ++i) {
            if (read_[table].insert(lines[i]).second) note_new(table, lines[i], 0, found);
        }
    }
    return found;
}

void FakeFiles::note_new(const TableId& table, const std::string& line, std::size_t before,
                         std::vector<const Copy*>& found) {
    const auto alike = copies_.find({table, line});
    if (alike == copies_.end()) return world_.fail("a line that nobody wrote");
    const Copies& copies = alike->second;
    const auto place = std::min(before, copies.size() - 1);
    found.push_back(&std::next(copies.begin(), static_cast<std::ptrdiff_t>(place))->second);
}

}  // namespace pgc::sim
