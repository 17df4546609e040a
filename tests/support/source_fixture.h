// A PostgresSource over a server and a stream in memory, and rounds of a pipeline.
#pragma once

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>

#include "base/byte_cursor.h"
#include "pgclient/server_errors.h"
#include "postgres/source/postgres_source.h"
#include "support/fake_stream.h"
#include "support/healthy_server.h"
#include "support/log_text.h"
#include "support/manual_clock.h"
#include "support/walsender_messages.h"

namespace pgc {

using testing::kUsers;

inline constexpr Lsn kFrom{0x200};

class PostgresSourceTest : public ::testing::Test {
protected:
    PostgresSourceTest() {
        config.manage_publication = false;
        server.local = false;
        is_healthy(server, "users");
        healthy();
        server.answers("pg-capture: table facts */", fake_id_key());
    }

    void is_a_standby() {
        server.version = 170011;
        server.answers("pg-capture: server */",
                       fake_facts({{"version", "17.11"}, {"standby", "t"}}));
        server.answers("pg-capture: replayed */",
                       fake_row({{"in_recovery", "t"}, {"replayed", "0/480"}}));
    }
    void healthy(const std::string& confirmed = "0/200", const std::string& publication = "t") {
        server.answers("pg-capture: slot health */", fake_slot_health(confirmed, publication));
    }

    PostgresSource& source() {
        if (!made) {
            made.emplace(PostgresSource::Deps{.config = config,
                                              .links = links,
                                              .clock = clock,
                                              .metrics = metrics,
                                              .logger = log.logger("postgres"),
                                              .carry_over = carry_over,
                                              .keepalive_interval = std::chrono::seconds{10}});
        }
        return *made;
    }
    void open() {
        for (int i = 0; i < 1000; ++i) {
            const auto done = source().open();
            ASSERT_TRUE(done) << describe(done.error());
            if (*done) return;
            Wants wants;
            source().wants(wants, true);
            if (wants.deadline != kNever && wants.deadline > clock.now()) {
                clock.advance(wants.deadline - clock.now());
            }
        }
        FAIL() << "no end";
    }
    void start() {
        open();
        ASSERT_TRUE(source().start(kFrom, {}));
        ASSERT_TRUE(service());
        stream.reported.clear();
    }
    Result<void> service() { return source().service(); }
    // A round of the pipeline.
    Result<Source::Read> round(std::size_t max_changes = 100) {
        if (auto done = service(); !done) return std::unexpected(done.error());
        return source().read(batch, max_changes, 1 << 20);
    }
    void rounds(int n = 3) {
        for (int i = 0; i < n; ++i) {
            const auto done = round();
            ASSERT_TRUE(done) << describe(done.error());
        }
    }
    // What is requested then is paused: nobody here reads rows.
    void look_for_tables() {
        clock.advance(config.tables_refresh);
        const std::string before = source().snapshots()->progress();
        for (int i = 0; i < 40 && source().snapshots()->progress() == before; ++i) {
            ASSERT_TRUE(service());
        }
        source().snapshots()->request({.verb = SnapshotCommand::Verb::pause, .request = {}});
    }
    void sends_users() {
        stream.sends(
            testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}, {"bio", 25}}));
    }
    // A transaction of one row; the table is announced in it.
    void sends_transaction(Lsn commit) {
        stream.sends(testing::begin(commit, 2));
        sends_users();
        stream.sends(testing::insert(commit, kUsers, {"1", "x"}));
        stream.sends(testing::commit(commit, Lsn{commit.value + 8}));
    }
    struct Reported {
        Lsn write, flush;
        bool reply = false;
    };
    Reported last_feedback() const {
        if (stream.reported.empty()) return {};
        ByteCursor in{stream.reported.back()};
        in.take(1);
        Reported reported;
        reported.write = Lsn{in.read<std::uint64_t>()};
        reported.flush = Lsn{in.read<std::uint64_t>()};
        in.take(16);
        reported.reply = in.read<std::uint8_t>() != 0;
        return reported;
    }

    ManualClock clock;
    FakeServer server;
    FakeStream stream;
    FakeStreamLinks links{server, stream};
    PostgresConfig config = shop_config();
    LogText lines;
    Log log{LogOptions{}, lines, clock};
    Metrics metrics{"1.0"};
    SourceCarryOver carry_over;
    Batch batch;
    std::optional<PostgresSource> made;
};

}  // namespace pgc
