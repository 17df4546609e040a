#include "simulation/instance.h"

#include <fmt/core.h>

#include <string>
#include <utility>

#include "format/native/native_format.h"
#include "pipeline/file_store.h"
#include "simulation/destination.h"
#include "simulation/fake_source.h"
#include "simulation/snapshot_marks.h"
#include "simulation/table_columns.h"
#include "sink/kafka/position_topic.h"
#include "sink/kafka/sink.h"
#include "support/forwarding.h"
#include "support/transforms.h"
#include "support/waiting_format.h"

namespace pgc::sim {
namespace {

using namespace std::chrono_literals;

// In a second: pauses begin at 50 ms, and are short again after each success.
constexpr std::size_t kAttempts_max = 30;

// A place where the process may die, and where the oracle sees what a real sink holds.
class WatchedSink final : public test::ForwardingSink {
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
        if (durable && lane == kStreamLane) oracle_.reported(*durable);
        return durable;
    }

private:
    World& world_;
    Oracle& oracle_;
    const std::size_t limit_;
};

// What a life has that others reach from outside, while it lasts.
class Outside {
public:
    Outside(Customer& customer, StopRequest*& stop, StopRequest& request,
            SnapshotRequests& snapshot_requests)
        : customer_(customer), stop_(stop), snapshot_requests_(snapshot_requests) {
        stop_ = &request;
        customer_.meets(snapshot_requests_);
    }
    Outside(const Outside&) = delete;
    Outside& operator=(const Outside&) = delete;
    ~Outside() {
        stop_ = nullptr;
        customer_.leaves(snapshot_requests_);
    }

private:
    Customer& customer_;
    StopRequest*& stop_;
    SnapshotRequests& snapshot_requests_;
};

}  // namespace

Result<void> Instance::live(std::size_t number) {
    World& world = deps_.world;
    attempts_.clear();
    stops_asked_ = 0;
    carry_over_ = {};
    kafka_carry_over_ = {};
    StopRequest stop;
    SnapshotRequests snapshot_requests;
    const Outside outside{deps_.customer, stop_, stop, snapshot_requests};
    waiter_.watch_requests(snapshot_requests.wake_fd());
    waiter_.watch(stop.wake_fd());
    world.note("life ", std::to_string(number));
    const auto store = spoilt(make_store(), deps_.options.mutation, deps_.server);
    Random random{world.random.next()};
    Status status{"shop", world.clock};
    Metrics metrics{"simulation"};
    metrics_ = &metrics;
    const RegistryTwin::Life life{registry_, metrics};
    Pipeline pipeline{deps_.climate.pipeline,
                      {.clock = world.clock,
                       .waiter = waiter_,
                       .random = random,
                       .store = *store,
                       .parts = *this,
                       .stop = stop,
                       .status = status,
                       .metrics = metrics,
                       .snapshot_requests = snapshot_requests,
                       .log = {}}};
    return pipeline.run();
}

void Instance::ask_to_end() {
    if (stop_ == nullptr) return;
    ++stops_asked_;
    deps_.world.note("asked to end");
    stop_->request();
}

Result<std::unique_ptr<Source>> Instance::make_source(const SourceTask& task) {
    look_at_the_pace();
    const bool may_create =
        task.may_create_slot || (deps_.climate.creates_lost_slot && deps_.has_position());
    std::unique_ptr<Source> source;
    if (deps_.options.real) {
        source = real_source(task, may_create);
    } else {
        source = std::make_unique<FakeSource>(deps_.world, deps_.server, deps_.history, may_create);
    }
    return spoilt(std::move(source), deps_.options.mutation, deps_.oracle);
}

std::unique_ptr<Source> Instance::real_source(const SourceTask& task, bool may_create) {
    spill_.room(deps_.climate.spill_room);
    const bool may_spill = deps_.climate.streams || deps_.climate.two_phase;
    return std::make_unique<PostgresSource>(
        PostgresSource::Deps{.config = deps_.postgres,
                             .links = deps_.links,
                             .clock = deps_.world.clock,
                             .metrics = *metrics_,
                             .logger = {},
                             .carry_over = carry_over_,
                             .keepalive_interval = 10s,
                             .may_create_slot = may_create,
                             .may_replace_slot = task.may_replace_slot,
                             .home = task.home,
                             .snapshot = task.snapshot,
                             .spill = may_spill ? &spill_ : nullptr,
                             .spill_limit = deps_.climate.spill_limit});
}

// One leaves out the filtered table, where that is not done by the source or by the format.
Result<std::vector<std::unique_ptr<Transform>>> Instance::make_transforms(
    std::shared_ptr<RelationSlots>) {
    std::vector<std::unique_ptr<Transform>> all;
    if (deps_.options.real) {
        all.push_back(std::make_unique<ColumnsWatch>(deps_.world));
        all.push_back(std::make_unique<MarksWatch>(deps_.world, deps_.oracle.snapshots()));
    }
    if (deps_.climate.drops) all.push_back(dropping());
    if (deps_.climate.files.ddl) all.push_back(std::make_unique<DdlReported>(deps_.files.ddl()));
    return all;
}

std::unique_ptr<Transform> Instance::dropping() const {
    const bool another = deps_.options.mutation == Mutation::transform_drops_another;
    return std::make_unique<test::DroppingTransform>(
        [&history = deps_.history, table = deps_.climate.filtered, another](const Transaction& part,
                                                                            const Change& change) {
            const auto& transaction = history.transactions[history.first_from(part.commit_lsn)];
            const std::size_t row = change.ordinal - 1;
            if (another && row > 0) return transaction.rows[row - 1].table != table;
            return transaction.rows[row].table != table;
        });
}

// The position is stored, and streaming is about to begin.
Result<std::unique_ptr<Format>> Instance::make_format(const SourceIdentity& identity) {
    deps_.oracle.attempt_begins();
    std::unique_ptr<Format> format;
    if (deps_.options.real) {
        format = std::make_unique<NativeFormat>(
            FormatOptions{},
            FormatContext{.version = "0", .connector = "sim", .database = identity.database});
        if (deps_.climate.registry.there) {
            format = registry_.beside(std::move(format), identity.database, deps_.options.mutation);
        }
    } else {
        auto played = std::make_unique<FakeFormat>(
            deps_.world, deps_.history, deps_.climate.drops ? kTables : deps_.climate.filtered,
            deps_.climate.refuses);
        played->refuses_another = deps_.options.mutation == Mutation::refuses_another_change;
        format = std::move(played);
    }
    if (deps_.climate.format_waits > 0) format = waiting(std::move(format));
    return spoilt(std::move(format), deps_.options.mutation, deps_.world.random);
}

std::unique_ptr<Format> Instance::waiting(std::unique_ptr<Format> format) {
    World& world = deps_.world;
    auto made = std::make_unique<test::WaitingFormat>(
        std::move(format), world.clock,
        [&world, &climate = deps_.climate](
            std::size_t changes) -> std::optional<test::WaitingFormat::Wait> {
            if (!world.random.chance(climate.format_waits)) return std::nullopt;
            return test::WaitingFormat::Wait{world.random.below(changes),
                                             world.between(1us, climate.format_waits_max)};
        });
    made->loses_a_change = deps_.options.mutation == Mutation::waiting_loses_a_change;
    return made;
}

Result<std::unique_ptr<Sink>> Instance::make_sink() {
    if (deps_.climate.files.there) return deps_.files.make_sink();
    if (deps_.climate.sealed) {
        return std::make_unique<test::TransactionalSink>(deps_.log, deps_.world.clock);
    }
    if (!deps_.climate.to_kafka) {
        return spoilt(std::make_unique<FakeSink>(deps_.world, deps_.oracle, deps_.climate.sink),
                      deps_.options.mutation);
    }
    KafkaSink::Deps deps{.config = deps_.kafka,
                         .producers = deps_.cluster,
                         .carry_over = kafka_carry_over_,
                         .clock = deps_.world.clock,
                         .metrics = *metrics_,
                         .logger = {}};
    if (deps_.climate.exactly_once()) {
        deps.positions = make_topic_store();
    }
    auto sink = KafkaSink::make(std::move(deps));
    if (!sink) return std::unexpected(std::move(sink.error()));
    auto watched = std::make_unique<WatchedSink>(deps_.world, deps_.oracle, std::move(*sink),
                                                 deps_.climate.sink.held_limit);
    return spoilt(std::move(watched), deps_.options.mutation);
}

std::unique_ptr<PositionStore> Instance::make_store() {
    if (!deps_.climate.in_topic) {
        return std::make_unique<FileStore>(deps_.disk, "shop", "/state/shop.position");
    }
    return make_topic_store();
}

std::unique_ptr<PositionStore> Instance::make_topic_store() {
    auto log = spoilt(std::make_unique<FakeLog>(deps_.world, deps_.topic, deps_.climate.log),
                      deps_.options.mutation);
    return std::make_unique<KafkaPositionTopic>(std::move(log), deps_.kafka.position_topic(),
                                                "shop", deps_.world.clock, Logger{});
}

// However an attempt ends: the next one comes after a pause, or we would burden the server.
void Instance::look_at_the_pace() {
    attempts_.push_back(deps_.world.clock.now());
    if (attempts_.size() <= kAttempts_max) return;
    if (attempts_.back() - attempts_.front() < 1s) {
        deps_.world.fail(fmt::format("{} attempts in a second", attempts_.size()));
        throw Unfinished{};
    }
    attempts_.pop_front();
}

}  // namespace pgc::sim
