// What a format asks of a schema registry: an id for a schema, and what was registered before.
//
// A question is asked again and again until its answer is there; nothing here blocks. While the
// registry does not answer, it is asked for ever, and known schemas are answered from memory.
//
//   format.encode() ─▶ look_up(subject, schema) ─▶ known: the id to write
//                                                 pending: Encoded::waits, and wants() is passed on
//                                                 refused: Encoded::refused, or what the user wants
//
// An Error is of the registry as a whole, and passes only when somebody fixes it: it does not
// accept who we are. The format hands it on, and the attempt ends.
//
// Threads: owned and called by the pipeline thread alone. It outlives the formats that use it.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/error.h"
#include "base/wait.h"
#include "format/registry/subject.h"

namespace pgc {

// As it stands in front of each message, in four bytes.
struct SchemaId {
    std::int32_t value = 0;
    bool operator==(const SchemaId&) const = default;
};

enum class SchemaType : std::uint8_t { avro, protobuf, json };

// Another schema that a schema uses, by the name it has there.
struct SchemaReference {
    std::string name;
    std::string subject;
    std::int32_t version = 0;
    bool operator==(const SchemaReference&) const = default;
};

struct SchemaText {
    SchemaType type = SchemaType::avro;
    std::string text;
    std::vector<SchemaReference> references{};
    bool operator==(const SchemaText&) const = default;
};

struct RegisteredSchema {
    std::int32_t version = 0;
    SchemaId id;
    SchemaText schema;
    bool operator==(const RegisteredSchema&) const = default;
};

struct SchemaAnswer {
    enum class Is : std::uint8_t { known, pending, refused };
    Is is = Is::pending;
    SchemaId id{};   // of a known one
    Error reason{};  // of a refused one: the registry's own message, and what can be done
    std::uint32_t refusals = 0;  // so far; a pending one has some where refusals are waited out

    static SchemaAnswer known(SchemaId id) { return {.is = Is::known, .id = id}; }
    static SchemaAnswer pending() { return {}; }
    static SchemaAnswer refused(Error why) { return {.is = Is::refused, .reason = std::move(why)}; }
};

class SchemaRegistry {
public:
    SchemaRegistry() = default;
    SchemaRegistry(const SchemaRegistry&) = delete;
    SchemaRegistry& operator=(const SchemaRegistry&) = delete;
    virtual ~SchemaRegistry() = default;

    // The id of `schema` under `subject`, which registers it there where that is configured. To be
    // called again while it is pending. A refusal stands until the registry says otherwise: for as
    // long as somebody calls, it is asked now and then whether it still means it.
    [[nodiscard]] virtual Result<SchemaAnswer> look_up(const Subject& subject,
                                                       const SchemaText& schema) = 0;
    // Nobody waits for look_up()'s answer any more: another schema takes its place.
    virtual void drop(const Subject& subject, const SchemaText& schema) = 0;

    // What was ever registered under `subject`, the oldest first, also what was deleted and can be
    // restored; none while it is pending. Beyond a bound the oldest are left out. It is not kept:
    // once it was given, a call asks the registry again. A refusal is an Error of the category
    // data, which stands as a schema's does, and is pending where refusals are waited out.
    using Versions = std::vector<RegisteredSchema>;
    [[nodiscard]] virtual Result<std::optional<Versions>> versions(const Subject& subject) = 0;

    // Adds what the pending ones wait for; nothing where there are none.
    virtual void wants(Wants& wants) const = 0;

    // As Format::waits_for().
    virtual std::string waits_for() const = 0;
};

}  // namespace pgc
