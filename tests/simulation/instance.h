// One of us: the whole engine with its parts, life after life, in a world that others share.
#pragma once

#include <cstddef>
#include <deque>
#include <memory>
#include <vector>

#include "base/spill_folder.h"
#include "core/store.h"
#include "pipeline/parts.h"
#include "pipeline/pipeline.h"
#include "pipeline/stop_request.h"
#include "postgres/source/postgres_source.h"
#include "simulation/climate.h"
#include "simulation/customer.h"
#include "simulation/disk.h"
#include "simulation/fake_log.h"
#include "simulation/fake_waiter.h"
#include "simulation/files.h"
#include "simulation/kafka.h"
#include "simulation/registry_twin.h"
#include "simulation/run.h"
#include "simulation/server.h"
#include "simulation/turns.h"
#include "simulation/wire_link.h"
#include "sink/kafka/carry_over.h"
#include "sink/kafka/config.h"
#include "support/transactional_sink.h"

namespace pgc::sim {

class Instance final : public PipelineParts {
public:
    struct Place {
        const RunOptions& options;
        World& world;
        Climate& climate;
        const History& history;
        Oracle& oracle;
        Server& server;
        Disk& disk;
        FakeTopic& topic;
        test::TransactionalLog& log;
        Turns& turns;
        const PostgresConfig& postgres;
        WireLinks& links;
        const KafkaConfig& kafka;
        FakeCluster& cluster;
        Customer& customer;
        FakeFiles& files;
        RegistryContents& registered;

        bool has_position() const {
            if (climate.files.there) return files.has_position();
            if (climate.sealed) return log.position.has_value();
            return climate.in_topic ? topic.has_position() : disk.has_position();
        }
    };
    explicit Instance(const Place& place)
        : deps_(place),
          waiter_(place.world, place.turns),
          registry_(place.world, place.climate.registry, place.registered) {}

    // From the start of the process to its end, however that comes: Crash, Unfinished.
    Result<void> live(std::size_t number);
    bool is_there() const noexcept { return stop_ != nullptr; }
    void ask_to_end();
    int stops_asked() const noexcept { return stops_asked_; }
    std::uint64_t waits() const noexcept { return waiter_.waits(); }
    RegistryTwin& registry() noexcept { return registry_; }
    const RegistryTwin& registry() const noexcept { return registry_; }

    Result<std::unique_ptr<Source>> make_source(const SourceTask& task) override;
    Result<std::vector<std::unique_ptr<Transform>>> make_transforms(
        std::shared_ptr<RelationSlots> slots) override;
    Result<std::unique_ptr<Format>> make_format(const SourceIdentity& identity) override;
    Result<std::unique_ptr<PartitionKeys>> make_partition_keys() override { return nullptr; }
    Result<std::unique_ptr<Sink>> make_sink() override;

private:
    std::unique_ptr<Source> real_source(const SourceTask& task, bool may_create);
    std::unique_ptr<Transform> dropping() const;
    std::unique_ptr<Format> waiting(std::unique_ptr<Format> format);
    std::unique_ptr<PositionStore> make_store();
    std::unique_ptr<PositionStore> make_topic_store();
    void look_at_the_pace();

    const Place deps_;
    FakeWaiter waiter_;
    RegistryTwin registry_;
    // Of the present life.
    SourceCarryOver carry_over_;
    SimulatedSpillFolder spill_;
    KafkaCarryOver kafka_carry_over_;
    Metrics* metrics_ = nullptr;
    StopRequest* stop_ = nullptr;
    int stops_asked_ = 0;
    std::deque<Instant> attempts_;  // the latest
};

}  // namespace pgc::sim
