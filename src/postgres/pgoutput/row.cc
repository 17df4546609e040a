#include "postgres/pgoutput/row.h"

#include <cstdint>

namespace pgc::pgoutput {
namespace {

constexpr char kOldKey = 'K';
constexpr char kOldFull = 'O';
constexpr char kNew = 'N';

char read_tag(ByteCursor& in) noexcept {
    return static_cast<char>(in.read<std::uint8_t>());
}

// Distinguishes a message that is over from one that goes wrong.
std::unexpected<DecodeError> refuse(const ByteCursor& in, DecodeError otherwise) noexcept {
    return std::unexpected(in.overrun() ? DecodeError::truncated : otherwise);
}

}  // namespace

Result<RowHead, DecodeError> peek_row(std::string_view message, bool in_stream_block) noexcept {
    ByteCursor in{message};
    RowHead head;
    switch (read_tag(in)) {
        case 'I': head.operation = Operation::insert; break;
        case 'U': head.operation = Operation::update; break;
        case 'D': head.operation = Operation::remove; break;
        default: return refuse(in, DecodeError::wrong_message);
    }
    if (in_stream_block) {
        head.xid = Xid{in.read<std::uint32_t>()};
    }
    head.relation = Oid{in.read<std::uint32_t>()};

    const char tag = read_tag(in);
    const bool is_old = tag == kOldKey || tag == kOldFull;
    if (!(is_old && head.operation != Operation::insert) &&
        !(tag == kNew && head.operation != Operation::remove)) {
        return refuse(in, DecodeError::tuple_tag);
    }
    head.has_old = is_old;
    head.old_is_full = tag == kOldFull;
    head.has_new = head.operation != Operation::remove;
    head.tuples = in.rest();
    return head;
}

Result<void, DecodeError> decode_row(const RowHead& head, std::span<Cell> before,
                                     std::span<Cell> after) noexcept {
    ByteCursor in{head.tuples};
    if (head.has_old) {
        const auto null_state = head.old_is_full ? Cell::State::null : Cell::State::absent;
        if (const auto old_row = decode_tuple(in, before, null_state); !old_row) {
            return old_row;
        }
        if (head.has_new && read_tag(in) != kNew) {
            return refuse(in, DecodeError::tuple_tag);
        }
    }
    if (head.has_new) {
        if (const auto new_row = decode_tuple(in, after); !new_row) {
            return new_row;
        }
    }
    if (in.remaining() > 0) {
        return std::unexpected(DecodeError::trailing_bytes);
    }
    return {};
}

Result<void, DecodeError> decode_tuple(ByteCursor& in, std::span<Cell> cells,
                                       Cell::State null_state) noexcept {
    const auto count = in.read<std::uint16_t>();
    if (in.overrun() || count != cells.size()) {
        return refuse(in, DecodeError::column_count);
    }
    for (Cell& cell : cells) {
        cell = Cell{};
        switch (read_tag(in)) {
            case 't': cell.state = Cell::State::text; break;
            case 'b': cell.state = Cell::State::binary; break;
            case 'n': cell.state = null_state; continue;
            case 'u': cell.state = Cell::State::unchanged; continue;
            default: return refuse(in, DecodeError::column_kind);
        }
        const auto size = in.read<std::uint32_t>();
        cell.data = in.take(size).data();
        cell.size = size;
    }
    if (in.overrun()) {
        return std::unexpected(DecodeError::truncated);
    }
    return {};
}

}  // namespace pgc::pgoutput
