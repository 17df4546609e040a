#include "postgres/setup/server_facts.h"

#include <fmt/core.h>

#include <array>
#include <string_view>

#include "pgclient/answer.h"
#include "pgclient/session.h"

namespace pgc {

namespace {

// The first minor version of each major one in which a bug is fixed; 0: the major version
// never had it, or never got it fixed under our oldest.
struct FixedBug {
    std::string_view what;
    std::array<int, 9> minor;  // of 10 … 18
};

constexpr std::array kFixedBugs{
    FixedBug{"changes of a table altered without a strong lock can be lost or misread",
             {0, 0, 0, 21, 18, 13, 9, 5, 0}},
    FixedBug{"a slot that starts inside a transaction can lose part of it",
             {0, 0, 20, 16, 13, 8, 4, 0, 0}},
    FixedBug{"a slot's restart position can move back, so that the slot needs WAL that is gone",
             {0, 0, 22, 18, 15, 10, 6, 2, 0}},
    FixedBug{"a slot's confirmed position can move back, so that changes come twice",
             {0, 0, 0, 22, 19, 14, 10, 6, 0}},
};

}  // namespace

int protocol_version(int server_version) noexcept {
    if (server_version >= 160000) return 4;
    if (server_version >= 150000) return 3;
    return server_version >= 140000 ? 2 : 1;
}

std::vector<KnownBug> known_bugs(int server_version) {
    std::vector<KnownBug> bugs;
    const int major = server_version / 10000;
    const int minor = server_version % 10000;
    if (major < 10 || major > 18) return bugs;
    for (const FixedBug& bug : kFixedBugs) {
        const int good = bug.minor[static_cast<std::size_t>(major - 10)];
        if (good == 0 || minor >= good) continue;
        bugs.push_back(
            {std::string{bug.what}, fmt::format("update the server to {}.{}", major, good)});
    }
    return bugs;
}

Result<ServerFacts> read_server_facts(const Rows& rows, int version) {
    Answer row{rows};
    ServerFacts facts;
    facts.version = version;
    facts.version_text = row.text("version");
    facts.wal_level = row.text("wal_level");
    facts.wal_sender_timeout = std::chrono::milliseconds{row.number("wal_sender_timeout_ms")};
    const auto keep_mb = row.number("max_slot_wal_keep_mb", -1);
    facts.max_slot_wal_keep_bytes = keep_mb < 0 ? -1 : keep_mb << 20;
    facts.idle_slot_timeout = std::chrono::seconds{row.number("idle_slot_timeout_s")};
    facts.slots_max = row.number("slots_max");
    facts.slots = row.number("slots");
    facts.senders_max = row.number("senders_max");
    facts.senders = row.number("senders");
    facts.encoding = row.text("encoding");
    facts.standby = row.flag("standby");
    facts.role = row.text("role");
    facts.superuser = row.flag("superuser");
    facts.replication = row.flag("replication");
    facts.may_create = row.flag("may_create");
    if (!row.sound()) return std::unexpected(strange_answer("the server"));
    return facts;
}

namespace {

// All that is missing at once: each needs a restart of the server.
Result<void> require_settings(const ServerFacts& facts) {
    std::string what;
    std::string hint;
    const auto lacks = [&](std::string_view setting, std::string_view value,
                           std::string_view good) {
        what += fmt::format("{}{} is {}", what.empty() ? "" : ", ", setting, value);
        hint += fmt::format("ALTER SYSTEM SET {} = {}; ", setting, good);
    };
    if (facts.wal_level != "logical") lacks("wal_level", facts.wal_level, "logical");
    if (facts.senders_max == 0) lacks("max_wal_senders", "0", "10");
    if (facts.slots_max == 0) lacks("max_replication_slots", "0", "10");
    if (what.empty()) return {};
    Error error = stop(Error::Category::server, "the server can't be followed: its " + what);
    error.hint = hint + "then restart the server";
    return std::unexpected(std::move(error));
}

}  // namespace

Result<void> require_usable(const ServerFacts& facts) {
    if (facts.version < kOldestServer) {
        Error error = stop(Error::Category::server,
                           fmt::format("the server is PostgreSQL {}; 10 is the oldest that can be "
                                       "followed",
                                       version_name(facts.version)));
        error.hint = "update the server";
        return std::unexpected(std::move(error));
    }
    if (auto settings = require_settings(facts); !settings) return settings;
    if (facts.standby && facts.version < 160000) {
        Error error = stop(Error::Category::server,
                           "the server is a standby, which can be followed from 16 on only");
        error.hint = "connect to the primary";
        return std::unexpected(std::move(error));
    }
    return {};
}

std::string version_name(int v) {
    if (v >= 100000) return fmt::format("{}.{}", v / 10000, v % 10000);
    return fmt::format("{}.{}", v / 10000, v / 100 % 100);
}

}  // namespace pgc
