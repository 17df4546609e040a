#include "postgres/types/log_positions.h"

#include <charconv>
#include <cstddef>
#include <cstdint>

#include "base/byte_cursor.h"
#include "base/lsn.h"
#include "postgres/types/written_text.h"

namespace pgc::types {
namespace {

constexpr std::size_t kMaxNumber = 20;  // digits of a 64-bit integer

char* write_number(char* to, std::uint64_t value) noexcept {
    return std::to_chars(to, to + kMaxNumber, value).ptr;
}

}  // namespace

bool read_lsn_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != sizeof(std::uint64_t)) {
        return false;
    }
    ByteCursor in{bytes};
    char* text = scratch.reserve(kMaxLsnText);
    commit_text(text, write_lsn(text, Lsn{in.read<std::uint64_t>()}), scratch, out);
    return true;
}

bool read_tid_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != 6) {
        return false;
    }
    ByteCursor in{bytes};
    char* text = scratch.reserve(2 * kMaxNumber);
    char* to = text;
    *to++ = '(';
    to = write_number(to, in.read<std::uint32_t>());
    *to++ = ',';
    to = write_number(to, in.read<std::uint16_t>());
    *to++ = ')';
    commit_text(text, to, scratch, out);
    return true;
}

// Int32 n  Int64 xmin  Int64 xmax  n × Int64 xid
bool read_snapshot_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    ByteCursor in{bytes};
    const std::size_t count = in.read<std::uint32_t>();
    const auto xmin = in.read<std::uint64_t>();
    const auto xmax = in.read<std::uint64_t>();
    if (in.overrun() || in.remaining() != count * sizeof(std::uint64_t)) {
        return false;
    }
    char* text = scratch.reserve((count + 2) * (kMaxNumber + 1));
    char* to = write_number(text, xmin);
    *to++ = ':';
    to = write_number(to, xmax);
    *to++ = ':';
    for (std::size_t i = 0; i < count; ++i) {
        if (i > 0) {
            *to++ = ',';
        }
        to = write_number(to, in.read<std::uint64_t>());
    }
    commit_text(text, to, scratch, out);
    return true;
}

bool read_xid8_binary(const Type&, std::string_view bytes, Scratch& scratch, Value& out) {
    if (bytes.size() != sizeof(std::uint64_t)) {
        return false;
    }
    ByteCursor in{bytes};
    char* text = scratch.reserve(kMaxNumber);
    commit_text(text, write_number(text, in.read<std::uint64_t>()), scratch, out);
    return true;
}

}  // namespace pgc::types
