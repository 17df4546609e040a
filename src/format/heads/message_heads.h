// What stands around a message for those who read it by a schema: nothing, the schema itself, or
// the number under which a registry has it.
//
// Threads: owned and called by the pipeline thread alone.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "base/error.h"
#include "base/wait.h"
#include "format/connect/schema.h"

namespace pgc {

enum class MessagePart : bool { key, value };

struct MessageHead {
    std::string before;
    std::string after;
};

struct HeadAnswer {
    enum class Is : unsigned char { known, pending, refused };
    Is is = Is::pending;
    MessageHead head{};
    Error reason{};  // of a refused one
    ConnectSchemaPtr
        numbered{};  // the schema with the numbers of its fields; null: by their places

    static HeadAnswer known(MessageHead head, ConnectSchemaPtr numbered = nullptr) {
        return {.is = Is::known, .head = std::move(head), .numbered = std::move(numbered)};
    }
    static HeadAnswer pending() { return {}; }
    static HeadAnswer refused(Error why) { return {.is = Is::refused, .reason = std::move(why)}; }
};

class MessageHeads {
public:
    MessageHeads() = default;
    MessageHeads(const MessageHeads&) = delete;
    MessageHeads& operator=(const MessageHeads&) = delete;
    virtual ~MessageHeads() = default;

    // Of messages with this schema, which is not null, in `topic`. To be called again while it is
    // pending; never blocks. An Error is of all messages, and ends the attempt.
    [[nodiscard]] virtual Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                                                  std::string_view topic) = 0;

    // Adds what the pending ones wait for.
    virtual void wants(Wants& wants) const = 0;

    // As Format::waits_for().
    virtual std::string waits_for() const = 0;
};

// Nothing stands around them.
class NoHeads final : public MessageHeads {
public:
    Result<HeadAnswer> head(const ConnectSchemaPtr&, MessagePart, std::string_view) override {
        return HeadAnswer::known({});
    }
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }
};

// Each message has its schema, as JsonConverter writes it.
class EnvelopeHeads final : public MessageHeads {
public:
    Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                            std::string_view topic) override;
    void wants(Wants&) const override {}
    std::string waits_for() const override { return {}; }
};

// The schemas of a kind of messages with the numbers that a registry has for their fields; null
// where each number is a field's place.
struct SchemaNumbers {
    ConnectSchemaPtr key;
    ConnectSchemaPtr value;

    bool any() const noexcept { return key != nullptr || value != nullptr; }
};

// The messages of one kind, of a table say: their schemas, and what stands around them once that is
// known.
struct HeadedMessages {
    ConnectSchemaPtr key_schema;  // null: they have no key
    ConnectSchemaPtr value_schema;
    MessageHead key_head;
    MessageHead value_head;
    SchemaNumbers numbers;  // by which they are to be written
    bool key_ready = false;
    bool ready = false;  // all of it
};

// Asks for the heads of `messages`, which are ready when the answer is known.
Result<HeadAnswer> make_ready(HeadedMessages& messages, MessageHeads& heads,
                              std::string_view topic);

}  // namespace pgc
