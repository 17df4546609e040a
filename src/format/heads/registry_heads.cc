#include "format/heads/registry_heads.h"

#include <utility>

#include "format/connect/avro_schema.h"
#include "format/connect/json_schema.h"
#include "format/encoding/wire_header.h"
#include "format/registry/subject.h"

namespace pgc {

Result<HeadAnswer> RegistryHeads::head(const ConnectSchemaPtr& schema, MessagePart part,
                                       std::string_view topic) {
    const SchemaOf of = part == MessagePart::key ? SchemaOf::key : SchemaOf::value;
    // The title of a JSON Schema is the name itself.
    const bool scrubbed = options_.type == SchemaType::avro;
    Subject subject = subject_of(options_.strategy, of, topic,
                                 scrubbed ? avro_full_name(schema->name) : schema->name);
    if (!asked_ || asked_->schema != schema || asked_->subject != subject) {
        auto text = text_of(*schema);
        if (!text) return HeadAnswer::refused(std::move(text.error()));
        asked_ = Question{.schema = schema,
                          .subject = std::move(subject),
                          .text = {.type = options_.type, .text = std::move(*text)}};
    }
    auto answer = registry_.look_up(asked_->subject, asked_->text);
    if (!answer) return std::unexpected(std::move(answer.error()));
    switch (answer->is) {
        case SchemaAnswer::Is::pending: return HeadAnswer::pending();
        case SchemaAnswer::Is::refused: return HeadAnswer::refused(std::move(answer->reason));
        case SchemaAnswer::Is::known: break;
    }
    asked_.reset();
    return HeadAnswer::known(
        {.before = wire_header(static_cast<std::uint32_t>(answer->id.value)), .after = {}});
}

Result<std::string> RegistryHeads::text_of(const ConnectSchema& schema) const {
    if (options_.type == SchemaType::json) return json_schema(schema);
    return avro_schema(schema, options_.docs ? AvroDocs::attributes : AvroDocs::annotations);
}

}  // namespace pgc
