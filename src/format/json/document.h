// A JSON document of somebody else's, embedded into ours.
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "format/json/writer.h"

namespace pgc {

// Checks a document against RFC 8259 while it copies it, byte for byte but for line
// ends and tabs between tokens, which become spaces: a message is one line. Nesting may
// be as deep as it likes; it costs a bit a level, no stack.
//
// Refused are, beside what breaks the grammar, escapes of a lone surrogate ("\ud800"):
// PostgreSQL's json lets them in, but they are no Unicode text and most readers give up.
class DocumentWriter {
public:
    enum class Fault : std::uint8_t { none, not_json, not_utf8 };

    // Appends the document, or leaves `out` as it was and says why.
    [[nodiscard]] Fault append(Writer& out, std::string_view document);

private:
    struct Walk;

    std::vector<bool> in_object_;  // for each level that is open; reused
};

}  // namespace pgc
