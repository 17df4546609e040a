// Writes batches of rows to files, a folder for each table and batch, and registers them in a
// database, where the position is kept, too.
//
//   offer ─▶ queue ─▶ worker: FileSet::write() ─▶ open files
//   seal  ─────────▶ worker: FileSet::seal()  ─▶ synced, moved ─▶ registry: committed ─▶ durable
//
// Nothing that was accepted is durable before the seal after it: then files, their rows in the
// registry and the position say the same, whatever is killed (file_set.h). Seals are at the
// checkpoint's interval, and when a batch is due; a batch becomes visible with a seal.
//
// One process has a root at a time: it holds a lock there, and takes over the registry after that.
// While another one has it, this one waits.
//
// Threads: the pipeline's, and the worker's, which has the files, waits for the disk and has lanes
// for what can be done at the same time (task_pool.h). The destructor waits for what was begun.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "base/clock.h"
#include "core/sink.h"
#include "observe/log.h"
#include "observe/metrics.h"
#include "sink/file/config.h"
#include "sink/file/disk.h"
#include "sink/file/file_metrics.h"
#include "sink/file/file_set.h"
#include "sink/file/retention.h"
#include "sink/file/task_pool.h"
#include "sink/file/worker.h"
#include "sink/file_registry/registry.h"
#include "sink/lane_positions.h"

namespace pgc {

class FileSink final : public Sink {
public:
    // Beyond so many bytes that the worker has not taken it is full.
    static constexpr std::size_t kPending_bytes_max = std::size_t{8} << 20;
    // While another process has the root.
    static constexpr Duration kLock_again = std::chrono::seconds{1};
    static constexpr Duration kGroup_gap = std::chrono::milliseconds{10};
    // How often an idle position is stored where that itself makes the position move.
    static constexpr Duration kIdle = std::chrono::minutes{1};
    // A disk that has not answered for so long is named as what is waited for.
    static constexpr Duration kNoticeable = std::chrono::seconds{5};

    struct Deps {
        std::shared_ptr<const FileSinkConfig> config;
        Disk& disk;  // these outlive it
        const Clock& clock;
        Metrics& metrics;
        Logger logger;
        std::unique_ptr<FileRegistry> registry;
        std::unique_ptr<Worker> worker;
        std::unique_ptr<TaskPool> pool = nullptr;  // what compresses and syncs beside the worker
        // Called when the root is ours; null: nothing is removed.
        std::function<std::unique_ptr<FileRetention>()> start_retention{};
    };
    explicit FileSink(Deps deps);
    ~FileSink() override;

    Guarantee guarantee() const noexcept override { return Guarantee::transactional; }
    PositionStore* positions() noexcept override { return &positions_; }
    Result<bool> open() override;
    Result<Offer> offer(RecordBatchPtr& batch) override;
    Result<Position> durable(Lane lane) override;
    Result<void> seal(const StoredPosition& position) override;
    void give_up() override;
    void caught_up() override {}
    void wants(Wants& wants) const override;
    SealPace seal_pace() const noexcept override;
    Instant seal_at() const noexcept override;
    void table_ended(const SnapshotTableEnd& table) override;
    void reload_changed(const ReloadChange& change) override;
    TableModeWords table_modes() const override;
    Duration group_gap() const noexcept override { return kGroup_gap; }
    std::size_t bytes_per_record() const noexcept override { return 0; }
    std::size_t pending_bytes() const noexcept override { return pending_bytes_; }
    std::string waits_for() const override;

private:
    enum class State : std::uint8_t {
        made,
        locking,  // the worker looks whether the root is ours
        waiting,  // it isn't; until look_again_
        taking,   // the registry is taken over
        recovering,
        ready,
        sealing,  // what was accepted is written, then the files are sealed
        moving,   // the worker seals them
        committing,
        finishing,  // the worker does what follows the commit
    };

    class Positions final : public PositionStore {
    public:
        explicit Positions(FileSink& sink) : sink_(sink) {}
        Result<std::optional<Loaded>> load() override { return inner().load(); }
        void create() override { inner().create(); }
        Result<void> save(const StoredPosition& position) override {
            return inner().save(position);
        }
        Result<void> forget() override { return inner().forget(); }
        Result<bool> saved() override;
        void wants(Wants& wants) const override;
        std::uint64_t attempts() const noexcept override { return inner().attempts(); }
        std::string where() const override { return inner().where(); }

    private:
        PositionStore& inner() const noexcept { return sink_.registry_->positions(); }
        FileSink& sink_;
    };

    // What the worker takes, in order.
    using Item = std::variant<RecordBatchPtr, SnapshotTableEnd, ReloadChange>;
    // What it made of that. Its own until it is done.
    struct Outcome {
        Result<void> done{};
        bool locked = false;
        RegistrySeal seal{};
        FilesInUse in_use{};
        std::optional<WallTime> next_due{};
    };

    // Does what became possible.
    Result<void> step();
    Result<void> step_idle();
    void begin(std::function<Result<void>()> work);
    Result<void> work_is_done();
    Result<void> look_for_lock();
    Result<void> take_over();
    void write_queue();
    Result<void> begin_moving();
    Result<void> begin_commit();
    Result<void> commit();
    void report(const CompleteFile& file);
    void report_strange(const RecordBatch& batch);
    void show_modes(const std::vector<std::pair<TableId, TableMode>>& modes);
    Result<void> write(const Item& item);
    void note_sealed();
    Result<void> fail(Error error);

    const std::shared_ptr<const FileSinkConfig> config_;
    const Clock& clock_;
    FileMetrics metrics_;
    const Logger logger_;
    const std::unique_ptr<FileRegistry> registry_;
    Positions positions_{*this};
    FileSet files_;  // the worker's while it is busy

    State state_ = State::made;
    Instant look_again_;
    std::vector<Item> queue_;
    std::vector<Item> after_seal_;  // came while one is under way
    std::vector<Item> taken_;       // the worker's while it is busy
    std::size_t pending_bytes_ = 0;
    std::size_t taken_bytes_ = 0;
    LanePositions accepted_;
    LanePositions durable_;
    StoredPosition sealing_;
    Instant seal_at_ = kNever;
    bool reload_changed_ = false;             // since the last seal began
    std::map<std::string, TableMode> modes_;  // as sealed, of those that are not `streaming`
    bool saved_ = true;
    bool working_ = false;
    bool asked_for_lock_ = false;
    Outcome outcome_;
    std::optional<Error> error_;
    Instant seal_began_;
    Instant work_began_;
    const std::function<std::unique_ptr<FileRetention>()> start_retention_;
    std::unique_ptr<FileRetention> retention_;  // goes before the lock of the root
    const std::unique_ptr<Worker> worker_;      // goes first: its work has the files
};

}  // namespace pgc
