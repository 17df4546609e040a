// What is wrong with a configuration, and how it is reported.
#include "config/loader.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using std::string_literals::operator""s;
using ::testing::ElementsAre;

class RefusalsTest : public ConfigTest {
protected:
    RefusalsTest() { give_required(); }
};

TEST_F(RefusalsTest, RefusesUnknownKeysAtEveryLevel) {
    file("a.yaml",
         "snik: console\n"
         "postgres:\n"
         "  hots: db\n"
         "source:\n"
         "  tables:\n"
         "    includes: []\n"
         "postgress: {host: db}\n"
         "entirely: {different: 1}\n");
    EXPECT_THAT(errors(),
                ElementsAre("a.yaml:1: snik: unknown key; did you mean sink?",
                            "a.yaml:3: postgres.hots: unknown key; did you mean postgres.host?",
                            "a.yaml:6: source.tables.includes: unknown key; did you mean "
                            "source.tables.include?",
                            "a.yaml:7: postgress: unknown key; did you mean postgres?",
                            "a.yaml:8: entirely: unknown key"));
}

TEST_F(RefusalsTest, RefusesUnknownKeysOfTomlInTheOrderOfTheText) {
    file("a.toml",
         "zzzz = 1\n"
         "aaaa = 1\n"
         "[postgres]\n"
         "prot = 1\n");
    EXPECT_THAT(errors(),
                ElementsAre("a.toml:1: zzzz: unknown key", "a.toml:2: aaaa: unknown key",
                            "a.toml:4: postgres.prot: unknown key; did you mean postgres.port?"));
}

TEST_F(RefusalsTest, FindsAKeyThatStandsInTheWrongSection) {
    file("a.yaml", "host: db\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: host: unknown key; did you mean postgres.host?"));
}

TEST_F(RefusalsTest, RefusesWrongTypesInToml) {
    file("a.toml",
         "name = 5\n"
         "sink = true\n"
         "postgres.host = ['a']\n"
         "postgres.port = '5432'\n"
         "postgres.connect_timeout_secs = 1.5\n"
         "source.two_phase = 'true'\n"
         "source.tables.include = 'public.*'\n"
         "source.tables.exclude = [1, 2020-01-01]\n"
         "logging.modules = 3\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "a.toml:1: name: expected a text, got an integer",
            "a.toml:2: sink: expected one of console, discard, kafka, got a boolean",
            "a.toml:3: postgres.host: expected a text, got a list",
            "a.toml:4: postgres.port: expected an integer from 1 to 65535, got the text \"5432\"",
            "a.toml:5: postgres.connect_timeout_secs: expected an integer from 1 to 315360000, got "
            "a float",
            "a.toml:6: source.two_phase: expected true or false, got the text \"true\"",
            "a.toml:7: source.tables.include: expected a list of texts, got the text \"public.*\"",
            "a.toml:8: source.tables.exclude: expected a text as item, got an integer",
            "a.toml:8: source.tables.exclude: expected a text as item, got a date",
            "a.toml:9: logging.modules: expected a map to one of debug, info, warn, got an "
            "integer"));
}

TEST_F(RefusalsTest, RefusesWrongTypesInYaml) {
    file("a.yaml",
         "postgres:\n"
         "  port: \"5432\"\n"
         "  host: [a, b]\n"
         "  ssl_mode:\n"
         "  connect_timeout_secs: soon\n"
         "source:\n"
         "  two_phase: yes\n"
         "  tables:\n"
         "    include:\n"
         "      - public.*\n"
         "      - [nested]\n"
         "sink: {kafka: 1}\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "a.yaml:2: postgres.port: expected an integer from 1 to 65535, got the text \"5432\"",
            "a.yaml:3: postgres.host: expected a text, got a list",
            "a.yaml:4: postgres.ssl_mode: has no value, expected one of disable, prefer, require, "
            "verify-full",
            "a.yaml:5: postgres.connect_timeout_secs: expected an integer from 1 to 315360000, got "
            "\"soon\"",
            "a.yaml:7: source.two_phase: expected true or false, got \"yes\"",
            "a.yaml:11: source.tables.include: expected a text as item, got a list",
            "a.yaml:12: sink: expected one of console, discard, kafka, got a section"));
}

TEST_F(RefusalsTest, RefusesASectionThatIsAValue) {
    file("a.yaml", "postgres: db\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: postgres: is a section, not a value"));
}

TEST_F(RefusalsTest, RefusesNumbersOutOfRange) {
    file("a.yaml", "postgres: {port: 70000}\n");
    environment["PG_CAPTURE_POSTGRES_PORT"] = "0";
    environment["PG_CONNECT_TIMEOUT_SECS"] = "99999999999999999999";
    arguments({"--postgres.port", "-1"});
    EXPECT_THAT(
        errors(),
        ElementsAre("flag --postgres.port: postgres.port: -1 is out of range, expected an integer "
                    "from 1 to 65535",
                    "a.yaml:1: postgres.port: 70000 is out of range, expected an integer from 1 to "
                    "65535",
                    "environment PG_CAPTURE_POSTGRES_PORT: postgres.port: 0 is out of range, "
                    "expected an integer from 1 to 65535",
                    "environment PG_CONNECT_TIMEOUT_SECS: postgres.connect_timeout_secs: "
                    "99999999999999999999 is out of range, expected an integer from 1 to "
                    "315360000"));
}

TEST_F(RefusalsTest, RefusesWhatIsNoNumber) {
    for (const std::string_view text :
         {"", " 5432", "5432 ", "0x10", "5e3", "+5", "1_000", "5432x"}) {
        environment["PG_PORT"] = text;
        EXPECT_EQ(errors().size(), 1U) << text;
    }
}

TEST_F(RefusalsTest, RefusesWordsThatAreNotAllowedAndNamesTheNearest) {
    environment["PG_SSL_MODE"] = "verify-ful";
    file("a.yaml", "logging: {modules: {postgres: debugg}}\nsink: off\n");
    EXPECT_THAT(
        errors(),
        ElementsAre("a.yaml:1: logging.modules: expected a map to one of debug, info, warn, got "
                    "\"debugg\"; did you mean debug?",
                    "a.yaml:2: sink: expected one of console, discard, kafka, got \"off\"",
                    "environment PG_SSL_MODE: postgres.ssl_mode: expected one of disable, prefer, "
                    "require, verify-full, got \"verify-ful\"; did you mean verify-full?"));
}

TEST_F(RefusalsTest, RefusesMalformedListsAndMapsInVariables) {
    environment["PG_CAPTURE_SOURCE_TABLES_INCLUDE"] = "a,,b";
    environment["PG_CAPTURE_LOGGING_MODULES"] = "postgres";
    environment["PG_CAPTURE_KAFKA_PROPERTIES"] = "a=1,a=2";
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "environment PG_CAPTURE_SOURCE_TABLES_INCLUDE: source.tables.include: an empty "
            "item in \"a,,b\"",
            "environment PG_CAPTURE_LOGGING_MODULES: logging.modules: expected a map to one "
            "of debug, info, warn, got \"postgres\"",
            "environment PG_CAPTURE_KAFKA_PROPERTIES: kafka.properties: \"a\" is given "
            "twice"));
}

TEST_F(RefusalsTest, RefusesRepeatedKeysInYaml) {
    file("a.yaml",
         "sink: console\n"
         "postgres:\n"
         "  host: a\n"
         "  host: b\n"
         "sink: discard\n"
         "postgres.host: c\n"
         "logging: {modules: {a: info, a: debug}}\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:4: postgres.host: given twice, first on line 3",
                                      "a.yaml:5: sink: given twice, first on line 1",
                                      "a.yaml:6: postgres.host: given twice, first at a.yaml:3",
                                      "a.yaml:7: logging.modules: \"a\" is given twice"));
}

TEST_F(RefusalsTest, RefusesRepeatedKeysInToml) {
    file("a.toml", "sink = 'console'\nsink = 'discard'\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::StartsWith("a.toml:2:"));
}

TEST_F(RefusalsTest, TellsLineAndColumnOfBrokenSyntax) {
    file("a.yaml", "postgres:\n  host: [a\nsink: b\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::MatchesRegex("a\\.yaml:[0-9]+:[0-9]+: .+"));
    file("a.toml", "[postgres]\nhost = = 'x'\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::MatchesRegex("a\\.toml:2:[0-9]+: .+"));
}

TEST_F(RefusalsTest, RefusesAFileThatIsNotThereOrCannotBeRead) {
    write("x", "");
    file("a.yaml", "");
    files.fail_next_reads(1);
    EXPECT_THAT(errors(), ElementsAre("a.yaml: simulated read error on a.yaml"));
    const auto settings = pgc::load(options, {"nowhere.yaml", environment, CommandLine{}}, files);
    ASSERT_FALSE(settings);
    EXPECT_EQ(describe(settings.error()), "nowhere.yaml: no such file\n");
}

TEST_F(RefusalsTest, RefusesOtherKindsOfFiles) {
    file("shop.json", "{}");
    EXPECT_THAT(errors(), ElementsAre("shop.json: the name must end in .yaml, .yml or .toml"));
}

TEST_F(RefusalsTest, RefusesUnknownVariablesOfOurPrefix) {
    environment["PG_CAPTURE_POSTGRES_HOTS"] = "x";
    environment["PG_CAPTURE_POSTGRES_PASWORD_FILE"] = "x";
    environment["PG_CAPTURE_WHATEVER"] = "x";
    environment["PG_SOMETHING"] = "not ours";
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_CAPTURE_POSTGRES_HOTS: unknown variable; did you mean "
                            "PG_CAPTURE_POSTGRES_HOST?",
                            "environment PG_CAPTURE_POSTGRES_PASWORD_FILE: unknown variable; did "
                            "you mean PG_CAPTURE_POSTGRES_PASSWORD_FILE?",
                            "environment PG_CAPTURE_WHATEVER: unknown variable"));
}

TEST_F(RefusalsTest, KnowsAVariableThatAReferenceNames) {
    environment["PG_CAPTURE_TOKEN"] = "t";
    file("a.yaml", "http: {token: \"${env:PG_CAPTURE_TOKEN}\"}\n");
    EXPECT_EQ(loaded().secret("http.token").reveal(), "t");
}

TEST_F(RefusalsTest, RefusesAVariableGivenAsValueAndAsFile) {
    write("/run/pg", "x");
    environment["PG_PASSWORD_FILE"] = "/run/pg";
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_PASSWORD, environment PG_PASSWORD_FILE: "
                            "postgres.password: given twice, as a value and as a file; hint: "
                            "unset one of PG_PASSWORD and PG_PASSWORD_FILE"));
}

TEST_F(RefusalsTest, RefusesAMissingFileOfAVariable) {
    environment.erase("PG_PASSWORD");
    environment["PG_PASSWORD_FILE"] = "/run/none";
    EXPECT_THAT(errors(), ElementsAre("environment PG_PASSWORD_FILE: postgres.password: no such "
                                      "file: /run/none"));
}

TEST_F(RefusalsTest, ChecksOverruledValuesToo) {
    file("a.yaml", "postgres: {port: abc}\n");
    environment["PG_PORT"] = "5432";
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: postgres.port: expected an integer from 1 to "
                                      "65535, got \"abc\""));
}

TEST_F(RefusalsTest, TellsContradictionsWithTheirOrigins) {
    file("a.yaml", "source:\n  two_phase: true\n");
    environment["PG_SSL_MODE"] = "disable";
    EXPECT_THAT(errors(), ElementsAre("a.yaml:2, environment PG_SSL_MODE: source.two_phase, "
                                      "postgres.ssl_mode: two-phase needs TLS; hint: set "
                                      "postgres.ssl_mode"));
}

TEST_F(RefusalsTest, TellsNoContradictionOfAValueThatIsWrongItself) {
    file("a.yaml", "source: {two_phase: true}\npostgres: {ssl_mode: disabled}\n");
    EXPECT_THAT(errors(), ElementsAre(::testing::HasSubstr("postgres.ssl_mode: expected one of")));
}

TEST_F(RefusalsTest, TellsEverythingAtOnceFlagsFirstThenFileThenEnvironment) {
    environment.erase("PG_DATABASE");
    environment["PG_HOST_FILE"] = "/none";
    environment["PG_CAPTURE_SINC"] = "x";
    arguments({"--sinc", "console", "--postgres.port=x"});
    file("a.yaml", "wrong: 1\nsource: {two_phase: true}\npostgres: {port: 0}\n");
    std::vector<std::string> places;
    const auto settings = load();
    ASSERT_FALSE(settings);
    for (const ConfigError& error : settings.error()) {
        places.push_back(error.where);
    }
    EXPECT_THAT(places, ElementsAre("flag --sinc", "flag --postgres.port", "a.yaml:1", "a.yaml:3",
                                    "environment PG_HOST_FILE", "environment PG_CAPTURE_SINC",
                                    "a.yaml", "a.yaml:2"));
}

TEST_F(RefusalsTest, RefusesZeroBytesAndEndlessValues) {
    environment["PG_HOST"] = "a\0b"s;
    environment["PG_CAPTURE_NAME"] = std::string(ConfigLimits::value_bytes + 1, 'x');
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_NAME: name: longer than 65536 bytes",
                                      "environment PG_HOST: postgres.host: holds a zero byte"));
}

}  // namespace
}  // namespace pgc
