#include "format/encoding/wire_header.h"

#include "format/encoding/varint.h"

namespace pgc {

std::string wire_header(std::uint32_t schema_id) {
    std::string header(1, '\0');
    for (int shift = 24; shift >= 0; shift -= 8) header += static_cast<char>(schema_id >> shift);
    return header;
}

std::string protobuf_wire_header(std::uint32_t schema_id, std::size_t message) {
    std::string header = wire_header(schema_id);
    // The path to the message: how many steps and each of them, in zigzag. One byte means the
    // first.
    if (message == 0) return header + '\0';
    char path[2 * kMaxVarint];
    char* const end = write_zigzag(write_zigzag(path, 1), static_cast<std::int64_t>(message));
    return header.append(path, end);
}

}  // namespace pgc
