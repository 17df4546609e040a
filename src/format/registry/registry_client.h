// The schema registry as formats ask it, over the API of Confluent's: what is asked for in which
// order, and what is remembered.
//
//   look_up   [set the level] ─▶ register (or find) ─▶ known
//             A registry that sets a level only for a subject that is there is asked to once the
//             schema is registered. An incompatible one is asked about twice: some registries say
//             that, too, to two who register the same subject at once. What is refused then
//             follows schema_change: pending until it is accepted (pause), refused (fail), or
//             (evolve)  read the level ─▶ set NONE ─▶ register ─▶ set what it was
//   versions  list ─▶ each version, the newest first. What is refused follows schema_change, too:
//             pending until it is shown (pause), or an error
//
// Ids outlive the attempt that asked for them, within SchemaCache's bound; so do levels that were
// set. What nobody asks for any more is forgotten after a while.
//
// Threads: one, the pipeline's.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "format/registry/line.h"
#include "format/registry/registry.h"
#include "format/registry/schema_cache.h"

namespace pgc {

class RegistryClient final : public SchemaRegistry {
public:
    static constexpr std::size_t kAsked_max = 64;       // at once; more wait for their turn
    static constexpr std::size_t kRefusals_max = 1000;  // that are remembered, of each kind
    static constexpr std::size_t kVersions_max = 1000;
    static constexpr std::size_t kVersionsBytes_max = std::size_t{32} << 20;
    static constexpr Duration kForgotten_after = std::chrono::minutes{2};

    explicit RegistryClient(RegistryLine::Deps deps);

    Result<SchemaAnswer> look_up(const Subject& subject, const SchemaText& schema) override;
    void drop(const Subject& subject, const SchemaText& schema) override;
    Result<std::optional<Versions>> versions(const Subject& subject) override;
    void wants(Wants& wants) const override;
    std::string waits_for() const override;

private:
    struct SchemaQuestion {
        enum class Step : std::uint8_t {
            set_level,
            schema,
            set_level_late,
            read_level,
            lower_level,
            restore_level,
            refused,
        };
        Subject subject;
        SchemaText schema;
        Step step = Step::schema;
        std::optional<RegistryLine::Ticket> ticket{};
        Instant asked_for{};  // when somebody last was interested
        bool level_is_late = false;
        bool conflicted = false;         // once
        bool lowered = false;            // the level, so that it is accepted; once
        Error conflict{};                // for which it is lowered
        SchemaId id{};                   // 0: not yet
        std::optional<Error> refusal{};  // stands while it is asked again
        std::uint32_t refusals = 0;
        Instant ask_again_at{};
        std::optional<Error> error{};
    };
    // A subject whose level is NONE for a while.
    struct Lowered {
        std::optional<Compatibility> before{};  // none: the subject has no level of its own
        int questions = 0;                      // that need it; the last one sets it back
    };
    using Step = SchemaQuestion::Step;
    struct VersionsQuestion {
        std::optional<RegistryLine::Ticket> ticket{};
        Instant asked_for{};
        std::vector<std::int32_t> left{};  // to be read, the last one next
        Versions read{};                   // the newest first
        std::size_t bytes = 0;
        bool done = false;
        std::optional<Error> refusal{};  // stands while it is asked again
        Instant ask_again_at{};
        std::optional<Error> error{};
    };
    // What the stream waits for where refusals are waited out.
    struct Pause {
        std::string_view until;
        const Error* refusal = nullptr;  // null: for nothing
    };

    bool full() const;
    bool pauses() const noexcept { return config_.schema_change == SchemaChange::pause; }
    SchemaQuestion* question(const std::string& key, const Subject& subject,
                             const SchemaText& schema);
    void act();
    void take_schemas(bool& any);
    void take_versions(bool& any);
    void begin(SchemaQuestion& question);
    void ask(SchemaQuestion& question, SchemaQuestion::Step step);
    // True once its answer is in the cache.
    bool advance(SchemaQuestion& question, RegistryAnswer answer);
    bool incompatible(SchemaQuestion& question, const RegistryAnswer& answer);
    void level_stays(const SchemaQuestion& question, const Error& why);
    bool level_set(SchemaQuestion& question, RegistryAnswer answer);
    void lower_level(SchemaQuestion& question, std::optional<Compatibility> before);
    bool level_read(SchemaQuestion& question, RegistryAnswer answer);
    bool level_lowered(SchemaQuestion& question, RegistryAnswer answer);
    bool restores_level(SchemaQuestion& question);
    bool level_restored(SchemaQuestion& question, const RegistryAnswer& answer);
    bool registered(SchemaQuestion& question);
    void refuse(SchemaQuestion& question, Error why);
    bool known(SchemaQuestion& question);
    Pause paused() const;
    void note_pause();
    void list_versions(const std::string& subject, VersionsQuestion& question);
    void ask_for_version(const std::string& subject, VersionsQuestion& question);
    void advance(const std::string& subject, VersionsQuestion& question, RegistryAnswer answer);
    void refuse(VersionsQuestion& question, Error why);
    void forget();

    const RegistryConfig& config_;
    const Clock& clock_;
    const Logger logger_;
    Gauge& schemas_known_;
    Gauge& waiting_;
    bool paused_ = false;
    RegistryLine line_;
    SchemaCache cache_;
    std::set<std::string, std::less<>> levels_set_;                  // subjects
    std::map<std::string, Lowered, std::less<>> lowered_;            // by subject
    std::map<std::string, SchemaQuestion, std::less<>> schemas_;     // by schema_key()
    std::map<std::string, VersionsQuestion, std::less<>> versions_;  // by subject
};

}  // namespace pgc
