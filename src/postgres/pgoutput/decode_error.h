// Why bytes from the server are not the message they should be. The one who calls the
// decoder knows table and LSN and turns it into an Error that names them.
#pragma once

#include <cstdint>
#include <string_view>

namespace pgc::pgoutput {

enum class DecodeError : std::uint8_t {
    truncated,         // ends before its last field, or a length points past its end
    trailing_bytes,    // goes on after its last field
    unknown_message,   // the first byte is no kind we know
    wrong_message,     // a kind we know, given to the decoder of another
    flags,             // a flag that no version of the protocol defines
    column_count,      // not as many columns as the relation has, or more than a table can have
    column_kind,       // neither null, unchanged, text nor binary
    tuple_tag,         // neither K, O nor N where a row must begin
    replica_identity,  // none of the four
};

constexpr std::string_view text(DecodeError error) noexcept {
    using enum DecodeError;
    switch (error) {
        case truncated: return "the message ends too early";
        case trailing_bytes: return "the message goes on after its end";
        case unknown_message: return "the message is of an unknown kind";
        case wrong_message: return "the message is of another kind than expected";
        case flags: return "the message has an unknown flag";
        case column_count: return "the row has not as many columns as its table";
        case column_kind: return "a column is of an unknown kind";
        case tuple_tag: return "a row begins with an unknown tag";
        case replica_identity: return "the table has an unknown replica identity";
    }
    return "the message can't be decoded";
}

}  // namespace pgc::pgoutput
