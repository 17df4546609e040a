#include "config/loader.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using std::string_literals::operator""s;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class LoaderTest : public ConfigTest {
protected:
    LoaderTest() { give_required(); }
};

// --- what comes from where ---

TEST_F(LoaderTest, FallsBackToTheDefaults) {
    const Settings settings = loaded();
    EXPECT_EQ(settings.text("postgres.host"), "localhost");
    EXPECT_EQ(settings.integer("postgres.port"), 5432);
    EXPECT_EQ(settings.word("sink"), "console");
    EXPECT_EQ(settings.boolean("source.two_phase"), false);
    EXPECT_THAT(settings.list("source.tables.include"), ElementsAre("*.*"));
    EXPECT_THAT(settings.list("source.tables.exclude"), IsEmpty());
    EXPECT_THAT(settings.map("kafka.properties"),
                ElementsAre(Pair("socket.keepalive.enable", "true")));
    EXPECT_EQ(settings.text("name"), "");
    EXPECT_EQ(settings.origin("postgres.host").text, "default");
    EXPECT_FALSE(settings.given("postgres.host"));
}

TEST_F(LoaderTest, ReadsDurationsInTheUnitOfTheirPath) {
    environment["PG_CONNECT_TIMEOUT_SECS"] = "7";
    environment["PG_CAPTURE_SOURCE_HEARTBEAT_MS"] = "250";
    const Settings settings = loaded();
    EXPECT_EQ(settings.duration("postgres.connect_timeout_secs"), std::chrono::seconds{7});
    EXPECT_EQ(settings.duration("source.heartbeat_ms"), std::chrono::milliseconds{250});
}

TEST_F(LoaderTest, ReadsYaml) {
    file("shop.yaml",
         "name: shop\n"
         "postgres:\n"
         "  host: db\n"
         "  port: 6432\n"
         "source:\n"
         "  two_phase: false\n"
         "  tables: {include: [public.*, \"sales.*\"], exclude: []}\n"
         "logging: {modules: {postgres: debug}}\n");
    const Settings settings = loaded();
    EXPECT_EQ(settings.text("postgres.host"), "db");
    EXPECT_EQ(settings.integer("postgres.port"), 6432);
    EXPECT_THAT(settings.list("source.tables.include"), ElementsAre("public.*", "sales.*"));
    EXPECT_THAT(settings.map("logging.modules"), ElementsAre(Pair("postgres", "debug")));
    EXPECT_EQ(settings.origin("postgres.port").text, "shop.yaml:4");
    EXPECT_EQ(settings.origin("postgres.port").source, Origin::Source::file);
}

TEST_F(LoaderTest, ReadsToml) {
    file("shop.toml",
         "name = 'shop'\n"
         "[postgres]\n"
         "host = \"db\"\n"
         "port = 6_432\n"
         "[source]\n"
         "two_phase = false\n"
         "tables.include = ['public.*', 'sales.*']\n"
         "[logging.modules]\n"
         "postgres = 'debug'\n");
    const Settings settings = loaded();
    EXPECT_EQ(settings.text("postgres.host"), "db");
    EXPECT_EQ(settings.integer("postgres.port"), 6432);
    EXPECT_THAT(settings.list("source.tables.include"), ElementsAre("public.*", "sales.*"));
    EXPECT_THAT(settings.map("logging.modules"), ElementsAre(Pair("postgres", "debug")));
    EXPECT_EQ(settings.origin("postgres.port").text, "shop.toml:4");
}

TEST_F(LoaderTest, JoinsDottedKeysOfMapsAgain) {
    file("a.toml", "[kafka.properties]\nsocket.keepalive.enable = true\nretries = 5\n");
    EXPECT_THAT(loaded().map("kafka.properties"),
                ElementsAre(Pair("retries", "5"), Pair("socket.keepalive.enable", "true")));
    file("a.yaml", "kafka: {properties: {socket.keepalive.enable: true, retries: 5}}\n");
    EXPECT_THAT(loaded().map("kafka.properties"),
                ElementsAre(Pair("retries", "5"), Pair("socket.keepalive.enable", "true")));
}

TEST_F(LoaderTest, FlagBeatsLongVariableBeatsShortVariableBeatsFile) {
    file("a.yaml", "postgres: {host: from-file}\n");
    EXPECT_EQ(loaded().text("postgres.host"), "from-file");
    environment["PG_HOST"] = "from-short";
    EXPECT_EQ(loaded().text("postgres.host"), "from-short");
    EXPECT_EQ(loaded().origin("postgres.host").text, "environment PG_HOST");
    environment["PG_CAPTURE_POSTGRES_HOST"] = "from-long";
    EXPECT_EQ(loaded().text("postgres.host"), "from-long");
    arguments({"--postgres.host=from-flag"});
    EXPECT_EQ(loaded().text("postgres.host"), "from-flag");
    EXPECT_EQ(loaded().origin("postgres.host").text, "flag --postgres.host");
}

TEST_F(LoaderTest, LongVariableOfAFileBeatsTheShortVariable) {
    write("/run/host", "from-long-file\n");
    environment["PG_HOST"] = "from-short";
    environment["PG_CAPTURE_POSTGRES_HOST_FILE"] = "/run/host";
    EXPECT_EQ(loaded().text("postgres.host"), "from-long-file");
}

TEST_F(LoaderTest, SplitsListsAndMapsInVariables) {
    environment["PG_CAPTURE_SOURCE_TABLES_INCLUDE"] = "public.a, public.b";
    environment["PG_CAPTURE_LOGGING_MODULES"] = "postgres=debug,kafka = info";
    const Settings settings = loaded();
    EXPECT_THAT(settings.list("source.tables.include"), ElementsAre("public.a", "public.b"));
    EXPECT_THAT(settings.map("logging.modules"),
                ElementsAre(Pair("kafka", "info"), Pair("postgres", "debug")));
}

TEST_F(LoaderTest, AnEmptyVariableIsAnEmptyListNotTheDefault) {
    environment["PG_CAPTURE_SOURCE_TABLES_INCLUDE"] = "";
    const Settings settings = loaded();
    EXPECT_THAT(settings.list("source.tables.include"), IsEmpty());
    EXPECT_TRUE(settings.given("source.tables.include"));
}

TEST_F(LoaderTest, AVariableWhoseOwnNameEndsInFileIsAValue) {
    environment["REPLICATION_CHECKPOINT_FILE"] = "/var/lib/position";
    EXPECT_EQ(loaded().text("replication.checkpoint_file"), "/var/lib/position");
    environment.erase("REPLICATION_CHECKPOINT_FILE");
    environment["PG_CAPTURE_REPLICATION_CHECKPOINT_FILE"] = "/var/lib/other";
    EXPECT_EQ(loaded().text("replication.checkpoint_file"), "/var/lib/other");
}

TEST_F(LoaderTest, TakesYamlWordsOfDigitsAsTextWhereTextIsWanted) {
    file("a.yaml", "postgres: {password: 0123, host: 10}\n");
    environment.erase("PG_PASSWORD");
    const Settings settings = loaded();
    EXPECT_EQ(settings.secret("postgres.password").reveal(), "0123");
    EXPECT_EQ(settings.text("postgres.host"), "10");
}

TEST_F(LoaderTest, AcceptsEmptySectionsAndEmptyFiles) {
    file("a.yaml", "postgres:\nsource: ~\n");
    EXPECT_THAT(errors(), IsEmpty());
    file("b.yaml", "# nothing\n");
    EXPECT_THAT(errors(), IsEmpty());
    file("c.toml", "");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(LoaderTest, AcceptsDottedKeysInYaml) {
    file("a.yml", "postgres.host: db\n");
    EXPECT_EQ(loaded().text("postgres.host"), "db");
}

TEST_F(LoaderTest, FollowsYamlAliases) {
    file("a.yaml", "source: {tables: {include: &all [public.*], exclude: *all}}\n");
    EXPECT_THAT(loaded().list("source.tables.exclude"), ElementsAre("public.*"));
}

TEST_F(LoaderTest, SkipsAByteOrderMark) {
    file("a.yaml", "\xEF\xBB\xBFpostgres: {host: db}\n");
    EXPECT_EQ(loaded().text("postgres.host"), "db");
}

// --- references ---

TEST_F(LoaderTest, FollowsReferencesInFiles) {
    environment["DB"] = "db.internal";
    write("/run/zone", "example\r\n");
    file("a.yaml", "postgres: {host: \"x.${env:DB}.${file:/run/zone}$${y}\"}\n");
    EXPECT_EQ(loaded().text("postgres.host"), "x.db.internal.example${y}");
}

TEST_F(LoaderTest, AReferencedTextHasNoTypeOfItsOwn) {
    environment["PORT"] = "6432";
    environment["TABLES"] = "a.b,c.d";
    file("a.toml",
         "postgres.port = '${env:PORT}'\n"
         "source.tables.include = '${env:TABLES}'\n"
         "source.tables.exclude = ['${env:TABLES}']\n");
    const Settings settings = loaded();
    EXPECT_EQ(settings.integer("postgres.port"), 6432);
    EXPECT_THAT(settings.list("source.tables.include"), ElementsAre("a.b", "c.d"));
    EXPECT_THAT(settings.list("source.tables.exclude"), ElementsAre("a.b,c.d"));
}

TEST_F(LoaderTest, FollowsReferencesInVariablesAndFlags) {
    write("/run/pg", "from-file\n");
    environment["PG_PASSWORD"] = "${file:/run/pg}";
    environment["NAME"] = "shop";
    arguments({"--name", "${env:NAME}"});
    const Settings settings = loaded();
    EXPECT_EQ(settings.secret("postgres.password").reveal(), "from-file");
    EXPECT_EQ(settings.text("name"), "shop");
}

TEST_F(LoaderTest, LeavesOtherDollarsInVariablesAlone) {
    environment["PG_PASSWORD"] = "a${b}$${c$$";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "a${b}$${c$$");
    environment["PG_PASSWORD"] = "$${env:X}";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "${env:X}");
}

TEST_F(LoaderTest, DoesNotFollowReferencesWithinReferences) {
    environment["A"] = "${env:B}";
    file("a.yaml", "name: \"${env:A}\"\n");
    EXPECT_EQ(loaded().text("name"), "${env:B}");
}

TEST_F(LoaderTest, DoesNotFollowReferencesOfOverruledValues) {
    file("a.yaml", "postgres: {password: \"${file:/run/only-in-production}\"}\n");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(LoaderTest, WhatAReferenceBroughtStandsInNoError) {
    environment["WORD"] = "a-secret";
    file("a.yaml",
         "sink: ${env:WORD}\n"
         "logging: {modules: {postgres: \"x${env:WORD}\"}}\n");
    EXPECT_THAT(errors(),
                ElementsAre(testing::AllOf(testing::HasSubstr("a.yaml:1: sink: expected"),
                                           testing::HasSubstr("${env:WORD}"),
                                           testing::Not(testing::HasSubstr("a-secret"))),
                            testing::AllOf(testing::HasSubstr("a.yaml:2: logging.modules"),
                                           testing::HasSubstr("x${env:WORD}"),
                                           testing::Not(testing::HasSubstr("a-secret")))));
}

TEST_F(LoaderTest, RefusesAMissingReferenceWithItsPlace) {
    environment.erase("PG_PASSWORD");
    file("a.yaml",
         "name: \"${env:NOWHERE}\"\n"
         "postgres:\n"
         "  password: ${file:/run/nothing}\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "a.yaml:1: name: ${env:NOWHERE}: there is no variable NOWHERE in the environment",
            "a.yaml:3: postgres.password: ${file:/run/nothing}: no such file: "
            "/run/nothing"));
}

TEST_F(LoaderTest, RefusesMalformedReferences) {
    file("a.toml",
         "name = '${NAME}'\n"
         "postgres.host = '${env:HOST'\n"
         "http.token = '${env:}'\n"
         "source.tables.include = ['${file:}']\n");
    EXPECT_THAT(
        errors(),
        ElementsAre("a.toml:1: name: ${ must begin ${env:NAME} or ${file:PATH}; write $${ for a "
                    "plain ${",
                    "a.toml:2: postgres.host: ${env: without its }",
                    "a.toml:3: http.token: ${env:} names no variable",
                    "a.toml:4: source.tables.include: ${file:} names no file"));
}

// --- what is refused ---

TEST_F(LoaderTest, RefusesUnknownKeysAtEveryLevel) {
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

TEST_F(LoaderTest, RefusesUnknownKeysOfTomlInTheOrderOfTheText) {
    file("a.toml",
         "zzzz = 1\n"
         "aaaa = 1\n"
         "[postgres]\n"
         "prot = 1\n");
    EXPECT_THAT(errors(),
                ElementsAre("a.toml:1: zzzz: unknown key", "a.toml:2: aaaa: unknown key",
                            "a.toml:4: postgres.prot: unknown key; did you mean postgres.port?"));
}

TEST_F(LoaderTest, FindsAKeyThatStandsInTheWrongSection) {
    file("a.yaml", "host: db\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: host: unknown key; did you mean postgres.host?"));
}

TEST_F(LoaderTest, RefusesWrongTypesInToml) {
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

TEST_F(LoaderTest, RefusesWrongTypesInYaml) {
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

TEST_F(LoaderTest, RefusesASectionThatIsAValue) {
    file("a.yaml", "postgres: db\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: postgres: is a section, not a value"));
}

TEST_F(LoaderTest, RefusesNumbersOutOfRange) {
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

TEST_F(LoaderTest, RefusesWhatIsNoNumber) {
    for (const std::string_view text :
         {"", " 5432", "5432 ", "0x10", "5e3", "+5", "1_000", "5432x"}) {
        environment["PG_PORT"] = text;
        EXPECT_EQ(errors().size(), 1U) << text;
    }
}

TEST_F(LoaderTest, RefusesWordsThatAreNotAllowedAndNamesTheNearest) {
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

TEST_F(LoaderTest, RefusesMalformedListsAndMapsInVariables) {
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

TEST_F(LoaderTest, RefusesRepeatedKeysInYaml) {
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

TEST_F(LoaderTest, RefusesRepeatedKeysInToml) {
    file("a.toml", "sink = 'console'\nsink = 'discard'\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::StartsWith("a.toml:2:"));
}

TEST_F(LoaderTest, TellsLineAndColumnOfBrokenSyntax) {
    file("a.yaml", "postgres:\n  host: [a\nsink: b\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::MatchesRegex("a\\.yaml:[0-9]+:[0-9]+: .+"));
    file("a.toml", "[postgres]\nhost = = 'x'\n");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(), ::testing::MatchesRegex("a\\.toml:2:[0-9]+: .+"));
}

TEST_F(LoaderTest, RefusesAFileThatIsNotThereOrCannotBeRead) {
    write("x", "");
    file("a.yaml", "");
    files.fail_next_reads(1);
    EXPECT_THAT(errors(), ElementsAre("a.yaml: simulated read error on a.yaml"));
    const auto settings = pgc::load(options, {"nowhere.yaml", environment, CommandLine{}}, files);
    ASSERT_FALSE(settings);
    EXPECT_EQ(describe(settings.error()), "nowhere.yaml: no such file\n");
}

TEST_F(LoaderTest, RefusesOtherKindsOfFiles) {
    file("shop.json", "{}");
    EXPECT_THAT(errors(), ElementsAre("shop.json: the name must end in .yaml, .yml or .toml"));
}

TEST_F(LoaderTest, DoesNotCallAValueMissingThatAnUnreadableFileMayHold) {
    environment.clear();
    file("a.yaml", "postgres: [\n");
    EXPECT_EQ(errors().size(), 1U);
}

TEST_F(LoaderTest, NamesEveryWayToGiveAMissingValue) {
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

TEST_F(LoaderTest, RefusesARequiredTextThatIsEmptyButNotAnEmptyPassword) {
    environment["PG_DATABASE"] = "";
    environment["PG_PASSWORD"] = "";
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_DATABASE: postgres.database: must not be empty"));
}

TEST_F(LoaderTest, RefusesUnknownVariablesOfOurPrefix) {
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

TEST_F(LoaderTest, KnowsAVariableThatAReferenceNames) {
    environment["PG_CAPTURE_TOKEN"] = "t";
    file("a.yaml", "http: {token: \"${env:PG_CAPTURE_TOKEN}\"}\n");
    EXPECT_EQ(loaded().secret("http.token").reveal(), "t");
}

TEST_F(LoaderTest, RefusesAVariableGivenAsValueAndAsFile) {
    write("/run/pg", "x");
    environment["PG_PASSWORD_FILE"] = "/run/pg";
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_PASSWORD, environment PG_PASSWORD_FILE: "
                            "postgres.password: given twice, as a value and as a file; hint: "
                            "unset one of PG_PASSWORD and PG_PASSWORD_FILE"));
}

TEST_F(LoaderTest, RefusesAMissingFileOfAVariable) {
    environment.erase("PG_PASSWORD");
    environment["PG_PASSWORD_FILE"] = "/run/none";
    EXPECT_THAT(errors(), ElementsAre("environment PG_PASSWORD_FILE: postgres.password: no such "
                                      "file: /run/none"));
}

TEST_F(LoaderTest, ChecksOverruledValuesToo) {
    file("a.yaml", "postgres: {port: abc}\n");
    environment["PG_PORT"] = "5432";
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: postgres.port: expected an integer from 1 to "
                                      "65535, got \"abc\""));
}

TEST_F(LoaderTest, TellsContradictionsWithTheirOrigins) {
    file("a.yaml", "source:\n  two_phase: true\n");
    environment["PG_SSL_MODE"] = "disable";
    EXPECT_THAT(errors(), ElementsAre("a.yaml:2, environment PG_SSL_MODE: source.two_phase, "
                                      "postgres.ssl_mode: two-phase needs TLS; hint: set "
                                      "postgres.ssl_mode"));
}

TEST_F(LoaderTest, TellsNoContradictionOfAValueThatIsWrongItself) {
    file("a.yaml", "source: {two_phase: true}\npostgres: {ssl_mode: disabled}\n");
    EXPECT_THAT(errors(), ElementsAre(::testing::HasSubstr("postgres.ssl_mode: expected one of")));
}

TEST_F(LoaderTest, TellsEverythingAtOnceFlagsFirstThenFileThenEnvironment) {
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

TEST_F(LoaderTest, RefusesZeroBytesAndEndlessValues) {
    environment["PG_HOST"] = "a\0b"s;
    environment["PG_CAPTURE_NAME"] = std::string(ConfigLimits::value_bytes + 1, 'x');
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_NAME: name: longer than 65536 bytes",
                                      "environment PG_HOST: postgres.host: holds a zero byte"));
}

TEST_F(LoaderTest, LoadsAgainWithWhatHasChanged) {
    file("a.yaml", "name: one\n");
    EXPECT_EQ(loaded().text("name"), "one");
    file("a.yaml", "name: two\n");
    EXPECT_EQ(loaded().text("name"), "two");
}

}  // namespace
}  // namespace pgc
