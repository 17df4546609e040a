// Under which name a schema stands in a registry. Consumers compute the same name, so it is made
// as their libraries make it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/words.h"

namespace pgc {

enum class SubjectStrategy : std::uint8_t {
    topic_name,         // shop.public.users-value
    record_name,        // shop.public.users.Envelope
    topic_record_name,  // shop.public.users-shop.public.users.Envelope
};
inline constexpr auto kSubjectStrategies =
    words_for<SubjectStrategy>({{"topic_name", SubjectStrategy::topic_name},
                                {"record_name", SubjectStrategy::record_name},
                                {"topic_record_name", SubjectStrategy::topic_record_name}});

// Of which part of a message a schema is.
enum class SchemaOf : std::uint8_t { key, value };

struct Subject {
    std::string name;
    SchemaOf of = SchemaOf::value;
    bool operator==(const Subject&) const = default;
};

// `record`: the full name of Avro's record or of Protobuf's message, the title of a JSON Schema.
Subject subject_of(SubjectStrategy strategy, SchemaOf of, std::string_view topic,
                   std::string_view record);

}  // namespace pgc
