// A schema registry as the pipeline meets one. Beside each native record, by which the oracle
// judges, the same change is written in Debezium's form with the number of its schema: the real
// formats, heads and client ask, wait and are refused, and only HTTP is faked. A record comes when
// its twin does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "core/format.h"
#include "format/options.h"
#include "format/registry/config.h"
#include "format/registry/registry_client.h"
#include "observe/metrics.h"
#include "simulation/world.h"
#include "support/fake_registry.h"

namespace pgc::sim {

// How the registry is.
struct RegistryHabits {
    bool there = false;
    SchemaType type = SchemaType::avro;
    bool marks = false;           // of transactions are asked for as well
    Duration delay_max{0};        // of each answer
    unsigned outages = 0;         // nobody answers, or only after our patience is over
    unsigned errors_percent = 0;  // of the answers: 500, 429, 409, nonsense
    unsigned refusals = 0;        // of one schema each; whoever is stopped by it starts again
    bool pauses = false;          // or waits until it is accepted
};

// What there was, so that one sees that it was tried.
struct RegistryCounts {
    std::size_t waits = 0;     // of the format for an answer
    std::size_t failures = 0;  // answers that were none
    std::size_t refusals = 0;
    std::size_t twins = 0;  // records
};

// What stays when our process ends.
class RegistryTwin {
public:
    RegistryTwin(World& world, const RegistryHabits& habits)
        : world_(world), habits_(habits), http_(world, habits, counts_) {}

    // Of a process of ours, which at first knows no schema.
    class Life {
    public:
        Life(RegistryTwin& twin, Metrics& metrics);
        Life(const Life&) = delete;
        Life& operator=(const Life&) = delete;
        ~Life() { twin_.client_.reset(); }

    private:
        RegistryTwin& twin_;
    };
    // Writes what `native` writes, once the twin of it can be written. `waits`: false breaks that
    // law on purpose.
    std::unique_ptr<Format> beside(std::unique_ptr<Format> native, const std::string& database,
                                   bool waits);
    void go_away(Duration time);
    void refuse_one() { http_.refuse_one(); }
    void settles() { http_.settles(); }
    // Whether a stop is because of it: since the last life began.
    bool refused() const noexcept { return http_.refused(); }
    // Whether it holds this number's schema under this subject.
    bool holds(const std::string& subject, std::uint32_t id) const;

    RegistryCounts& counts() noexcept { return counts_; }
    const RegistryCounts& counts() const noexcept { return counts_; }

private:
    // Answers late, wrongly or not at all.
    class Http final : public RegistryHttp {
    public:
        Http(World& world, const RegistryHabits& habits, RegistryCounts& counts)
            : world_(world), habits_(habits), counts_(counts), registry_(world.clock) {
            registry_.limit = std::chrono::seconds{2};
        }

        bool full() const override { return registry_.full(); }
        Result<Id> begin(HttpCall call) override;
        std::vector<Finished> poll() override { return registry_.poll(); }
        void give_up(Id id) override { registry_.give_up(id); }
        void wants(Wants& wants) const override { registry_.wants(wants); }

        void life_begins() noexcept { refused_ = false; }
        void go_away(bool silently);
        void come_back();
        void refuse_one() noexcept { refuses_ = !settled_; }
        void settles();
        bool refused() const noexcept { return refused_; }
        const test::FakeRegistry& registry() const noexcept { return registry_; }

    private:
        std::optional<HttpAnswer> wrong_answer();

        World& world_;
        const RegistryHabits& habits_;
        RegistryCounts& counts_;
        test::FakeRegistry registry_;
        bool settled_ = false;
        bool refuses_ = false;
        bool refused_ = false;
    };

    World& world_;
    const RegistryHabits& habits_;
    RegistryCounts counts_;
    const RegistryConfig config_{
        .urls = {"http://registry"},
        .schema_change = habits_.pauses ? SchemaChange::pause : SchemaChange::fail};
    Http http_;
    std::unique_ptr<RegistryClient> client_;  // of the present life
};

}  // namespace pgc::sim
