// The number under which a schema registry has a message's schema, which is registered there where
// that is configured: a zero and four bytes before each message.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "format/connect/schema.h"
#include "format/heads/message_heads.h"
#include "format/registry/config.h"
#include "format/registry/registry.h"

namespace pgc {

class RegistryHeads final : public MessageHeads {
public:
    struct Options {
        SchemaType type = SchemaType::avro;
        SubjectStrategy strategy = SubjectStrategy::topic_name;
        bool docs = false;  // comments of columns and tables go into the schemas
    };
    // The registry outlives it.
    RegistryHeads(SchemaRegistry& registry, const Options& options)
        : registry_(registry), options_(options) {}

    Result<HeadAnswer> head(const ConnectSchemaPtr& schema, MessagePart part,
                            std::string_view topic) override;
    void wants(Wants& wants) const override { registry_.wants(wants); }
    std::string waits_for() const override { return registry_.waits_for(); }

private:
    // What was asked last. A stream that waits asks the same at each turn.
    struct Question {
        ConnectSchemaPtr schema;
        Subject subject;
        SchemaText text;
    };
    Result<std::string> text_of(const ConnectSchema& schema) const;

    SchemaRegistry& registry_;
    const Options options_;
    std::optional<Question> asked_;
};

}  // namespace pgc
