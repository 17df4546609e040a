// Registries of files for tests, and what may happen to the database they are in; and the one that
// is a real database: PGC_TEST_REGISTRY="port user database" names a server on 127.0.0.1 that takes
// its word for who one is, a superuser and a database whose schema cdc_registry may be dropped.
#pragma once

#include <gtest/gtest.h>

#include <chrono>
#include <cstdint>
#include <cstdlib>
#include <memory>
#include <optional>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "base/wait.h"
#include "pgclient/answer.h"
#include "pgclient/blocking.h"
#include "pgclient/libpq_link.h"
#include "sink/file_registry/postgres_registry.h"
#include "sink/file_registry/registry.h"
#include "sink/file_registry/schema.h"
#include "support/losing_links.h"

namespace pgc::test {

// A database, and what may happen to it.
struct RegistryRig {
    RegistryRig() = default;
    RegistryRig(const RegistryRig&) = delete;
    RegistryRig& operator=(const RegistryRig&) = delete;
    virtual ~RegistryRig() = default;

    // As another process would open it.
    virtual std::unique_ptr<FileRegistry> make(const std::string& pipeline) = 0;
    // As loaders see them, in the order in which they were registered.
    virtual std::vector<CompleteFile> files(const std::string& pipeline) = 0;
    // The connection breaks at the next commit: before it arrives, or after.
    virtual void loses_next_commit(bool arrived) = 0;
    virtual void remove() = 0;
    // Whether we may make what is missing.
    virtual void may_be_made(bool now) = 0;
    // Until something is there that `wants` names.
    virtual void wait(const Wants& wants) = 0;
};

// Asks until there is an answer; waits for what `part` says it waits for.
template <typename Part, typename Ask, typename Answered>
auto answer_of(RegistryRig& rig, const Part& part, Ask ask, Answered answered) {
    for (;;) {
        auto got = ask();
        if (!got || answered(*got)) return got;
        Wants wants;
        part.wants(wants);
        EXPECT_FALSE(wants.interests.empty() && wants.deadline == kNever);
        if (testing::Test::HasFailure()) return got;
        rig.wait(wants);
    }
}
inline Result<std::optional<RegistryContent>> open(RegistryRig& rig, FileRegistry& registry) {
    return answer_of(
        rig, registry, [&] { return registry.open(); },
        [](const auto& content) { return content.has_value(); });
}
inline Result<std::optional<PositionStore::Loaded>> load(RegistryRig& rig, PositionStore& store) {
    return answer_of(
        rig, store, [&] { return store.load(); },
        [](const auto& loaded) { return loaded.has_value(); });
}
inline Result<bool> saved(RegistryRig& rig, PositionStore& store) {
    return answer_of(rig, store, [&] { return store.saved(); }, [](bool done) { return done; });
}
inline Result<bool> commit(RegistryRig& rig, FileRegistry& registry, const RegistrySeal& seal) {
    if (auto begun = registry.commit(seal); !begun) return std::unexpected(begun.error());
    return saved(rig, registry.positions());
}

struct RegistryServer {
    std::uint16_t port = 0;
    std::string user;
    std::string database;
};

// Nothing where none is named.
inline std::optional<RegistryServer> registry_server() {
    const char* const text = std::getenv("PGC_TEST_REGISTRY");
    if (text == nullptr) return std::nullopt;
    RegistryServer server;
    std::istringstream words{text};
    words >> server.port >> server.user >> server.database;
    EXPECT_TRUE(words) << "PGC_TEST_REGISTRY is not \"port user database\": " << text;
    return server;
}

class PostgresRegistryRig final : public RegistryRig {
public:
    explicit PostgresRegistryRig(RegistryServer server)
        : server_(std::move(server)), links_(as(server_.user)) {
        remove();
        said(registry_statements());
    }

    std::unique_ptr<FileRegistry> make(const std::string& pipeline) override {
        return std::make_unique<PostgresFileRegistry>(losing_, config(pipeline, server_.user),
                                                      clock_, Logger{});
    }
    std::vector<CompleteFile> files(const std::string& pipeline) override {
        const Rows rows = said(
            "SELECT *, (extract(epoch FROM closed_at) * 1000000)::bigint AS closed_us"
            "  FROM cdc_registry.file_log WHERE pipeline = $1 ORDER BY id",
            {pipeline});
        std::vector<CompleteFile> files;
        for (std::size_t i = 0; i < rows.rows.size(); ++i) {
            Answer row{rows, i};
            files.push_back({.table = {row.text("table_schema"), row.text("table_name")},
                             .kind = kFileKinds.find(row.text("type")).value(),
                             .batch = row.text("batch"),
                             .path = row.text("path"),
                             .begin_lsn = row.lsn("begin_lsn"),
                             .end_lsn = row.lsn("end_lsn"),
                             .rows = static_cast<std::uint64_t>(row.number("row_count")),
                             .bytes = static_cast<std::uint64_t>(row.number("bytes")),
                             .crc32c = static_cast<std::uint32_t>(
                                 std::stoul(row.text("checksum").substr(7), nullptr, 16)),
                             .has_ddl = row.flag("has_ddl"),
                             .cut = row.flag("cut"),
                             .closed_at = {row.number("closed_us")}});
            EXPECT_TRUE(row.sound());
        }
        return files;
    }
    void loses_next_commit(bool arrived) override {
        using Loses = LosingLinks::Loses;
        losing_.lose_next("pg-capture: seal", arrived ? Loses::answer : Loses::question);
    }
    void remove() override { said("DROP SCHEMA IF EXISTS cdc_registry CASCADE"); }
    void may_be_made(bool now) override { may_make_ = now; }
    void wait(const Wants& wants) override { PollWaiter{clock_}.wait(wants); }

    Rows said(const std::string& sql, std::vector<std::optional<std::string>> parameters = {}) {
        if (!link_) {
            auto link = BlockingLink::connect(links_, LinkFactory::Use::sql, clock_, waiter_,
                                              std::chrono::seconds{30});
            if (!link) {
                ADD_FAILURE() << describe(link.error());
                return {};
            }
            link_.emplace(std::move(*link));
        }
        auto rows = parameters.empty() ? link_->ask(sql) : link_->ask(sql, parameters);
        EXPECT_TRUE(rows) << describe(rows.error());
        return rows ? std::move(*rows) : Rows{};
    }
    // Who connects as somebody else.
    LibpqLinkFactory as(const std::string& user) const {
        ConnectionConfig config;
        config.hosts = {PostgresHost{.name = "127.0.0.1", .port = server_.port}};
        config.username = user;
        config.database = server_.database;
        config.password = [] { return Secret{}; };
        return {std::move(config), "registry test", {}};
    }
    FileRegistryConfig config(const std::string& pipeline, const std::string& role) const {
        return {.pipeline = pipeline,
                .database = server_.database,
                .server = "127.0.0.1",
                .role = role,
                .may_make = may_make_};
    }
    const Clock& clock() const noexcept { return clock_; }

private:
    const RegistryServer server_;
    SystemClock clock_;
    PollWaiter waiter_{clock_};
    LibpqLinkFactory links_;
    LosingLinks losing_{links_};
    std::optional<BlockingLink> link_;
    bool may_make_ = true;
};

}  // namespace pgc::test
