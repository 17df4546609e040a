#include "simulation/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <deque>
#include <memory>
#include <utility>

#include "format/native/native_format.h"
#include "pipeline/file_store.h"
#include "pipeline/pipeline.h"
#include "postgres/stream/postgres_source.h"
#include "simulation/climate.h"
#include "simulation/customer.h"
#include "simulation/destination.h"
#include "simulation/disk.h"
#include "simulation/forwarding.h"
#include "simulation/kafka.h"
#include "simulation/played_log.h"
#include "simulation/played_source.h"
#include "simulation/played_waiter.h"
#include "simulation/server.h"
#include "simulation/wire_link.h"
#include "sink/kafka/position_topic.h"
#include "sink/kafka/sink.h"

namespace pgc::sim {
namespace {

using namespace std::chrono_literals;

// After the last fault everything must be durable; a snapshot in tiny groups takes longer.
constexpr Duration kPatience = 300s;
// In a second: pauses begin at 50 ms, and are short again after each success.
constexpr std::size_t kAttempts_max = 30;
constexpr Duration kSnapshotPatience = 3000s;

// A place where the process may die, and where the oracle sees what a real sink holds.
class WatchedSink final : public ForwardingSink {
public:
    WatchedSink(World& world, Oracle& oracle, std::unique_ptr<Sink> sink, std::size_t limit)
        : ForwardingSink(std::move(sink)), world_(world), oracle_(oracle), limit_(limit) {}

    Result<Offer> offer(RecordBatchPtr& batch) override {
        world_.step("offer");
        auto answer = inner().offer(batch);
        oracle_.holds(inner().pending_bytes(), limit_);
        world_.step("offered");
        return answer;
    }
    Result<Position> durable(Lane lane) override {
        world_.step("durable");
        auto durable = inner().durable(lane);
        if (durable && lane == kStreamLane) oracle_.told(*durable);
        return durable;
    }

private:
    World& world_;
    Oracle& oracle_;
    const std::size_t limit_;
};

class Run final : public PipelineParts {
public:
    explicit Run(const RunOptions& options)
        : options_(options),
          world_(options.seed, options.trace),
          climate_(climate_of(world_.random, options.real)),
          oracle_(world_, history_, options.real, climate_.filtered),
          server_(world_, history_, oracle_, climate_.workload),
          disk_(world_, oracle_),
          topic_(world_, oracle_),
          waiter_(world_, [this] { look_at(); }),
          postgres_(postgres_config(climate_)),
          links_(world_, server_, history_, climate_.version, climate_.local, climate_.reading),
          cluster_(world_, oracle_, climate_.kafka, options.mutation),
          customer_(world_, oracle_, climate_.filtered) {
        // As pipeline/budget.h says, and for each of two batches an arena's least.
        climate_.sink.held_limit = climate_.pipeline.flow.budget_bytes + 2 * Arena::kChunk +
                                   Budget::kPerRawByte * 50 * climate_.workload.padding_max;
        if (options.mutation == Mutation::ignores_the_budget) {
            climate_.pipeline.flow.budget_bytes *= 64;
        }
        if (options_.real && climate_.pipeline.snapshot != SnapshotMode::never) {
            oracle_.snapshots().wants_everything();
        }
        const auto rows_max = climate_.workload.giant ? 1000 : climate_.workload.rows_max;
        const std::uint64_t records = climate_.pipeline.store_records;
        oracle_.repeats_oracle().allows(records - records / 5, 2 * rows_max);
        if (options.mutation == Mutation::stores_at_the_interval) {
            climate_.pipeline.store_every = climate_.pipeline.checkpoint_interval;
            climate_.pipeline.store_records = 1'000'000;
        }
        disk_.fill_at(climate_.disk_fills_at);
        if (climate_.slot_from_others) {
            server_.create_slot();
            topic_.create();  // as they were told: with a slot there, nobody else does
        }
        if (options.mutation == Mutation::snapshot_is_an_ordinary_one) {
            links_.slots().make_ordinary_ones();
        }
        server_.publication() = climate_.has_publication || climate_.slot_from_others;
        server_.standby() = climate_.standby;
        schedule_faults();
    }

    Verdict judge() {
        while (!over_ && !world_.failed() && lives_ < 200) live();
        if (!over_ && !world_.failed()) world_.fail("two hundred lives were not enough");
        return {.failure = world_.failure(),
                .trace = world_.trace(),
                .rows = history_.rows,
                .repeats = oracle_.repeats(),
                .lives = lives_,
                .waits = waiter_.waits(),
                .loss = oracle_.loss(),
                .snapshots = snapshot_verdict()};
    }

    Result<std::unique_ptr<Source>> make_source(const SourceTask& task) override {
        look_at_the_pace();
        const bool may_create =
            task.may_create_slot || (climate_.creates_lost_slot && has_position());
        std::unique_ptr<Source> source;
        if (options_.real) {
            source = real_source(task, may_create);
        } else {
            source = std::make_unique<PlayedSource>(world_, server_, history_, may_create);
        }
        return spoilt(std::move(source), options_.mutation, oracle_);
    }
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity& identity) override {
        std::unique_ptr<Format> format;
        if (options_.real) {
            format = std::make_unique<NativeFormat>(
                FormatOptions{},
                FormatContext{.version = "0", .connector = "sim", .database = identity.database});
        } else {
            format = std::make_unique<PlayedFormat>(world_, history_, climate_.filtered);
        }
        return spoilt(std::move(format), options_.mutation, world_.random);
    }
    Result<std::unique_ptr<Sink>> make_sink() override {
        if (!climate_.to_kafka) {
            return spoilt(std::make_unique<PlayedSink>(world_, oracle_, climate_.sink),
                          options_.mutation);
        }
        auto sink = KafkaSink::make({.config = kafka_,
                                     .producers = cluster_,
                                     .memory = kafka_memory_,
                                     .clock = world_.clock,
                                     .metrics = *metrics_,
                                     .logger = {}});
        if (!sink) return std::unexpected(std::move(sink.error()));
        auto watched = std::make_unique<WatchedSink>(world_, oracle_, std::move(*sink),
                                                     climate_.sink.held_limit);
        return spoilt(std::move(watched), options_.mutation);
    }

private:
    SnapshotVerdict snapshot_verdict() {
        const ReadCounts& counts = links_.counts();
        return {.reads = oracle_.snapshots().reads(),
                .groups = oracle_.snapshots().places(),
                .crashes = crashes_in_snapshots_,
                .late_waits = links_.slots().late_waits(),
                .orders = customer_.ordered(),
                .altered = counts.altered,
                .cuts = counts.cuts,
                .timeouts = counts.timeouts,
                .splits = counts.splits,
                .lost = links_.slots().lost(),
                .recoveries = oracle_.recoveries()};
    }
    std::unique_ptr<Source> real_source(const SourceTask& task, bool may_create) {
        return std::make_unique<PostgresSource>(
            PostgresSource::With{.config = postgres_,
                                 .links = links_,
                                 .clock = world_.clock,
                                 .metrics = *metrics_,
                                 .logger = {},
                                 .memory = memory_,
                                 .keepalive_interval = 10s,
                                 .may_create_slot = may_create,
                                 .may_replace_slot = task.may_replace_slot,
                                 .home = task.home,
                                 .snapshot = task.snapshot});
    }

    // One life of our process: from its start to its end, however that comes.
    void live() {
        ++lives_;
        attempts_.clear();
        oracle_.life_begins();
        if (troubled() && climate_.life_steps > 0) {
            world_.die_in(1 + world_.random.below(climate_.life_steps));
        }
        StopRequest stop;
        stop_ = &stop;
        SnapshotDesk desk;
        customer_.goes_to(&desk);
        waiter_.watch_desk(desk.wake_fd());
        stops_asked_ = 0;
        memory_ = {};
        kafka_memory_ = {};
        server_.next_life();
        waiter_.watch(stop.wake_fd());
        try {
            conclude(run_pipeline(stop, desk));
        } catch (const Crash&) {
            if (!oracle_.snapshots().over()) ++crashes_in_snapshots_;
            rest(world_.between(0ms, 2s));
        } catch (const Unfinished&) {
        }
        world_.die_in(0);
        stop_ = nullptr;
        customer_.goes_to(nullptr);
    }

    Result<void> run_pipeline(StopRequest& stop, SnapshotDesk& desk) {
        world_.note("life ", std::to_string(lives_));
        const auto store = spoilt(make_store(), options_.mutation, server_);
        Random random{world_.random.next()};
        Status status{"shop", world_.clock};
        Metrics metrics{"simulation"};
        metrics_ = &metrics;
        Pipeline pipeline{climate_.pipeline,
                          {.clock = world_.clock,
                           .waiter = waiter_,
                           .random = random,
                           .store = *store,
                           .parts = *this,
                           .stop = stop,
                           .status = status,
                           .metrics = metrics,
                           .desk = desk,
                           .log = {}}};
        return pipeline.run();
    }

    std::unique_ptr<PositionStore> make_store() {
        if (!climate_.in_topic) {
            return std::make_unique<FileStore>(disk_, "shop", "/state/shop.position");
        }
        auto log =
            spoilt(std::make_unique<PlayedLog>(world_, topic_, climate_.log), options_.mutation);
        return std::make_unique<KafkaPositionTopic>(std::move(log), KafkaConfig{}, "shop",
                                                    world_.clock, Logger{});
    }
    bool has_position() const {
        return climate_.in_topic ? topic_.has_position() : disk_.has_position();
    }

    void conclude(const Result<void>& outcome) {
        if (!outcome) return conclude_error(outcome.error());
        world_.note("ended well");
        if (stops_asked_ == 0 && climate_.pipeline.snapshot == SnapshotMode::only) {
            over_ = oracle_.begun() && oracle_.snapshots().over();
            if (over_) oracle_.snapshots().check_begun();
            return rest(1ms);
        }
        if (stops_asked_ == 0) world_.fail("it ended, though nobody asked it to");
        if (!finished() || oracle_.loss()) return rest(1ms);
        over_ = oracle_.all_stored();
        if (over_) oracle_.snapshots().compare();
        // Now and then: the last commit was still on its way, or the sink went without a word.
        if (!over_ && ++ends_without_store_ > 5) {
            world_.fail("it ends in peace without storing what is durable");
        }
    }

    void conclude_error(const Error& error) {
        world_.note("stopped: ", describe(error));
        // The server itself may be the first to notice.
        const bool of_loss = error.category == Error::Category::position ||
                             error.category == Error::Category::server;
        if (of_loss && oracle_.loss()) {
            over_ = true;
        } else if (error.category == Error::Category::storage) {
            disk_.set_full(false);  // somebody made room and started us again
            rest(world_.between(0ms, 2s));
        } else {
            world_.fail("it stopped for no reason: " + describe(error));
        }
    }

    // The process is not there for a while; the world goes on.
    void rest(Duration time) {
        customer_.goes_to(nullptr);
        const Instant until = world_.clock.now() + time;
        while (world_.clock.now() < until) {
            world_.clock.advance_to(
                std::min(until, std::max(world_.next_event(), world_.clock.now() + 1us)));
            world_.happen();
        }
    }

    Duration patience() const {
        const bool small_steps =
            climate_.orders > 0 || climate_.pipeline.snapshot != SnapshotMode::never;
        return small_steps ? kSnapshotPatience : kPatience;
    }
    bool troubled() const { return world_.clock.now() - Instant{1h} < climate_.troubled; }
    bool finished() const {
        return server_.workload_done() && oracle_.begun() && oracle_.complete() && !troubled() &&
               (oracle_.attempt_complete() || oracle_.all_stored()) && oracle_.snapshots().over();
    }

    // Whenever time has moved: whether we get on as well.
    void look_at() {
        if (!troubled()) {
            climate_.sink.failures_per_10000 = climate_.sink.stalls_per_10000 = 0;
            climate_.kafka.failures_per_10000 = climate_.kafka.fatal_per_10000 = 0;
            climate_.log.failures_per_10000 = 0;
            climate_.reading.refused = climate_.reading.cut = climate_.reading.altered =
                climate_.reading.timeouts = 0;
            customer_.settles();
            world_.die_in(0);
            disk_.set_full(false);
        }
        // What a standby has sent waits for certainty first.
        if (!climate_.standby) oracle_.repeats_oracle().look();
        if (world_.failed()) throw Unfinished{};
        if (world_.clock.now() - Instant{1h} > climate_.troubled + patience()) {
            world_.fail(fmt::format("no progress: {} rows are missing", oracle_.missing()));
            throw Unfinished{};
        }
        if (finished() && !oracle_.loss()) ask_to_end();
    }
    // However an attempt ends: the next one comes after a pause, or we would burden the server.
    void look_at_the_pace() {
        attempts_.push_back(world_.clock.now());
        if (attempts_.size() <= kAttempts_max) return;
        if (attempts_.back() - attempts_.front() < 1s) {
            world_.fail(fmt::format("{} attempts in a second", attempts_.size()));
            throw Unfinished{};
        }
        attempts_.pop_front();
    }
    void ask_to_end() {
        if (stop_ == nullptr || stops_asked_ > 0) return;
        ++stops_asked_;
        world_.note("asked to end");
        stop_->request();
    }

    template <typename Action>
    void sometime(unsigned times, Action action) {
        for (unsigned i = 0; i < times; ++i) {
            world_.after(world_.between(0ms, climate_.troubled), action);
        }
    }
    void schedule_faults() {
        sometime(climate_.cuts, [this] { server_.cut_all("connection reset"); });
        sometime(climate_.server_crashes, [this] { server_.crash(world_.between(0ms, 5s)); });
        sometime(climate_.shutdowns, [this] { server_.shut_down(world_.between(0ms, 3s)); });
        sometime(climate_.holes, [this] { server_.black_hole(); });
        sometime(climate_.checkpoints, [this] { server_.checkpoint(); });
        sometime(climate_.promotions, [this] { server_.promote(); });
        sometime(climate_.full_disks, [this] { disk_.set_full(true); });
        sometime(climate_.in_topic ? climate_.log_outages : 0U,
                 [this] { topic_.go_away(world_.between(0ms, 60s)); });
        sometime(climate_.wall_jumps, [this] {
            world_.clock.jump_wall(std::chrono::microseconds{(world_.random.chance(50) ? 1 : -1) *
                                                             std::int64_t{3'600'000'000}});
        });
        sometime(climate_.kafka_outages, [this] { cluster_.go_away(world_.between(0ms, 30s)); });
        sometime(climate_.orders, [this] { customer_.orders(); });
        sometime(climate_.lost_snapshots, [this] { links_.slots().lose_snapshot(); });
        sometime(climate_.topic_deletions, [this] { cluster_.delete_topics(); });
        sometime(climate_.stops, [this] {
            if (stop_ == nullptr) return;
            ++stops_asked_;
            world_.note("asked to end");
            stop_->request();
        });
        if (climate_.loss) world_.after(world_.between(0ms, climate_.troubled), [this] { lose(); });
    }

    // Once a position is stored, somebody takes away what comes after it.
    void lose() {
        if (!has_position() || !server_.slot().exists) {
            world_.after(100ms, [this] { lose(); });
            return;
        }
        server_.cut_all("a loss");
        server_.release_slot();
        // What diverged can't be told from what was read before it.
        const bool when_needed = climate_.pipeline.snapshot == SnapshotMode::when_needed;
        const std::uint64_t all = climate_.in_topic && troubled() ? 7 : 6;
        std::uint64_t what = world_.random.below(when_needed ? 12 : all);
        if (when_needed) what = what == 11 ? 5 : what % 4;
        oracle_.loss_happened(when_needed && what != 5);  // another system's rows are no substitute
        switch (what) {
            case 0: server_.drop_slot(); break;
            case 1: server_.recreate_slot(); break;
            case 2: server_.advance_slot(); break;
            case 3:  // older servers keep what a slot needs
                climate_.version >= 130000 ? server_.invalidate_slot() : server_.drop_slot();
                break;
            case 4:
                server_.lose_log(Lsn{oracle_.stored().value - 1 - world_.random.below(50)});
                break;
            case 5: server_.replace_system(); break;
            default:
                topic_.remove();
                world_.die_in(1);  // whoever had read it before would go on, and rightly so
                break;
        }
    }

    const RunOptions options_;
    World world_;
    Climate climate_;
    History history_;
    Oracle oracle_;
    Server server_;
    Disk disk_;
    PlayedTopic topic_;
    PlayedWaiter waiter_;
    const PostgresConfig postgres_;
    WireLinks links_;
    const KafkaConfig kafka_;
    PlayedCluster cluster_;
    Customer customer_;
    SourceMemory memory_;         // of the present life
    KafkaMemory kafka_memory_;    // likewise
    Metrics* metrics_ = nullptr;  // likewise
    StopRequest* stop_ = nullptr;
    std::size_t crashes_in_snapshots_ = 0;
    std::deque<Instant> attempts_;  // the latest, of the present life
    int stops_asked_ = 0;
    int ends_without_store_ = 0;
    std::size_t lives_ = 0;
    bool over_ = false;
};

}  // namespace

Verdict run(const RunOptions& options) {
    return Run{options}.judge();
}

}  // namespace pgc::sim
