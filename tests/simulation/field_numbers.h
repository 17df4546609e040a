// Judges Protobuf in the registry's twin, by what is registered and by what is written:
//
//   numbers stay   in the versions of a subject a number is of one field for ever: of one name, and
//                  of one type, or of an int32 that became an int64
//   rows by them   what a message holds is written under the numbers that its schema has
//
// And the past of a subject: a version that others have registered, whose numbers are no places.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "format/connect/protobuf_file.h"
#include "format/connect/schema.h"

namespace pgc::sim {

class FieldNumbers {
public:
    // Another version of `subject`, in their order. What is wrong with it, if anything is.
    std::optional<std::string> add(const std::string& subject, const ProtobufFile& file);

private:
    std::optional<std::string> add(const std::string& path, const ProtobufMessage& message);

    using Field = std::pair<std::string, std::string>;               // name and type
    std::map<std::pair<std::string, std::uint32_t>, Field> fields_;  // by message and number
};

// `message`: what stands after the number of the schema: which message of the file it is, and that.
bool is_written_by(const ProtobufFile& file, std::string_view message);

// A version that others have registered of a key or of an envelope: the numbers of the key, or of
// the row in the envelope, are others, and one is of a field that is gone since. Nothing where
// Protobuf has no schema for it.
std::optional<std::string> past_of(const ConnectSchema& schema);

}  // namespace pgc::sim
