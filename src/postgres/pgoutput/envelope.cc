#include "postgres/pgoutput/envelope.h"

#include <bit>
#include <cstdint>
#include <cstring>

#include "base/byte_cursor.h"
#include "postgres/pgoutput/times.h"

namespace pgc::pgoutput {

Result<XLogData, DecodeError> decode_xlog_data(std::string_view bytes) noexcept {
    ByteCursor in{bytes};
    if (in.take(1) != std::string_view{&kXLogData, 1}) {
        return std::unexpected(bytes.empty() ? DecodeError::truncated : DecodeError::wrong_message);
    }
    XLogData data;
    data.start = Lsn{in.read<std::uint64_t>()};
    data.end = Lsn{in.read<std::uint64_t>()};
    data.sent_at = from_wire(in.read<std::uint64_t>());
    data.message = in.rest();
    if (in.overrun()) {
        return std::unexpected(DecodeError::truncated);
    }
    return data;
}

Result<Keepalive, DecodeError> decode_keepalive(std::string_view bytes) noexcept {
    ByteCursor in{bytes};
    if (in.take(1) != std::string_view{&kKeepalive, 1}) {
        return std::unexpected(bytes.empty() ? DecodeError::truncated : DecodeError::wrong_message);
    }
    Keepalive keepalive;
    keepalive.end = Lsn{in.read<std::uint64_t>()};
    keepalive.sent_at = from_wire(in.read<std::uint64_t>());
    keepalive.reply_requested = in.read<std::uint8_t>() != 0;
    if (in.overrun()) {
        return std::unexpected(DecodeError::truncated);
    }
    if (in.remaining() > 0) {
        return std::unexpected(DecodeError::trailing_bytes);
    }
    return keepalive;
}

std::array<char, kStandbyStatusSize> encode(const StandbyStatus& status) noexcept {
    std::array<char, kStandbyStatusSize> bytes;
    char* to = bytes.data();
    *to++ = 'r';
    for (const std::uint64_t field :
         {status.write.value, status.flush.value, status.apply.value, to_wire(status.sent_at)}) {
        const auto big_endian =
            std::endian::native == std::endian::little ? std::byteswap(field) : field;
        std::memcpy(to, &big_endian, sizeof(big_endian));
        to += sizeof(big_endian);
    }
    *to = status.reply_requested ? 1 : 0;
    return bytes;
}

}  // namespace pgc::pgoutput
