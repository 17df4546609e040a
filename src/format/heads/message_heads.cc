#include "format/heads/message_heads.h"

#include <utility>

#include "format/connect/json_envelope.h"

namespace pgc {

Result<HeadAnswer> EnvelopeHeads::head(const ConnectSchema& schema, MessagePart, std::string_view) {
    return HeadAnswer::known({.before = envelope_head(schema), .after = "}"});
}

Result<HeadAnswer> make_ready(HeadedMessages& messages, MessageHeads& heads,
                              std::string_view topic) {
    MessageHead key;
    if (messages.key_schema != nullptr) {
        auto answer = heads.head(*messages.key_schema, MessagePart::key, topic);
        if (!answer || answer->is != HeadAnswer::Is::known) return answer;
        key = std::move(answer->head);
    }
    auto answer = heads.head(*messages.value_schema, MessagePart::value, topic);
    if (!answer || answer->is != HeadAnswer::Is::known) return answer;
    messages.key_head = std::move(key);
    messages.value_head = answer->head;
    messages.ready = true;
    return answer;
}

}  // namespace pgc
