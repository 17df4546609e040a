// The client against a registry in memory, over a clock that is moved.
#include "format/registry/registry_client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/registry_client_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using test::FakeRegistry;
using testing::AllOf;
using testing::Contains;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

class RegistryClientTest : public test::RegistryClientFixture {};

TEST_F(RegistryClientTest, ASchemaIsRegisteredOnceAndKnownFromThenOn) {
    registry.delay = 20ms;
    const Instant began = clock.now();
    EXPECT_EQ(look_up("x")->is, Is::pending);
    const auto answer = answer_to("x");
    EXPECT_EQ(answer.is, Is::known);
    EXPECT_EQ(answer.id, SchemaId{1});
    EXPECT_EQ(clock.now() - began, 20ms) << "it was awake when the answer was there";
    EXPECT_EQ(answer_to("y").id, SchemaId{2});
    for (int i = 0; i < 100; ++i) EXPECT_EQ(look_up("x")->id, SchemaId{1});
    EXPECT_THAT(registry.asked(),
                ElementsAre("POST /subjects/s-value/versions", "POST /subjects/s-value/versions"));
    EXPECT_EQ(metrics.gauge(Metric::registry_schemas).value(), 2);
    EXPECT_EQ(counted("ok"), 2U);
    Wants wants;
    client().wants(wants);
    EXPECT_EQ(wants.deadline, kNever);
}

TEST_F(RegistryClientTest, SubjectsAreApart) {
    EXPECT_EQ(answer_to("x", "a").id, answer_to("x", "b").id) << "one text, one id";
    EXPECT_THAT(registry.subjects, SizeIs(2));
}

TEST_F(RegistryClientTest, WhoOnlyLooksUpSaysWhatIsMissing) {
    config.auto_register = false;
    auto answer = answer_to(R"({"type":"string"})");
    ASSERT_EQ(answer.is, Is::refused);
    EXPECT_THAT(answer.reason.what,
                AllOf(HasSubstr("a schema is not registered under the subject \"s-value\""),
                      HasSubstr("error code 40401")));
    EXPECT_THAT(answer.reason.hint, HasSubstr(R"(type AVRO, schema {"type":"string"})"));
    EXPECT_THAT(registry.asked(), ElementsAre("POST /subjects/s-value"));
    EXPECT_THAT(registry.subjects, IsEmpty());
}

// And it is noticed without a new start.
TEST_F(RegistryClientTest, ARefusalStandsUntilTheRegistrySaysOtherwise) {
    config.auto_register = false;
    EXPECT_EQ(answer_to("x").is, Is::refused);
    registry.subjects["s-value"] = {{1, 7, R"({"schema":"x"})"}};
    for (int i = 0; i < 10; ++i) EXPECT_EQ(look_up("x")->is, Is::refused);
    EXPECT_THAT(registry.heard, SizeIs(1)) << "not asked at each turn";
    registry.delay = 50ms;
    Wants wants;
    client().wants(wants);
    EXPECT_EQ(wants.deadline, clock.now() + config.backoff_max);
    clock.advance(config.backoff_max);
    EXPECT_EQ(look_up("x")->is, Is::refused) << "as long as nothing else is known";
    clock.advance(50ms);
    EXPECT_EQ(look_up("x")->id, SchemaId{7});
}

// Two register the same subject at once, and some registries say so.
TEST_F(RegistryClientTest, AConflictOfOnceIsNone) {
    registry.instead = {FakeRegistry::error(409, 409, "An artifact with that ID already exists")};
    EXPECT_EQ(answer_to("x").id, SchemaId{1});
}

TEST_F(RegistryClientTest, AnInvalidOneIsRefused) {
    registry.instead = {FakeRegistry::error(422, 42201, "Invalid schema")};
    const auto answer = answer_to("x");
    ASSERT_EQ(answer.is, Is::refused);
    EXPECT_THAT(answer.reason.what, HasSubstr("Invalid schema (error code 42201)"));
}

TEST_F(RegistryClientTest, WhoIsNotAcceptedStops) {
    for (const int status : {401, 403}) {
        registry.instead = {FakeRegistry::error(status, status, "no")};
        EXPECT_EQ(error_of("x").next, Error::Next::stop) << status;
        EXPECT_EQ(answer_to("x" + std::to_string(status)).is, Is::known) << "the next attempt";
    }
    EXPECT_EQ(counted("denied"), 2U);
}

TEST_F(RegistryClientTest, WhileTheRegistryIsDownKnownSchemasAreKnownAndItIsAskedForEver) {
    ASSERT_EQ(answer_to("x").is, Is::known);
    registry.unreachable =
        retry(Error::Category::connection, "Connection refused").at("POST http://a/subjects");
    EXPECT_EQ(answer_to("y", "s-value", SchemaOf::value, 1h).is, Is::pending);
    EXPECT_EQ(look_up("x")->id, SchemaId{1});
    EXPECT_EQ(client().waits_for(),
              "the schema registry, asked about the subject \"s-value\": Connection refused (POST "
              "http://a/subjects); hint: start the registry, or correct format.registry.url");
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 1);
    // Some seconds apart, and no two pauses alike.
    EXPECT_GT(counted("failed"), 3600U / 5);
    EXPECT_LT(counted("failed"), 3600U / 2);
    const Instant back = clock.now();
    registry.unreachable.reset();
    EXPECT_EQ(answer_to("y").id, SchemaId{2});
    EXPECT_LE(clock.now() - back, config.backoff_max);
    EXPECT_EQ(client().waits_for(), "");
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 0);
}

TEST_F(RegistryClientTest, PausesGrowFromTheFirstToTheLongest) {
    config.backoff = 100ms;
    config.backoff_max = 800ms;
    registry.unreachable = retry(Error::Category::connection, "away");
    std::vector<Duration> pauses;
    Instant last = clock.now();
    while (pauses.size() < 6) {
        const std::size_t before = registry.heard.size();
        ASSERT_EQ(look_up("x")->is, Is::pending);
        if (registry.heard.size() > before) {
            if (before > 0) pauses.push_back(clock.now() - last - registry.delay);
            last = clock.now();
        }
        sleep(clock.now() + 1h);
    }
    for (std::size_t i = 0; i < pauses.size(); ++i) {
        const Duration whole = std::min<Duration>(100ms * (1 << i), 800ms);
        EXPECT_GE(pauses[i], whole / 2) << i;
        EXPECT_LE(pauses[i], whole) << i;
    }
}

TEST_F(RegistryClientTest, OneThatSaysNothingIsSaidToSayNothing) {
    registry.silent = true;
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 2s).is, Is::pending);
    EXPECT_EQ(client().waits_for(),
              "the schema registry, asked about the subject \"s-value\": it does not answer yet "
              "(http://a); hint: start the registry, or correct format.registry.url");
    registry.silent = false;
    EXPECT_EQ(answer_to("x").id, SchemaId{1});
}

TEST_F(RegistryClientTest, ErrorsOfItsOwnAndGarbageAreAskedAgain) {
    registry.instead = {
        FakeRegistry::error(500, 50001, "Error in the backend data store"),
        FakeRegistry::answer(502, "<html>Bad Gateway</html>"),
        FakeRegistry::answer(429, ""),
        FakeRegistry::answer(200, "<html>Sign in, please</html>"),
        FakeRegistry::answer(200, R"({"id":"one"})"),
        FakeRegistry::answer(302, ""),
        FakeRegistry::answer(404, "<html>Not Found</html>"),
        FakeRegistry::answer(200, std::string(5'000'000, 'x')),
    };
    EXPECT_EQ(answer_to("x").id, SchemaId{1});
    EXPECT_EQ(counted("failed"), 8U);
}

TEST_F(RegistryClientTest, SeveralAddressesAreTriedInTurnAndTheOneThatAnswersIsKept) {
    config.urls = {"http://a", "http://b", "http://c"};
    registry.unreachable_at = {"http://a", "http://b"};
    const Instant began = clock.now();
    EXPECT_EQ(answer_to("x").id, SchemaId{1});
    EXPECT_EQ(clock.now() - began, 3 * registry.delay) << "without a pause between addresses";
    EXPECT_EQ(answer_to("y").id, SchemaId{2});
    ASSERT_THAT(registry.heard, SizeIs(4));
    EXPECT_THAT(registry.heard[2].url, testing::StartsWith("http://c/"));
    EXPECT_THAT(registry.heard[3].url, testing::StartsWith("http://c/"));
    registry.unreachable_at = {"http://c"};
    EXPECT_EQ(answer_to("z").id, SchemaId{3});
    EXPECT_THAT(registry.heard[5].url, testing::StartsWith("http://a/"));
}

TEST_F(RegistryClientTest, WhatDoesNotPassStopsOnceEveryAddressSaysSo) {
    config.urls = {"http://a", "http://b"};
    registry.unreachable = stop(Error::Category::authentication, "its certificate is not trusted");
    EXPECT_EQ(error_of("x").what, "its certificate is not trusted");
    EXPECT_THAT(registry.heard, SizeIs(2));
}

TEST_F(RegistryClientTest, WhatMayPassAtOneAddressDoesNotStop) {
    config.urls = {"http://a", "http://b"};
    registry.unreachable_at = {"http://b"};
    registry.instead = {FakeRegistry::answer(503, "")};
    EXPECT_EQ(answer_to("x").is, Is::known);
}

TEST_F(RegistryClientTest, CredentialsGoWithEachRequestAndAreReadAgain) {
    config.username = "Aladdin";
    std::string password = "open sesame";
    config.password = [&]() -> Result<Secret> { return Secret{password}; };
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_THAT(registry.heard[0].headers,
                Contains(Pair("Authorization", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==")));
    password = "another";
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_THAT(registry.heard[1].headers,
                Contains(Pair("Authorization", "Basic QWxhZGRpbjphbm90aGVy")));
}

TEST_F(RegistryClientTest, ATokenServesAsWell) {
    config.bearer_token = []() -> Result<Secret> { return Secret{"t0ken"}; };
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_THAT(registry.heard[0].headers, Contains(Pair("Authorization", "Bearer t0ken")));
}

TEST_F(RegistryClientTest, ASecretThatCantBeReadStops) {
    config.bearer_token = []() -> Result<Secret> {
        return std::unexpected(stop(Error::Category::configuration, "no such file"));
    };
    EXPECT_EQ(error_of("x").what, "no such file");
    EXPECT_THAT(registry.heard, IsEmpty());
}

TEST_F(RegistryClientTest, LevelsAreSetOnceBeforeTheFirstSchemaOfASubject) {
    config.compatibility = Compatibility::full;
    config.key_compatibility = Compatibility::none;
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_EQ(answer_to("k", "s-key", SchemaOf::key).is, Is::known);
    EXPECT_THAT(registry.asked(),
                ElementsAre("PUT /config/s-value", "POST /subjects/s-value/versions",
                            "POST /subjects/s-value/versions", "PUT /config/s-key",
                            "POST /subjects/s-key/versions"));
    EXPECT_THAT(registry.levels, ElementsAre(Pair("s-key", "NONE"), Pair("s-value", "FULL")));
}

TEST_F(RegistryClientTest, ARegistryThatSetsLevelsOnlyOfWhatIsThereIsAskedAfterwards) {
    config.compatibility = Compatibility::backward;
    registry.level_needs_subject = true;
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_THAT(registry.asked(),
                ElementsAre("PUT /config/s-value", "POST /subjects/s-value/versions",
                            "PUT /config/s-value"));
    EXPECT_THAT(registry.levels, ElementsAre(Pair("s-value", "BACKWARD")));
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_THAT(registry.heard, SizeIs(4));
}

TEST_F(RegistryClientTest, ALevelThatIsNotTakenRefusesTheSchema) {
    config.compatibility = Compatibility::backward;
    registry.instead = {FakeRegistry::error(422, 42205, "Subject is in read-only mode")};
    const auto answer = answer_to("x");
    ASSERT_EQ(answer.is, Is::refused);
    EXPECT_THAT(answer.reason.what, HasSubstr("refuses the compatibility level"));
    EXPECT_THAT(registry.subjects, IsEmpty());
}

TEST_F(RegistryClientTest, ManyAreAskedAtOnceAndTheRestInTurn) {
    registry.delay = 10ms;
    for (int i = 0; i < 200; ++i) EXPECT_EQ(look_up(std::to_string(i))->is, Is::pending);
    EXPECT_EQ(registry.in_flight(), HttpClient::kInFlight_max);
    for (int i = 0; i < 200; ++i) EXPECT_EQ(answer_to(std::to_string(i)).is, Is::known) << i;
    EXPECT_THAT(registry.heard, SizeIs(200));
}

TEST_F(RegistryClientTest, RefusalsOfManyTablesDoNotKeepOthersFromBeingAsked) {
    for (int i = 0; i < 2000; ++i) {
        registry.instead = {FakeRegistry::error(422, 42201, "Invalid schema")};
        ASSERT_EQ(answer_to(std::to_string(i)).is, Is::refused) << i;
    }
    EXPECT_EQ(answer_to("x").is, Is::known);
}

TEST_F(RegistryClientTest, WhatNobodyAsksForAnyMoreIsForgotten) {
    registry.silent = true;
    EXPECT_EQ(look_up("x")->is, Is::pending);
    EXPECT_EQ(registry.in_flight(), 1U);
    registry.silent = false;
    clock.advance(RegistryClient::kForgotten_after - 115s);
    EXPECT_EQ(answer_to("y").is, Is::known);
    registry.silent = true;
    EXPECT_EQ(look_up("z")->is, Is::pending);
    clock.advance(RegistryClient::kForgotten_after);
    EXPECT_EQ(look_up("w")->is, Is::pending);
    EXPECT_EQ(registry.in_flight(), 1U) << "that of w";
}

// -- versions ------------------------------------------------------------------------------

class RegistryVersionsTest : public RegistryClientTest {
protected:
    Result<RegistryClient::Versions> versions(const std::string& subject = "s-value") {
        for (;;) {
            auto read = client().versions({subject});
            if (!read) return std::unexpected(std::move(read.error()));
            if (*read) return std::move(**read);
            sleep(clock.now() + 1h);
        }
    }
};

TEST_F(RegistryVersionsTest, AreAllThatWasEverRegisteredOldestFirst) {
    registry.delay = 3ms;
    for (const auto* text : {"x", "y", "z"}) ASSERT_EQ(answer_to(text).is, Is::known);
    const auto read = versions();
    ASSERT_TRUE(read);
    ASSERT_THAT(*read, SizeIs(3));
    for (int i = 0; i < 3; ++i) {
        EXPECT_EQ((*read)[static_cast<std::size_t>(i)].version, i + 1);
        EXPECT_EQ((*read)[static_cast<std::size_t>(i)].id, SchemaId{i + 1});
    }
    EXPECT_EQ((*read)[2].schema, (SchemaText{SchemaType::avro, "z"}));
}

TEST_F(RegistryVersionsTest, OfASubjectThatIsNotThereAreNone) {
    const auto read = versions();
    ASSERT_TRUE(read);
    EXPECT_THAT(*read, IsEmpty());
}

TEST_F(RegistryVersionsTest, AreReadAnewEachTime) {
    ASSERT_EQ(answer_to("x").is, Is::known);
    ASSERT_THAT(*versions(), SizeIs(1));
    ASSERT_EQ(answer_to("y").is, Is::known);
    EXPECT_THAT(*versions(), SizeIs(2));
}

TEST_F(RegistryVersionsTest, OneThatGoesMeanwhileIsLeftOut) {
    ASSERT_EQ(answer_to("x").is, Is::known);
    registry.instead = {FakeRegistry::answer(200, "[1,2]")};
    const auto read = versions();
    ASSERT_TRUE(read);
    EXPECT_THAT(*read, SizeIs(1));
}

TEST_F(RegistryVersionsTest, TheNewestAreReadWhereThereAreTooMany) {
    auto& all = registry.subjects["s-value"];
    for (int i = 1; i <= 1500; ++i) all.push_back({i, i, R"({"schema":"x"})"});
    const auto read = versions();
    ASSERT_TRUE(read);
    ASSERT_THAT(*read, SizeIs(RegistryClient::kVersions_max));
    EXPECT_EQ(read->front().version, 501);
    EXPECT_EQ(read->back().version, 1500);
}

TEST_F(RegistryVersionsTest, TroublePassesAndDenialsStop) {
    ASSERT_EQ(answer_to("x").is, Is::known);
    registry.instead = {FakeRegistry::answer(500, ""), FakeRegistry::answer(200, "garbage")};
    EXPECT_THAT(*versions(), SizeIs(1));
    registry.instead = {FakeRegistry::answer(403, "")};
    const auto denied = versions();
    ASSERT_FALSE(denied);
    EXPECT_EQ(denied.error().category, Error::Category::permission);
}

TEST_F(RegistryVersionsTest, ARefusalStandsAndIsAskedAboutNowAndThen) {
    config.schema_change = SchemaChange::fail;
    ASSERT_EQ(answer_to("x").is, Is::known);
    registry.heard.clear();
    registry.instead = {FakeRegistry::error(422, 42201, "Invalid schema")};
    for (int i = 0; i < 100; ++i) {
        const auto refused = versions();
        ASSERT_FALSE(refused);
        EXPECT_EQ(refused.error().category, Error::Category::data);
        EXPECT_THAT(refused.error().what,
                    HasSubstr("refuses to show the schemas of the subject \"s-value\": Invalid "
                              "schema (error code 42201)"));
    }
    EXPECT_THAT(registry.asked(), ElementsAre("GET /subjects/s-value/versions?deleted=true"));
    Wants wants;
    client().wants(wants);
    EXPECT_EQ(wants.deadline, clock.now() + config.backoff_max);
    clock.advance(config.backoff_max);
    EXPECT_FALSE(versions()) << "it stands while it is asked again";
    clock.advance(registry.delay);
    EXPECT_FALSE(versions()) << "the list is not all";
    clock.advance(registry.delay);
    EXPECT_THAT(*versions(), SizeIs(1));
}

TEST_F(RegistryVersionsTest, NotMoreRefusalsThanThereIsRoomForAreRemembered) {
    config.schema_change = SchemaChange::fail;
    const auto invalid = FakeRegistry::error(422, 42201, "Invalid schema");
    registry.instead.assign(RegistryClient::kRefusals_max + 1, invalid);
    for (std::size_t i = 0; i <= RegistryClient::kRefusals_max; ++i) {
        ASSERT_FALSE(versions(std::to_string(i)));
    }
    registry.heard.clear();
    EXPECT_TRUE(versions("0")) << "the first has made room";
    EXPECT_FALSE(versions("5"));
    EXPECT_THAT(registry.asked(), ElementsAre("GET /subjects/0/versions?deleted=true"));
}

}  // namespace
}  // namespace pgc
