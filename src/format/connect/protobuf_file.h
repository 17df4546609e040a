// A file of Protobuf's language, as far as messages of rows need it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/error.h"

namespace pgc {

struct ProtobufField {
    std::string name;
    std::string type;  // "int64", or the name of a message
    bool repeated = false;
    bool optional = false;  // has a presence of its own: null is not zero
    std::uint32_t number = 0;
};

struct ProtobufMessage {
    std::string name;
    std::vector<ProtobufField> fields;
    std::vector<ProtobufMessage> messages;                          // within this one
    std::vector<std::pair<std::uint32_t, std::uint32_t>> reserved;  // numbers: first and last
    std::vector<std::string> reserved_names;
};

struct ProtobufFile {
    std::string package;
    std::vector<ProtobufMessage> messages;
    std::size_t root = 0;  // which of them the file is about: the index in the wire format
};

inline constexpr std::uint32_t kMaxFieldNumber = (1U << 29) - 1;

// Nothing where there is none of this name.
const ProtobufMessage* find_message(const std::vector<ProtobufMessage>& messages,
                                    std::string_view name) noexcept;

// In Protobuf's third syntax.
std::string text_of(const ProtobufFile& file);

// Reads what a registry has, ours or another's: messages, their fields and what is reserved.
// Options, enumerations and services are passed over, members of a oneof are fields.
Result<ProtobufFile> read_protobuf(std::string_view text);

}  // namespace pgc
