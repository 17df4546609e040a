// What is known of the server and of us in it, and what follows from that.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "pgclient/link.h"

namespace pgc {

struct ServerFacts {
    int version = 0;           // as 150018
    std::string version_text;  // as "15.18 (Debian …)"
    std::string wal_level;
    Duration wal_sender_timeout{0};
    std::int64_t max_slot_wal_keep_bytes = -1;
    Duration idle_slot_timeout{0};  // 18+: a slot that nobody reads is given up; zero: never
    std::int64_t slots_max = 0;
    std::int64_t slots = 0;
    std::int64_t senders_max = 0;
    std::int64_t senders = 0;
    std::string encoding;
    bool standby = false;
    std::string role;
    bool superuser = false;
    bool replication = false;
    bool may_create = false;

    bool sql_ascii() const noexcept { return encoding == "SQL_ASCII"; }
};

[[nodiscard]] Result<ServerFacts> read_server_facts(const Rows& rows, int version);

inline constexpr int kOldestServer = 100000;

// The newest protocol the server speaks; each knows all that older ones do.
int protocol_version(int server_version) noexcept;

// Bugs of exactly this minor version that lose or repeat changes on the server's side.
struct KnownBug {
    std::string what;
    std::string hint;  // the version to update to
};
std::vector<KnownBug> known_bugs(int server_version);

// Too old, or unable to decode its log.
[[nodiscard]] Result<void> require_usable(const ServerFacts& facts);

// "15.18", "9.6"
std::string version_name(int server_version);

}  // namespace pgc
