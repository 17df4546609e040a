#include "config/flags.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using config_fixture::kFlags;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class FlagsTest : public ConfigTest {
protected:
    CommandLine parse(std::vector<std::string> words) {
        arguments(std::move(words));
        return command_line();
    }
    std::vector<std::string> complaints(std::vector<std::string> words) {
        std::vector<std::string> lines;
        for (const ConfigError& error : parse(std::move(words)).errors) {
            lines.push_back(describe(error));
        }
        return lines;
    }
    // The options as path=text.
    std::vector<std::string> set(std::vector<std::string> words) {
        const CommandLine line = parse(std::move(words));
        EXPECT_EQ(describe(line.errors), "");
        std::vector<std::string> given;
        for (const FlagValue& option : line.options) {
            given.push_back(option.path + "=" + option.text);
        }
        return given;
    }
};

TEST_F(FlagsTest, NothingIsNothing) {
    const CommandLine line = parse({});
    EXPECT_THAT(line.options, IsEmpty());
    EXPECT_THAT(line.arguments, IsEmpty());
    EXPECT_TRUE(line.errors.empty());
}

TEST_F(FlagsTest, EveryOptionIsAFlag) {
    EXPECT_THAT(set({"--postgres.host=db"}), ElementsAre("postgres.host=db"));
    EXPECT_THAT(set({"--postgres.host", "db"}), ElementsAre("postgres.host=db"));
    EXPECT_THAT(set({"--postgres.host="}), ElementsAre("postgres.host="));
    EXPECT_THAT(set({"--kafka.properties=a=1,b=2"}), ElementsAre("kafka.properties=a=1,b=2"));
}

TEST_F(FlagsTest, OptionsMayHaveALetter) {
    EXPECT_THAT(set({"-s", "discard"}), ElementsAre("sink=discard"));
    EXPECT_THAT(set({"-sdiscard"}), ElementsAre("sink=discard"));
    EXPECT_THAT(set({"-s=discard"}), ElementsAre("sink=discard"));
}

TEST_F(FlagsTest, BooleanOptionsStandAlone) {
    EXPECT_THAT(set({"--source.two_phase"}), ElementsAre("source.two_phase=true"));
    EXPECT_THAT(set({"--source.two_phase=false"}), ElementsAre("source.two_phase=false"));
    const CommandLine line = parse({"--source.two_phase", "run"});
    EXPECT_THAT(line.arguments, ElementsAre("run"));
}

TEST_F(FlagsTest, NegativeNumbersAndADashAreValues) {
    EXPECT_THAT(set({"--postgres.port", "-1"}), ElementsAre("postgres.port=-1"));
    EXPECT_THAT(set({"--name", "-"}), ElementsAre("name=-"));
}

TEST_F(FlagsTest, CommandsAskForTheirFlagsByName) {
    const CommandLine line = parse({"-c", "a.yaml", "--verbose", "--output=json"});
    EXPECT_TRUE(line.errors.empty());
    EXPECT_EQ(line.value("config"), "a.yaml");
    EXPECT_EQ(line.value("output"), "json");
    EXPECT_TRUE(line.has("verbose"));
    EXPECT_FALSE(line.has("json-logs"));
    EXPECT_EQ(line.value("nothing"), "");
}

TEST_F(FlagsTest, LettersStandTogether) {
    const CommandLine line = parse({"-vjca.yaml"});
    EXPECT_TRUE(line.has("verbose"));
    EXPECT_EQ(line.value("config"), "a.yaml");
    ASSERT_EQ(line.options.size(), 1U);
    EXPECT_EQ(line.options[0].path, "sink");
    EXPECT_EQ(line.options[0].text, "discard");
    EXPECT_EQ(line.options[0].spelled, "-j");
}

TEST_F(FlagsTest, ASwitchMayBeTurnedOff) {
    EXPECT_FALSE(parse({"--verbose=false"}).has("verbose"));
    EXPECT_THAT(complaints({"--verbose=maybe"}),
                ElementsAre("flag --verbose: expected true or false, got \"maybe\""));
}

TEST_F(FlagsTest, ArgumentsStandAnywhere) {
    const CommandLine line = parse({"config", "-v", "show", "--", "--name", "x"});
    EXPECT_THAT(line.arguments, ElementsAre("config", "show", "--name", "x"));
    EXPECT_TRUE(line.errors.empty());
}

TEST_F(FlagsTest, RefusesUnknownFlagsAndNamesTheNearest) {
    EXPECT_THAT(complaints({"--postgres.hots=x"}),
                ElementsAre("flag --postgres.hots: unknown flag; did you mean --postgres.host?"));
    EXPECT_THAT(complaints({"--confg", "x"}),
                ElementsAre("flag --confg: unknown flag; did you mean --config?"));
    EXPECT_THAT(complaints({"--host", "x"}),
                ElementsAre("flag --host: unknown flag; did you mean --postgres.host?"));
    EXPECT_THAT(complaints({"-x"}), ElementsAre("flag -x: unknown flag"));
}

TEST_F(FlagsTest, TheWordAfterAnUnknownFlagIsTakenForItsValue) {
    const CommandLine line = parse({"--postgres.pasword", "hunter2", "run"});
    EXPECT_EQ(line.errors.size(), 1U);
    EXPECT_THAT(line.arguments, ElementsAre("run"));
}

TEST_F(FlagsTest, RefusesAFlagWithoutItsValue) {
    EXPECT_THAT(complaints({"--postgres.host"}),
                ElementsAre("flag --postgres.host: postgres.host: needs a value"));
    EXPECT_THAT(complaints({"--postgres.host", "--sink", "discard"}),
                ElementsAre("flag --postgres.host: postgres.host: needs a value"));
    EXPECT_THAT(complaints({"-c"}), ElementsAre("flag -c: needs a value"));
}

TEST_F(FlagsTest, RefusesWordsThatAreNotAllowed) {
    EXPECT_THAT(complaints({"--output", "jsn"}),
                ElementsAre("flag --output: expected one of text, json, got \"jsn\"; did you mean "
                            "json?"));
}

TEST_F(FlagsTest, RefusesTwoValuesForOneThing) {
    EXPECT_THAT(complaints({"--name=a", "--name=b"}),
                ElementsAre("flag --name: name: given twice, with different values"));
    EXPECT_THAT(complaints({"-j", "--sink=console"}),
                ElementsAre("flag --sink: sink: contradicts flag -j"));
    EXPECT_THAT(complaints({"-c", "a", "-c", "b"}),
                ElementsAre("flag -c: given twice, with different values"));
    EXPECT_THAT(complaints({"--name=a", "--name=a", "-v", "-v"}), IsEmpty());
}

TEST_F(FlagsTest, TellsSeveralErrorsAtOnce) {
    EXPECT_EQ(complaints({"--nothing=1", "-z", "--output=x", "--postgres.password=x"}).size(), 4U);
}

TEST_F(FlagsTest, TheFlagsOfTheProgramHaveNoFaults) {
    EXPECT_THAT(faults(kFlags, options), IsEmpty());
}

TEST_F(FlagsTest, FaultsOfATableAreFound) {
    constexpr Flag wrong[] = {
        {.name = "name", .help = "taken by an option"},
        {.name = "same", .letter = 'a', .help = "x"},
        {.name = "same", .letter = 'a', .help = "x"},
        {.name = "short", .letter = 's', .help = "the letter of sink"},
        {.name = "sets", .help = "x", .sets_path = "no.option", .sets_value = "1"},
        {.name = "mute"},
    };
    EXPECT_THAT(faults(wrong, options),
                ElementsAre("--name: the name is taken", "--same: the name is taken",
                            "--same: the letter a is taken", "--short: the letter s is taken",
                            "--sets: sets no declared option", "--mute: has no help"));
}

}  // namespace
}  // namespace pgc
