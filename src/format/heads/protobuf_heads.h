// As RegistryHeads, for Protobuf, whose field numbers stay for ever: what the registry has under a
// subject is their memory.
//
//   versions(subject) ─▶ the schema, with the numbers that columns had before ─▶ look_up(subject)
//
// All versions are read, not the newest alone: ours reserve what is gone, but others may have
// registered some that reserve nothing, and a version may have been deleted. Where schemas are not
// to be registered, the newest version that can hold the rows is taken as it is. After each refusal
// the versions are read again: others may have registered one meanwhile.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "format/connect/protobuf_file.h"
#include "format/connect/schema.h"
#include "format/heads/message_heads.h"
#include "format/registry/registry.h"
#include "format/registry/schema_cache.h"
#include "format/registry/subject.h"

namespace pgc {

// The schemas that were registered, by those without a memory: a table that is compiled again
// needs no registry. Outlives the formats.
using ProtobufMemory = SchemaMemory<SchemaText>;

class ProtobufHeads final : public MessageHeads {
public:
    struct Options {
        SubjectStrategy strategy = SubjectStrategy::topic_name;
        bool auto_register = true;
    };
    // Registry and memory outlive it.
    ProtobufHeads(SchemaRegistry& registry, ProtobufMemory& memory, const Options& options)
        : registry_(registry), memory_(memory), options_(options) {}

    Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                            std::string_view topic) override;
    void wants(Wants& wants) const override { registry_.wants(wants); }
    std::string waits_for() const override { return registry_.waits_for(); }

private:
    // What was asked last. A stream that waits asks the same at each turn.
    struct Question {
        ConnectSchemaPtr schema;
        MessagePart part{};
        std::string topic;
        ProtobufFile fresh;
        Subject subject;
        std::string key;  // of subject and schema
    };
    // What is to be looked up.
    struct Plan {
        SchemaText schema;
        std::string lacking;         // why what is registered can't be taken
        std::uint32_t refusals = 0;  // of it, that are known of
        bool is_stale = false;       // it was refused since the versions were read
    };
    static constexpr std::size_t kPlans_max = 64;

    Result<Question> question(const ConnectSchemaPtr& schema, MessagePart part,
                              std::string_view topic) const;
    // None while the registry is asked.
    Result<std::optional<Plan>> plan(const Question& question);
    Result<Plan> made(const Question& question, const SchemaRegistry::Versions& versions) const;
    void note_refusals(const std::string& key, std::uint32_t refusals);
    static Result<Plan> with_numbers(const Subject& subject, const ProtobufFile& fresh,
                                     const SchemaRegistry::Versions& versions);
    static Plan as_registered(const ProtobufFile& fresh, const SchemaRegistry::Versions& versions);
    static Result<HeadAnswer> known(const ConnectSchema& schema, ProtobufFile fresh,
                                    const std::string& registered, SchemaId id);

    SchemaRegistry& registry_;
    ProtobufMemory& memory_;
    const Options options_;
    std::optional<Question> asked_;
    std::map<std::string, Plan, std::less<>> plans_;  // until the registry knows them
};

}  // namespace pgc
