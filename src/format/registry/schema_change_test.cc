// schema_change: what the client does with a schema that the registry calls incompatible.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "support/registry_client_fixture.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using test::FakeRegistry;
using testing::AllOf;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

class SchemaChangeTest : public test::RegistryClientFixture {};

TEST_F(SchemaChangeTest, AnIncompatibleOneIsRefusedInTheRegistrysWords) {
    config.schema_change = SchemaChange::fail;
    registry.incompatible = {"x"};
    const auto answer = answer_to("x");
    ASSERT_EQ(answer.is, Is::refused);
    EXPECT_THAT(answer.reason.what, HasSubstr("incompatible (error code 40901)"));
    EXPECT_EQ(counted("refused"), 2U) << "asked about twice";
    EXPECT_EQ(answer_to("y").is, Is::known);
}

TEST_F(SchemaChangeTest, WithPauseARefusedOneIsPendingUntilItIsAccepted) {
    config.schema_change = SchemaChange::pause;
    registry.incompatible = {"x"};
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 1min).is, Is::pending);
    EXPECT_THAT(client().waits_for(),
                AllOf(HasSubstr("the schema registry to accept a schema"),
                      HasSubstr("\"s-value\": Schema being registered is incompatible (error code "
                                "40901) (http://a)"),
                      HasSubstr("hint: undo the change of the table")));
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 1);
    EXPECT_LE(registry.heard.size(), 2U * (1min / config.backoff_max + 1)) << "now and then";
    registry.incompatible.clear();
    const Instant accepts = clock.now();
    EXPECT_EQ(answer_to("x").id, SchemaId{1});
    EXPECT_LE(clock.now() - accepts, config.backoff_max + registry.delay);
    EXPECT_EQ(client().waits_for(), "");
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 0);
}

TEST_F(SchemaChangeTest, WithPauseOneThatIsMissingIsWaitedFor) {
    config.schema_change = SchemaChange::pause;
    config.auto_register = false;
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 1min).is, Is::pending);
    EXPECT_THAT(client().waits_for(), HasSubstr("is not registered under the subject"));
    registry.subjects["s-value"] = {{1, 7, R"({"schema":"x"})"}};
    EXPECT_EQ(answer_to("x").id, SchemaId{7});
}

TEST_F(SchemaChangeTest, WithPauseARegistryThatGoesAwayMeanwhileIsWhatIsWaitedFor) {
    config.schema_change = SchemaChange::pause;
    registry.incompatible = {"x"};
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 1min).is, Is::pending);
    registry.unreachable = retry(Error::Category::connection, "Connection refused");
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 1min).is, Is::pending);
    EXPECT_THAT(client().waits_for(), HasSubstr("Connection refused"));
    registry.unreachable.reset();
    EXPECT_EQ(answer_to("x", "s-value", SchemaOf::value, 1min).is, Is::pending);
    EXPECT_THAT(client().waits_for(), HasSubstr("incompatible"));
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 1);
}

// Whatever it is asked.
TEST_F(SchemaChangeTest, WithPauseVersionsThatAreRefusedArePendingUntilTheyAreShown) {
    config.schema_change = SchemaChange::pause;
    ASSERT_EQ(answer_to("x").is, Is::known);
    const auto invalid = FakeRegistry::error(422, 42201, "Invalid schema");
    const auto list = FakeRegistry::answer(200, "[1]");
    registry.instead = {invalid, invalid, list, invalid, list, invalid};
    const Instant began = clock.now();
    registry.heard.clear();
    const auto versions = [&] { return client().versions({"s-value"}); };
    while (!registry.instead.empty()) {
        ASSERT_TRUE(versions());
        ASSERT_FALSE(*versions());
        sleep(began + 10min);
    }
    EXPECT_GE(clock.now() - began, 3 * config.backoff_max);
    EXPECT_THAT(client().waits_for(),
                AllOf(HasSubstr("the schema registry to show which schemas it has: "),
                      HasSubstr("Invalid schema (error code 42201) (http://a)")));
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 1);
    auto read = versions();
    while (read && !*read && clock.now() < began + 10min) {
        sleep(began + 10min);
        read = versions();
    }
    ASSERT_TRUE(read && *read);
    EXPECT_THAT(**read, SizeIs(1));
    EXPECT_THAT(registry.heard, SizeIs(8)) << "two of them at last";
    EXPECT_EQ(client().waits_for(), "");
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 0);
}

TEST_F(SchemaChangeTest, WithPauseWhatIsDroppedIsNotWaitedForAnyMore) {
    config.schema_change = SchemaChange::pause;
    registry.incompatible = {"x"};
    const auto answer = answer_to("x", "s-value", SchemaOf::value, 1min);
    EXPECT_EQ(answer.is, Is::pending);
    EXPECT_GT(answer.refusals, 1U) << "whoever waits sees that it was refused";
    client().drop({"s-value"}, {SchemaType::avro, "x"});
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_EQ(client().waits_for(), "");
    EXPECT_EQ(metrics.gauge(Metric::registry_waiting).value(), 0);
    registry.silent = true;
    EXPECT_EQ(look_up("z")->is, Is::pending);
    EXPECT_EQ(registry.in_flight(), 1U);
    client().drop({"s-value"}, {SchemaType::avro, "z"});
    EXPECT_EQ(registry.in_flight(), 0U);
}

TEST_F(SchemaChangeTest, WithEvolveTheLevelIsNoneForAnIncompatibleOneAndThenWhatItWas) {
    config.schema_change = SchemaChange::evolve;
    registry.incompatible = {"x"};
    registry.subjects["s-value"] = {{1, 7, R"({"schema":"before"})"}};
    registry.levels["s-value"] = "FULL";
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_EQ(registry.levels["s-value"], "FULL");
    EXPECT_THAT(registry.asked(),
                ElementsAre("POST /subjects/s-value/versions", "POST /subjects/s-value/versions",
                            "GET /config/s-value", "PUT /config/s-value",
                            "POST /subjects/s-value/versions", "PUT /config/s-value"));
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_THAT(registry.heard, SizeIs(7)) << "only where it has to be";
}

TEST_F(SchemaChangeTest, WithEvolveALevelThatIsNotTheSubjectsOwnIsNoneOfItsAfterwards) {
    config.schema_change = SchemaChange::evolve;
    registry.incompatible = {"x", "y"};
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_THAT(registry.levels, IsEmpty());
    EXPECT_EQ(registry.asked().back(), "DELETE /config/s-value");
    // Apicurio's answer for what it has not.
    const auto conflict = FakeRegistry::error(409, 40901, "incompatible");
    registry.instead = {conflict, conflict,
                        FakeRegistry::answer(200, R"({"compatibilityLevel":"NONE"})")};
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_THAT(registry.levels, IsEmpty());
}

TEST_F(SchemaChangeTest, WithEvolveAConfiguredLevelIsSetAgain) {
    config.schema_change = SchemaChange::evolve;
    config.compatibility = Compatibility::full_transitive;
    registry.incompatible = {"x"};
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_EQ(registry.levels["s-value"], "FULL_TRANSITIVE");
}

TEST_F(SchemaChangeTest, WithEvolveTwoOfOneSubjectLeaveTheLevelAsItWas) {
    config.schema_change = SchemaChange::evolve;
    registry.incompatible = {"x", "y"};
    registry.levels["s-value"] = "FORWARD";
    EXPECT_EQ(look_up("x")->is, Is::pending);
    EXPECT_EQ(look_up("y")->is, Is::pending);
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_EQ(registry.levels["s-value"], "FORWARD");
}

// It is lowered again while the answer to setting it back is on its way.
TEST_F(SchemaChangeTest, WithEvolveOneThatComesWhileTheLevelIsSetBackLeavesItAsItWas) {
    config.schema_change = SchemaChange::evolve;
    registry.incompatible = {"x", "y"};
    registry.levels["s-value"] = "FORWARD";
    registry.delay = 2ms;
    const auto heard = [&](std::string_view what) {
        return std::ranges::count(registry.asked(), what);
    };
    while (heard("POST /subjects/s-value/versions") < 3) {
        EXPECT_EQ(look_up("x")->is, Is::pending);
        sleep(clock.now() + 1min);
    }
    registry.delay = 5ms;
    EXPECT_EQ(look_up("x")->is, Is::pending);
    EXPECT_EQ(heard("PUT /config/s-value"), 2) << "it is being set back";
    registry.delay = 2ms;
    const auto conflict = FakeRegistry::error(409, 40901, "incompatible");
    registry.instead = {conflict, conflict};  // it is set back already, and its answer is late
    EXPECT_EQ(answer_to("y").is, Is::known);
    EXPECT_EQ(answer_to("x").is, Is::known);
    EXPECT_EQ(registry.levels["s-value"], "FORWARD");
}

TEST_F(SchemaChangeTest, WithEvolveALevelThatCanNotBeSetBackIsTold) {
    config.schema_change = SchemaChange::evolve;
    registry.levels["s-value"] = "FULL";
    const auto conflict = FakeRegistry::error(409, 40901, "incompatible");
    registry.instead = {conflict,
                        conflict,
                        FakeRegistry::answer(200, R"({"compatibilityLevel":"FULL"})"),
                        FakeRegistry::answer(200, "{}"),
                        FakeRegistry::answer(200, R"({"id":5})"),
                        FakeRegistry::error(403, 40301, "no")};
    EXPECT_EQ(answer_to("x").id, SchemaId{5});
}

TEST_F(SchemaChangeTest, WithEvolveWhatIsRefusedAllTheSameIsRefused) {
    config.schema_change = SchemaChange::evolve;
    registry.instead = {FakeRegistry::error(422, 42201, "Invalid schema")};
    EXPECT_EQ(answer_to("x").is, Is::refused);
    const auto conflict = FakeRegistry::error(409, 40901, "incompatible");
    const auto full = FakeRegistry::answer(200, R"({"compatibilityLevel":"FULL"})");
    registry.levels["s-value"] = "NONE";
    registry.instead = {conflict, conflict, full, FakeRegistry::answer(200, "{}"), conflict};
    EXPECT_THAT(answer_to("y").reason.what, HasSubstr("incompatible"));
    EXPECT_EQ(registry.levels["s-value"], "FULL") << "set back";
    registry.instead = {conflict, conflict, full, FakeRegistry::error(422, 42203, "no such level")};
    EXPECT_THAT(answer_to("z").reason.what, HasSubstr("no such level"));
    registry.instead = {conflict, conflict,
                        FakeRegistry::answer(200, R"({"compatibilityLevel":1})"), full};
    registry.incompatible = {"w"};
    EXPECT_EQ(answer_to("w").is, Is::known) << "what no registry says is asked again";
}

}  // namespace
}  // namespace pgc
