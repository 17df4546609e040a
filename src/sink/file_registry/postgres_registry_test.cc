#include "sink/file_registry/postgres_registry.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <optional>
#include <string>

#include "core/position_text.h"
#include "pgclient/server_errors.h"
#include "sink/file_registry/schema.h"
#include "support/fake_server.h"
#include "support/manual_clock.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

constexpr const char* kLook = "/* pg-capture: registry */";
constexpr const char* kTakeOver = "take the registry over";
constexpr const char* kContent = "content of the registry";
constexpr const char* kSeal = "pg-capture: seal";
constexpr const char* kMake = "DO $pgc$";

std::string hex(std::string_view text) {
    std::string all = "\\x";
    for (const char c : text) all += fmt::format("{:02x}", static_cast<unsigned char>(c));
    return all;
}

Rows look(int version, const std::string& position = {}) {
    return fake_row({{"version", std::to_string(version)},
                     {"generation", "3"},
                     {"seal", "7"},
                     {"position", position.empty() ? std::nullopt : std::optional{position}}});
}

class PostgresFileRegistryTest : public testing::Test {
protected:
    PostgresFileRegistryTest() {
        server.answers(kMake, {});
        server.answers(kLook, look(kRegistryVersion));
        server.answers(kTakeOver, fake_row({{"generation", "4"},
                                            {"seal", "7"},
                                            {"position", std::nullopt},
                                            {"last_batch", "b"},
                                            {"last_id", "9"}}));
        content(4);
        server.answers(kSeal, fake_row({{"seal", "8"}}));
    }
    void content(int generation) {
        server.answers(kContent,
                       fake_row({{"what", "pipeline"}, {"id", std::to_string(generation)}}));
    }

    PostgresFileRegistry& registry() {
        if (!registry_) registry_.emplace(links, config, clock, Logger{});
        return *registry_;
    }
    Result<std::optional<RegistryContent>> open() {
        for (int i = 0; i < 1000; ++i) {
            auto content = registry().open();
            if (!content || *content) return content;
            pass_time();
        }
        return std::nullopt;
    }
    // As far as is waited for.
    void pass_time() {
        Wants wants;
        registry().wants(wants);
        ASSERT_TRUE(wants.deadline != kNever || !wants.interests.empty());
        if (wants.deadline != kNever && wants.deadline > clock.now()) {
            clock.advance(wants.deadline - clock.now());
        }
    }
    static RegistrySeal seal() {
        RegistrySeal seal;
        seal.position = {.pipeline = "shop", .resume_at = Lsn{100}};
        return seal;
    }

    ManualClock clock;
    FakeServer server;
    FakeLinks links{server};
    FileRegistryConfig config{
        .pipeline = "shop", .database = "books", .server = "db:5432", .role = "cdc"};
    std::optional<PostgresFileRegistry> registry_;
};

TEST_F(PostgresFileRegistryTest, OpenedItContinuesTheSealsThatWere) {
    const auto found = open();
    ASSERT_TRUE(found && *found);
    EXPECT_EQ((*found)->seal, 7U);
    EXPECT_EQ((*found)->last_batch, "b");
    EXPECT_EQ((*found)->last_id, 9U);
    ASSERT_TRUE(registry().commit(seal()));
    EXPECT_EQ(registry().positions().saved(), true);
    EXPECT_EQ(registry().seal_number(), 8U);
    EXPECT_EQ(server.count(kMake), 0);
}

TEST_F(PostgresFileRegistryTest, AnOlderOneIsBroughtUpToDateBeforeItIsTakenOver) {
    server.answers(kLook, look(kRegistryVersion - 1));
    ASSERT_TRUE(open());
    EXPECT_EQ(server.count(kMake), 1);
    EXPECT_LT(server.place(kMake), server.place(kTakeOver));
}

TEST_F(PostgresFileRegistryTest, AnOlderOneIsLeftToItsOwnerIfWeMayNotTouchIt) {
    config.may_make = false;
    server.answers(kLook, look(kRegistryVersion - 1));
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::stop);
    EXPECT_THAT(refused.error().hint, testing::Not(IsEmpty()));
    EXPECT_EQ(server.count(kMake) + server.count(kTakeOver), 0);
}

TEST_F(PostgresFileRegistryTest, TakenOverAgainWhileItIsReadItIsNotOurs) {
    content(5);
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().category, Error::Category::position);
    EXPECT_EQ(refused.error().next, Error::Next::retry);
}

TEST_F(PostgresFileRegistryTest, ASilentServerIsNamedAndThenGivenUp) {
    ASSERT_TRUE(open());
    server.stays_silent_on(kSeal);
    ASSERT_TRUE(registry().commit(seal()));
    EXPECT_EQ(registry().positions().saved(), false);
    EXPECT_THAT(registry().waits_for(), IsEmpty());
    clock.advance(7s);
    EXPECT_EQ(registry().positions().saved(), false);
    EXPECT_THAT(registry().waits_for(), HasSubstr("7 s"));
    pass_time();
    const auto given_up = registry().positions().saved();
    ASSERT_FALSE(given_up);
    EXPECT_EQ(given_up.error().next, Error::Next::retry);
    EXPECT_THAT(given_up.error().where, HasSubstr("books at db:5432"));
    EXPECT_THAT(registry().waits_for(), IsEmpty());
    EXPECT_EQ(server.count(kSeal), 1) << "what may have arrived is not sent again";
    EXPECT_FALSE(registry().commit(seal()));
}

TEST_F(PostgresFileRegistryTest, AServerThatWentAwayBetweenTwoSealsIsNoticed) {
    EXPECT_FALSE(registry().is_disturbed());
    ASSERT_TRUE(open());
    EXPECT_FALSE(registry().is_disturbed());
    server.life = 2;
    EXPECT_TRUE(registry().is_disturbed());
    ASSERT_TRUE(registry().commit(seal())) << "by another connection, if there is one to be had";
    EXPECT_EQ(registry().positions().saved(), true);
    EXPECT_FALSE(registry().is_disturbed());
    server.life = 3;
    server.refuses_to_connect.emplace(LinkFactory::Use::sql,
                                      retry(Error::Category::connection, "shutting down"));
    ASSERT_TRUE(registry().commit(seal()));
    const auto failed = registry().positions().saved();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().next, Error::Next::retry);
    EXPECT_FALSE(registry().is_disturbed()) << "that is known";
}

TEST_F(PostgresFileRegistryTest, AServerThatOnlyReadsIsTriedAgain) {
    server.refuses(kTakeOver, "25006", stop(Error::Category::server, "read-only transaction"));
    const auto refused = open();
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().next, Error::Next::retry);
    EXPECT_THAT(refused.error().hint, HasSubstr("primary"));
}

TEST_F(PostgresFileRegistryTest, APositionThatIsNotOursOrNotOneIsNeverUsed) {
    const StoredPosition theirs{.pipeline = "bank", .slot = "s", .resume_at = Lsn{5}};
    for (const std::string& position :
         {hex("nonsense"), std::string{"\\x0"}, hex(write_position(theirs))}) {
        registry_.reset();
        server.answers(kLook, look(kRegistryVersion, position));
        const auto refused = open();
        ASSERT_FALSE(refused) << position;
        EXPECT_EQ(refused.error().next, Error::Next::stop);
        EXPECT_THAT(refused.error().where, HasSubstr("cdc_registry"));
    }
}

TEST_F(PostgresFileRegistryTest, WhatIsNotUniqueIsNamedByItsConstraint) {
    const auto says = [&](std::string_view constraint) {
        registry_.reset();
        server.refuses(
            kTakeOver, "23505",
            server_error({.sqlstate = "23505", .message = "m", .constraint = constraint}));
        const auto refused = open();
        return refused ? std::string{} : describe(refused.error());
    };
    EXPECT_THAT(says("file_log_pipeline_path_key"), HasSubstr("the path of one"));
    EXPECT_THAT(says("table_state_pipeline_table_schema_folder_key"), HasSubstr("the folder of"));
    EXPECT_THAT(says("something_else"), HasSubstr("constraint something_else"));
}

TEST_F(PostgresFileRegistryTest, ATableThatIsNotThereMakesTheRegistryMissing) {
    for (const char* sqlstate : {"42P01", "3F000"}) {
        registry_.reset();
        server.refuses(kLook, sqlstate, stop(Error::Category::server, "does not exist"));
        const auto found = open();
        ASSERT_TRUE(found && *found) << sqlstate;
        EXPECT_TRUE((*found)->missing);
        EXPECT_EQ(server.count(kMake) + server.count(kTakeOver), 0);
    }
}

}  // namespace
}  // namespace pgc
