// What must be given and is not.
#include "config/loader.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class MissingValuesTest : public ConfigTest {
protected:
    MissingValuesTest() { give_required(); }
};

TEST_F(MissingValuesTest, DoesNotCallAValueMissingThatAnUnreadableFileMayHold) {
    environment.clear();
    file("a.yaml", "postgres: [\n");
    EXPECT_EQ(errors().size(), 1U);
}

TEST_F(MissingValuesTest, NamesEveryWayToGiveAMissingValue) {
    environment.clear();
    file("a.yaml", "name: x\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "a.yaml: postgres.database: required, but not given; hint: give "
            "postgres.database in a configuration file, PG_DATABASE or "
            "PG_CAPTURE_POSTGRES_DATABASE in the environment, or by the flag --postgres.database",
            "a.yaml: postgres.password: required, but not given; hint: give "
            "postgres.password in a configuration file, PG_PASSWORD or "
            "PG_CAPTURE_POSTGRES_PASSWORD in the environment, or by the name of a file in "
            "PG_PASSWORD_FILE"));
}

TEST(ConditionalOptionTest, IsRequiredOnlyWithTheChoiceItBelongsTo) {
    static constexpr Option kRows[] = {
        {.path = "sink",
         .kind = OptionKind::choice,
         .fallback = "kafka",
         .help = "where",
         .words = "kafka|console"},
        {.path = "kafka.brokers",
         .kind = OptionKind::list,
         .required_with = "sink=kafka",
         .help = "who",
         .example = "kafka:9092"},
    };
    const Declarations options{OptionTable{.options = kRows}};
    EXPECT_THAT(options.faults(), IsEmpty());
    SimulatedFiles files;
    Sources sources;
    const auto missing = load(options, sources, files);
    ASSERT_FALSE(missing);
    EXPECT_EQ(describe(missing.error()),
              "kafka.brokers: required with sink: kafka, but not given; hint: give "
              "kafka.brokers in a configuration file, PG_CAPTURE_KAFKA_BROKERS in the environment, "
              "or by the flag --kafka.brokers; or choose another sink\n");
    sources.environment["PG_CAPTURE_KAFKA_BROKERS"] = "a:1,b:2";
    EXPECT_TRUE(load(options, sources, files));
    sources.environment["PG_CAPTURE_KAFKA_BROKERS"] = "";
    EXPECT_FALSE(load(options, sources, files));
    sources.environment.clear();
    sources.environment["PG_CAPTURE_SINK"] = "console";
    EXPECT_TRUE(load(options, sources, files));
    sources.environment.clear();
    sources.conditional = false;
    EXPECT_TRUE(load(options, sources, files));
}

TEST_F(MissingValuesTest, RefusesARequiredTextThatIsEmptyButNotAnEmptyPassword) {
    environment["PG_DATABASE"] = "";
    environment["PG_PASSWORD"] = "";
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_DATABASE: postgres.database: must not be empty"));
}

}  // namespace
}  // namespace pgc
