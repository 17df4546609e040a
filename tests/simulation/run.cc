#include "simulation/run.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "simulation/climate.h"
#include "simulation/customer.h"
#include "simulation/disk.h"
#include "simulation/fake_log.h"
#include "simulation/files.h"
#include "simulation/instance.h"
#include "simulation/kafka.h"
#include "simulation/server.h"
#include "simulation/turns.h"
#include "simulation/wire_link.h"

namespace pgc::sim {
namespace {

using namespace std::chrono_literals;

// After the last fault everything must be durable; a snapshot in tiny groups takes longer.
constexpr Duration kPatience = 300s;
constexpr Duration kLongAfter = 200s;
constexpr Duration kSnapshotPatience = 3000s;

class Run {
public:
    explicit Run(const RunOptions& options)
        : options_(options),
          world_(options.seed, options.trace),
          climate_(climate_of(world_.random, options.real)),
          oracle_(world_, history_, options.real, climate_.filtered),
          server_(world_, history_, oracle_, climate_.workload),
          disk_(world_, oracle_),
          topic_(world_, oracle_),
          turns_(world_, [this] { look_at(); }),
          postgres_(postgres_config(climate_)),
          links_(world_, server_, history_, climate_.version, climate_.local, climate_.reading),
          cluster_(world_, oracle_, topic_, climate_.kafka, options.mutation),
          customer_(world_, oracle_, climate_.filtered),
          files_(world_, oracle_, history_, climate_.files, options.mutation),
          first_(place()),
          second_(place()) {
        world_.freezes_by([this](auto ready) { turns_.sleep(std::move(ready)); });
        if (climate_.two) oracle_.has_two_instances();
        if (climate_.sealed) play_log();
        if (climate_.sealed || climate_.exactly_once()) oracle_.comes_once();
        if (climate_.pipeline.flow.encoder.transaction_marks) oracle_.marks().expects_marks();
        if (climate_.pipeline.flow.whole_transactions) oracle_.comes_whole();
        if (options.mutation == Mutation::cuts_transactions) {
            climate_.pipeline.flow.whole_transactions = false;
        }
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
        if (options.mutation == Mutation::store_overwrites_the_unseen) disk_.make_blind();
        disk_.fill_at(climate_.disk_fills_at);
        if (climate_.slot_from_others) {
            server_.create_slot();
            topic_.create();  // as they were told: with a slot there, nobody else does
        }
        if (options.mutation == Mutation::snapshot_is_an_ordinary_one) {
            links_.slots().make_ordinary_ones();
        }
        if (options.mutation == Mutation::moves_in_two_steps && server_.publications()) {
            server_.publications()->move_in_two_steps();
        }
        if (options.mutation == Mutation::aborts_are_lost) links_.lose_aborts();
        if (options.mutation == Mutation::confirms_past_a_prepare) {
            server_.forget_what_is_prepared();
        }
        if (options.mutation == Mutation::publishes_at_prepare) links_.publish_at_prepare();
        if (options.mutation == Mutation::asks_for_one_publication) {
            links_.ask_for_one_publication();
        }
        server_.publication() = climate_.has_publication || climate_.slot_from_others;
        server_.standby() = climate_.standby;
        schedule_faults();
    }

    Verdict judge() {
        if (climate_.two) turns_.begin_second([this] { live_beside(); });
        while (!over_ && !world_.failed() && lives_ < 200) live(first_);
        if (!over_ && !world_.failed()) world_.fail("two hundred lives were not enough");
        turns_.let_second_end();
        return {.failure = world_.failure(),
                .trace = world_.trace(),
                .rows = history_.rows,
                .repeats = oracle_.repeats(),
                .lives = lives_,
                .waits = first_.waits() + second_.waits(),
                .takeovers = takeovers_,
                .moves = server_.moves(),
                .streamed = server_.streamed().commits,
                .aborted = server_.streamed().aborts,
                .prepared = server_.two_phase().prepared,
                .decided = server_.two_phase().decided,
                .loss = oracle_.loss(),
                .snapshots = snapshot_verdict(),
                .registry = first_.registry().counts()};
    }

private:
    // The destination of a sink that seals.
    void play_log() {
        log_.on_record = [this](const Record& record) {
            if (record.destination == Destination::heartbeats) return;  // about no change
            oracle_.durable(record, world_.instance());
        };
        log_.on_position = [this](const StoredPosition& position) { oracle_.stored(position); };
        log_.seal_takes = [this] {
            const Duration most = world_.random.chance(10) ? 3s : climate_.sink.delay_max;
            return world_.between(0ns, most);
        };
        log_.may_open = [this] { return world_.random.chance(80); };
        log_.arrives_late = [this] { return world_.random.chance(50); };
        log_.fails = [this](const char* where) -> std::optional<Error> {
            world_.step(where);
            if (world_.random.below(10'000) >= climate_.sink.failures_per_10000) {
                return std::nullopt;
            }
            world_.note("the sink fails at ", where);
            return retry(Error::Category::sink, "the destination went away");
        };
        log_.forgets_the_place_within =
            options_.mutation == Mutation::seals_without_the_place_within;
        log_.forgets_the_position = options_.mutation == Mutation::seals_without_the_position;
        log_.forgets_the_records = options_.mutation == Mutation::seals_without_the_records;
        log_.fences_nobody = options_.mutation == Mutation::fences_nobody;
    }
    SnapshotVerdict snapshot_verdict() {
        const ReadCounts& counts = links_.counts();
        return {.reads = oracle_.snapshots().reads(),
                .groups = oracle_.snapshots().places(),
                .crashes = crashes_in_snapshots_,
                .late_waits = links_.slots().late_waits(),
                .requests = customer_.requested(),
                .altered = counts.altered,
                .cuts = counts.cuts,
                .timeouts = counts.timeouts,
                .splits = counts.splits,
                .lost = links_.slots().lost(),
                .recoveries = oracle_.recoveries(),
                .reloads = files_.reloads()};
    }
    Instance::Place place() {
        return {.options = options_,
                .world = world_,
                .climate = climate_,
                .history = history_,
                .oracle = oracle_,
                .server = server_,
                .disk = disk_,
                .topic = topic_,
                .log = log_,
                .turns = turns_,
                .postgres = postgres_,
                .links = links_,
                .kafka = kafka_,
                .cluster = cluster_,
                .customer = customer_,
                .files = files_,
                .registered = registered_};
    }

    // From the start of a process of ours to its end, however that comes, and the time until the
    // next one.
    void live(Instance& instance) {
        try {
            live_once(instance);
        } catch (const Unfinished&) {
        }
        world_.die_in(0);
    }
    void live_once(Instance& instance) {
        const std::size_t number = ++lives_;
        world_.life_begins();
        oracle_.life_begins();
        if (troubled() && climate_.life_steps > 0) {
            world_.die_in(1 + world_.random.below(climate_.life_steps));
        }
        try {
            const auto outcome = instance.live(number);
            files_.process_ended(!climate_.two);
            conclude(instance, outcome);
        } catch (const Crash&) {
            files_.process_ended(!climate_.two);
            if (!oracle_.snapshots().over()) ++crashes_in_snapshots_;
            world_.die_in(0);
            rest(world_.between(0ms, 2s));
        }
    }
    // Another one on the same slot, with the same store, until the troubles are over.
    void live_beside() {
        try {
            rest(world_.between(0ms, climate_.troubled / 2));
            while (troubled() && !over_ && !world_.failed()) live(second_);
        } catch (const Unfinished&) {
        }
    }

    void conclude(const Instance& instance, const Result<void>& outcome) {
        if (!outcome) return conclude_error(instance, outcome.error());
        world_.note("ended well");
        const bool asked = instance.stops_asked() > 0;
        if (!asked && climate_.pipeline.snapshot == SnapshotMode::only) {
            over_ = oracle_.begun() && oracle_.snapshots().over();
            if (over_) oracle_.snapshots().check_begun();
            return rest(1ms);
        }
        if (!asked) world_.fail("it ended, though nobody asked it to");
        if (!finished() || oracle_.loss())
            return rest(climate_.two ? world_.between(1ms, 2s) : 1ms);
        over_ = oracle_.all_stored();
        if (over_) oracle_.snapshots().compare();
        // Now and then: the last commit was still on its way, or the sink went without a word.
        if (!over_ && ++ends_without_store_ > 5) {
            world_.fail("it ends in peace without storing what is durable");
        }
    }

    void conclude_error(const Instance& instance, const Error& error) {
        world_.note("stopped: ", describe(error));
        // The server itself may be the first to notice.
        const bool of_loss = error.category == Error::Category::position ||
                             error.category == Error::Category::server;
        if (of_loss && oracle_.loss()) {
            over_ = true;
        } else if (error.category == Error::Category::storage) {
            disk_.set_full(false);  // somebody made room and started us again
            rest(world_.between(0ms, 2s));
        } else if (error.category == Error::Category::data && instance.registry().refused()) {
            rest(world_.between(0ms, 2s));  // it takes the schema now
        } else {
            world_.fail("it stopped for no reason: " + describe(error));
        }
    }

    // The process is not there for a while; the world goes on.
    void rest(Duration time) {
        const Instant until = world_.clock.now() + time;
        turns_.sleep([until] { return until; });
    }

    Duration patience() const {
        const bool small_steps =
            climate_.requests > 0 || climate_.pipeline.snapshot != SnapshotMode::never;
        return small_steps ? kSnapshotPatience : kPatience;
    }
    bool troubled() const { return world_.clock.now() - Instant{1h} < climate_.troubled; }
    bool finished() const {
        return !turns_.second_is_there() && server_.workload_done() && oracle_.begun() &&
               oracle_.complete() && !troubled() &&
               (oracle_.attempt_complete() || oracle_.all_stored()) && oracle_.snapshots().over();
    }

    // Whenever time has moved: whether we make progress as well.
    void look_at() {
        if (!troubled()) {
            climate_.sink.failures_per_10000 = climate_.sink.stalls_per_10000 = 0;
            climate_.kafka.failures_per_10000 = climate_.kafka.fatal_per_10000 = 0;
            climate_.log.failures_per_10000 = 0;
            // 5 s for each of 400 batches is progress, but none that anybody has patience for.
            climate_.format_waits_max = std::min<Duration>(climate_.format_waits_max, 100ms);
            climate_.reading.refused = climate_.reading.cut = climate_.reading.altered =
                climate_.reading.timeouts = 0;
            customer_.settles();
            files_.settles();
            first_.registry().settles();
            second_.registry().settles();
            world_.nobody_dies();
            disk_.set_full(false);
            if (turns_.second_is_there() && second_.stops_asked() == 0) second_.ask_to_end();
        }
        // What a standby has sent waits for certainty first.
        if (!climate_.standby && !climate_.two && first_.is_there())
            oracle_.repeats_oracle().look();
        if (world_.failed()) throw Unfinished{};
        if (world_.clock.now() - Instant{1h} > climate_.troubled + patience()) {
            world_.fail(fmt::format("no progress: {} rows are missing", oracle_.missing()));
            throw Unfinished{};
        }
        // What the one before has stored late is found by whoever stores or starts next; here
        // nothing more may be stored.
        const bool quiet =
            world_.clock.now() - Instant{1h} > climate_.troubled + kLongAfter && !finished();
        if (climate_.two && quiet && !turns_.second_is_there() &&
            !std::exchange(started_again_, true)) {
            first_.ask_to_end();
        }
        if (finished() && !oracle_.loss() && first_.stops_asked() == 0) first_.ask_to_end();
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
        sometime(climate_.files.outages,
                 [this] { files_.registry_goes_away(world_.between(0ms, 20s)); });
        sometime(climate_.requests, [this] { customer_.request_snapshot(); });
        sometime(climate_.lost_snapshots, [this] { links_.slots().lose_snapshot(); });
        sometime(climate_.topic_deletions, [this] { cluster_.delete_topics(); });
        sometime(climate_.registry.outages,
                 [this] { some_instance().registry().go_away(world_.between(0ms, 10s)); });
        sometime(climate_.registry.refusals, [this] { some_instance().registry().refuse_one(); });
        sometime(climate_.stops, [this] { some_instance().ask_to_end(); });
        sometime(climate_.takeovers, [this] { take_over(); });
        if (climate_.loss) world_.after(world_.between(0ms, climate_.troubled), [this] { lose(); });
    }

    Instance& some_instance() {
        return climate_.two && world_.random.chance(50) ? second_ : first_;
    }
    // Whoever holds the slot stands still, is cut off, or both; and wakes up when it may be too
    // late: the server has ended its session, and the other one has gone on.
    void take_over() {
        const auto holder = server_.holder();
        if (!holder) return;
        ++takeovers_;
        const bool freezes = world_.random.chance(70);
        if (freezes) {
            const bool long_one = world_.random.chance(30);
            world_.freeze(*holder, world_.between(1ms, long_one ? 60s : 8s));
        }
        if (!freezes || world_.random.chance(60)) server_.end_walsender();
    }

    // Once a position is stored, somebody takes away what comes after it.
    void lose() {
        if (!place().has_position() || !server_.slot().exists) {
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
        files_.loss_happened();
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
    FakeTopic topic_;
    test::TransactionalLog log_;
    Turns turns_;
    const PostgresConfig postgres_;
    WireLinks links_;
    const KafkaConfig kafka_{.transaction_topic = std::string{kMarkTopicTemplate},
                             .heartbeat_topic = "__debezium-heartbeat.{prefix}",
                             .pipeline = "shop",
                             .whole_transactions = climate_.pipeline.flow.whole_transactions};
    FakeCluster cluster_;
    Customer customer_;
    FakeFiles files_;
    RegistryContents registered_;
    Instance first_;
    Instance second_;  // if there are two
    std::size_t crashes_in_snapshots_ = 0;
    std::size_t takeovers_ = 0;
    bool started_again_ = false;
    int ends_without_store_ = 0;
    std::size_t lives_ = 0;
    bool over_ = false;
};

}  // namespace

Verdict run(const RunOptions& options) {
    return Run{options}.judge();
}

}  // namespace pgc::sim
