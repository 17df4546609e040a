// The fake: a registry of files in memory, as slow and unreliable as a test asks for.
//
// A server outlives the instances that use it, as the database does. A commit is on its way for a
// while, and arrives also when who sent it is gone, unless somebody has taken the registry over by
// then. Everything is decided by the clock and the random numbers that are given.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "sink/file_registry/registry.h"

namespace pgc {

class SimulatedRegistryServer {
public:
    // What the tables hold of a pipeline.
    struct Pipeline {
        std::uint64_t generation = 0;
        std::optional<StoredPosition> position;
        RegistryContent content;
        std::map<std::uint64_t, OpenFile> open;
        std::map<TableId, std::string> folders;
        std::map<TableId, TableMode> modes;
        std::vector<CompleteFile> complete;    // as they were registered
        std::vector<ReloadOperation> reloads;  // all, in the order in which they were ordered
        std::vector<DdlEvent> ddl;
        std::set<std::string> paths;  // theirs
    };

    // Both outlive it.
    SimulatedRegistryServer(const Clock& clock, Random& random) : clock_(clock), random_(random) {}

    // -- what a test decides --
    bool exists = true;       // the schema and its tables
    bool may_be_made = true;  // by us
    Duration delay_max{0};    // of each answer
    // Of each hundred commits: the connection breaks before it arrives, or after.
    unsigned lost_before_percent = 0;
    unsigned lost_after_percent = 0;
    // The next commit, whatever the percentages say.
    enum class Fault : std::uint8_t { none, lost_before, lost_after };
    std::optional<Fault> next_commit;
    // Nobody can be reached before.
    void go_away(Duration time) { back_at_ = clock_.now() + time; }
    void remove();
    // Another instance opens it.
    void take_over(const std::string& pipeline);
    // Called with what is about to be done: where a process may die.
    std::function<void(const char*)> step;

    // -- what there is --
    // With what has arrived by now. Nothing was ever stored: an empty one.
    const Pipeline& pipeline(const std::string& name);

private:
    friend class SimulatedFileRegistry;

    enum class Outcome : std::uint8_t {
        unknown,
        committed,
        fenced,
        path_is_taken,
        folder_is_taken
    };
    struct OnItsWay {
        Instant arrives_at;
        std::string pipeline;
        std::uint64_t generation = 0;
        std::uint64_t number = 0;
        RegistrySeal seal;
        std::shared_ptr<Outcome> outcome;  // for who sent it
    };

    void arrive();
    bool away() const noexcept { return clock_.now() < back_at_; }
    Instant answer_at();
    void take_step(const char* what) const {
        if (step) step(what);
    }

    const Clock& clock_;
    Random& random_;
    Instant back_at_;
    std::vector<OnItsWay> on_their_way_;
    std::map<std::string, Pipeline> pipelines_;
};

class SimulatedFileRegistry final : public FileRegistry {
public:
    SimulatedFileRegistry(SimulatedRegistryServer& server, std::string pipeline)
        : server_(server), pipeline_(std::move(pipeline)), positions_(*this) {}

    Result<std::optional<RegistryContent>> open() override;
    Result<void> commit(const RegistrySeal& seal) override;
    std::uint64_t seal_number() const noexcept override { return number_; }
    PositionStore& positions() override { return positions_; }
    bool is_disturbed() const noexcept override {
        return state_ == State::idle && generation_ != 0 && server_.away();
    }
    void wants(Wants& wants) const override;
    std::string where() const override { return "cdc_registry in memory"; }
    std::string waits_for() const override;

private:
    enum class State : std::uint8_t { idle, loading, creating, forgetting, opening, committing };

    class Positions final : public PositionStore {
    public:
        explicit Positions(SimulatedFileRegistry& registry) : registry_(registry) {}
        Result<std::optional<Loaded>> load() override { return registry_.load(); }
        void create() override { registry_.begin(State::creating, "create the registry"); }
        Result<void> save(const StoredPosition& position) override;
        Result<void> forget() override;
        Result<bool> saved() override { return registry_.saved(); }
        void wants(Wants& wants) const override { registry_.wants(wants); }
        std::uint64_t attempts() const noexcept override { return registry_.error_ ? 1 : 0; }
        std::string where() const override { return registry_.where(); }

    private:
        SimulatedFileRegistry& registry_;
    };

    void begin(State state, const char* what);
    // True when the answer is there; state_ is idle then.
    Result<bool> answered(State state, const char* what);
    Result<std::optional<PositionStore::Loaded>> load();
    Result<bool> saved();
    Result<std::optional<PositionStore::Loaded>> look();
    Result<bool> created();
    Result<bool> forgotten();
    RegistryContent take_over();
    Result<bool> committed();
    Error failed(Error error);

    SimulatedRegistryServer& server_;
    const std::string pipeline_;
    Positions positions_;

    State state_ = State::idle;
    Instant begun_at_;
    Instant answer_at_;
    std::uint64_t generation_ = 0;  // 0: it is not ours
    bool missed_ = false;           // it was missing when it was opened
    std::uint64_t number_ = 0;
    std::optional<StoredPosition> position_;                     // that we know to be committed
    RegistrySeal seal_;                                          // being committed
    std::shared_ptr<SimulatedRegistryServer::Outcome> outcome_;  // of that
    SimulatedRegistryServer::Fault fault_ = SimulatedRegistryServer::Fault::none;
    std::optional<Error> error_;  // for good
};

}  // namespace pgc
