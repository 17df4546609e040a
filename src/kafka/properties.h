// librdkafka's properties: what the user may set through kafka.properties, and what our own
// options result in.
//
// An allow-list: refused is whatever loads code, runs a command, reads or writes a file of
// somebody's choice, is ours to set (the refusal says which option does it), or is unknown.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/error.h"
#include "base/secret.h"
#include "kafka/connection.h"

namespace pgc {

struct KafkaProperty {
    std::string name;
    std::string value;
};

struct KafkaPropertyRefusal {
    std::string reason;   // one clause
    std::string nearest;  // an allowed name that is near an unknown one; may be empty
    std::string hint;     // may be empty
};
// Nothing: it may be set. Looks at the value only as far as librdkafka itself would refuse it.
std::optional<KafkaPropertyRefusal> refuse_property(std::string_view name, std::string_view value);

// What every client is made with: brokers, security, the user's properties, and how we want
// connections kept. Secrets are asked for here and are also returned alone in `secrets`.
struct KafkaProperties {
    std::vector<KafkaProperty> all;  // in the order in which they are to be set
    std::vector<Secret> secrets;
};
Result<KafkaProperties> connection_properties(const KafkaConnection& config);

}  // namespace pgc
