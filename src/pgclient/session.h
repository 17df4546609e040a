// The settings every session of ours has, because the text form of values, and whether
// catalog queries mean what they say, depends on them. Pinned by the server at start-up,
// over whatever roles and databases have set.
//
// search_path: names in texts (regclass, format_type) are then always qualified, and no
// foreign object can stand in for a catalog's.
#pragma once

#include <array>
#include <string_view>

namespace pgc {

struct SessionSetting {
    std::string_view name;
    std::string_view value;  // without spaces
};

inline constexpr std::array kSessionSettings{
    SessionSetting{"datestyle", "ISO"},
    SessionSetting{"intervalstyle", "iso_8601"},
    SessionSetting{"extra_float_digits", "3"},
    SessionSetting{"timezone", "UTC"},
    SessionSetting{"bytea_output", "hex"},
    SessionSetting{"lc_monetary", "C"},
    SessionSetting{"search_path", "pg_catalog"},
    SessionSetting{"statement_timeout", "0"},
    SessionSetting{"lock_timeout", "0"},
    SessionSetting{"idle_in_transaction_session_timeout", "0"},
    SessionSetting{"default_transaction_read_only", "off"},
};

// How long the server waits for a sign of life before it gives a replication connection
// up (12 and later take it from the client). Short, so that after a cut our former self
// does not hold the slot for long; long enough for a machine that stalls.
inline constexpr std::string_view kWalSenderTimeout = "20s";
// Sessions are ours for as long as the stream runs; these exist from 14 and 17 on.
inline constexpr int kJitSince = 110000;
inline constexpr int kIdleSessionTimeoutSince = 140000;
inline constexpr int kTransactionTimeoutSince = 170000;
inline constexpr int kWalSenderTimeoutSince = 120000;

}  // namespace pgc
