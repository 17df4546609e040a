// A schema registry as the pipeline meets one. Beside each native record, by which the oracle
// judges, the same change is written in Debezium's form with the number of its schema: the real
// formats, heads and client ask, wait and are refused, and only HTTP is faked. A record comes when
// its twin does.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "core/format.h"
#include "format/heads/protobuf_heads.h"
#include "format/options.h"
#include "format/registry/config.h"
#include "format/registry/registry_client.h"
#include "observe/metrics.h"
#include "simulation/field_numbers.h"
#include "simulation/mutation.h"
#include "simulation/world.h"
#include "support/fake_registry.h"

namespace pgc::sim {

// How the registry is.
struct RegistryHabits {
    bool there = false;
    SchemaType type = SchemaType::avro;
    bool past = false;            // others have registered versions before us; of Protobuf
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
    std::size_t twins = 0;     // records
    std::size_t protobuf = 0;  // of them
};

// What is registered, by any of our instances or by others.
class RegistryContents {
public:
    // Whether the schema of this number is registered under this subject.
    bool holds(const std::string& subject, std::uint32_t id) const;
    // What is wrong with a message of Protobuf whose schema it holds, if anything is: by what was
    // ever registered under its subject, and by its schema.
    std::optional<std::string> fault_of(const std::string& subject, std::uint32_t id,
                                        std::string_view message);

    test::FakeRegistry::Kept kept;

private:
    // Of a subject.
    struct Judged {
        std::size_t versions = 0;
        FieldNumbers numbers;
        std::map<std::uint32_t, ProtobufFile> files;  // by id
    };
    std::map<std::string, Judged> judged_;
};

// The way of one of our instances to the registry: what stays when its process ends.
class RegistryTwin {
public:
    RegistryTwin(World& world, const RegistryHabits& habits, RegistryContents& contents)
        : world_(world),
          habits_(habits),
          contents_(contents),
          http_(world, habits, counts_, contents.kept) {}

    // Of a process of ours, which at first knows no schema.
    class Life {
    public:
        Life(RegistryTwin& twin, Metrics& metrics);
        Life(const Life&) = delete;
        Life& operator=(const Life&) = delete;
        ~Life() {
            twin_.client_.reset();
            twin_.protobuf_.reset();
        }

    private:
        RegistryTwin& twin_;
    };
    // Writes what `native` writes, once the twin of it can be written.
    std::unique_ptr<Format> beside(std::unique_ptr<Format> native, const std::string& database,
                                   Mutation mutation);
    void go_away(Duration time);
    void refuse_one() { http_.refuse_one(); }
    void settles() { http_.settles(); }
    // Whether a stop is because of it: since the last life began.
    bool refused() const noexcept { return http_.refused(); }
    // Others have registered a version of this schema, where they are to have.
    void has_past(const std::string& subject, const ConnectSchema& schema);
    // What is wrong with a message that was written, if anything is.
    std::optional<std::string> fault_of(const std::string& subject, std::string_view message);

    bool is_protobuf() const noexcept { return habits_.type == SchemaType::protobuf; }

    RegistryCounts& counts() noexcept { return counts_; }
    const RegistryCounts& counts() const noexcept { return counts_; }

private:
    std::unique_ptr<MessageHeads> heads(Mutation mutation);

    // Answers late, wrongly or not at all.
    class Http final : public RegistryHttp {
    public:
        Http(World& world, const RegistryHabits& habits, RegistryCounts& counts,
             test::FakeRegistry::Kept& kept)
            : world_(world), habits_(habits), counts_(counts), registry_(world.clock, kept) {
            registry_.limit = std::chrono::seconds{2};
        }

        bool full() const override { return registry_.full(); }
        Result<Id> begin(HttpCall call) override;
        std::vector<Finished> poll() override { return registry_.poll(); }
        void give_up(Id id) override;
        void wants(Wants& wants) const override { registry_.wants(wants); }

        void life_begins() noexcept { refused_ = false; }
        void go_away(bool silently);
        void come_back();
        void refuse_one() noexcept { refuses_ = !settled_; }
        void settles();
        bool refused() const noexcept { return refused_; }
        test::FakeRegistry& registry() noexcept { return registry_; }

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
    RegistryContents& contents_;
    RegistryCounts counts_;
    const RegistryConfig config_{
        .urls = {"http://registry"},
        .schema_change = habits_.pauses ? SchemaChange::pause : SchemaChange::fail};
    Http http_;
    // Of the present life.
    std::unique_ptr<RegistryClient> client_;
    std::optional<ProtobufMemory> protobuf_;
    std::unique_ptr<SchemaRegistry> forgetful_;
};

}  // namespace pgc::sim
