// What travels in the copy-both mode of a replication connection, around pgoutput.
//
//   XLogData  'w'  Int64 start  Int64 end  Int64 clock  message…        server → us
//   Keepalive 'k'  Int64 end    Int64 clock  Byte reply                 server → us
//   Status    'r'  Int64 write  Int64 flush  Int64 apply  Int64 clock  Byte reply   us → server
//
// Positions are "last byte + 1". Both LSNs of a 'w' are the message's own place (zero for
// Relation and Type): they say nothing of how far behind we are. Only `flush` of a status
// moves a logical slot. All views point into the given bytes.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/clock.h"
#include "base/error.h"
#include "base/lsn.h"
#include "postgres/pgoutput/decode_error.h"

namespace pgc::pgoutput {

struct XLogData {
    Lsn start;
    Lsn end;
    WallTime sent_at;
    std::string_view message;  // one pgoutput message
};

struct Keepalive {
    Lsn end;  // the server has decoded everything before
    WallTime sent_at;
    bool reply_requested = false;
};

inline constexpr char kXLogData = 'w';
inline constexpr char kKeepalive = 'k';
inline constexpr std::size_t kXLogData_head = 1 + 3 * sizeof(std::uint64_t);

// Each requires nothing of its bytes; the first byte says which one to call.
[[nodiscard]] Result<XLogData, DecodeError> decode_xlog_data(std::string_view bytes) noexcept;
[[nodiscard]] Result<Keepalive, DecodeError> decode_keepalive(std::string_view bytes) noexcept;

struct StandbyStatus {
    Lsn write;
    Lsn flush;
    Lsn apply;
    WallTime sent_at;
    bool reply_requested = false;  // the server answers with a keepalive at once
};

inline constexpr std::size_t kStandbyStatusSize = 1 + 4 * 8 + 1;

[[nodiscard]] std::array<char, kStandbyStatusSize> encode(const StandbyStatus& status) noexcept;

}  // namespace pgc::pgoutput
