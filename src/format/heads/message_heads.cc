#include "format/heads/message_heads.h"

#include <utility>

#include "format/connect/json_envelope.h"

namespace pgc {

Result<HeadAnswer> EnvelopeHeads::head(const ConnectSchemaPtr& schema, MessagePart,
                                       std::string_view) {
    return HeadAnswer::known({.before = envelope_head(*schema), .after = "}"});
}

Result<HeadAnswer> make_ready(HeadedMessages& messages, MessageHeads& heads,
                              std::string_view topic) {
    if (messages.key_schema != nullptr && !messages.key_ready) {
        auto answer = heads.head(messages.key_schema, MessagePart::key, topic);
        if (!answer || answer->is != HeadAnswer::Is::known) return answer;
        messages.key_head = std::move(answer->head);
        messages.numbers.key = std::move(answer->numbered);
        messages.key_ready = true;
    }
    auto answer = heads.head(messages.value_schema, MessagePart::value, topic);
    if (!answer || answer->is != HeadAnswer::Is::known) return answer;
    messages.value_head = answer->head;
    messages.numbers.value = answer->numbered;
    messages.ready = true;
    return answer;
}

}  // namespace pgc
