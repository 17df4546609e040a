#include "config/declarations.h"

#include <cstdlib>

#include "config/nearest.h"
#include "config/text.h"
#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::declarations;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

std::vector<std::string> faults_of(const Option& option) {
    return Declarations{{.options = {&option, 1}}}.faults();
}

TEST(DeclarationsTest, TablesOfTheTestProgramHaveNoFaults) {
    EXPECT_THAT(declarations().faults(), IsEmpty());
}

TEST(DeclarationsTest, NamesVariablesAfterThePath) {
    constexpr Option option{.path = "source.tables.include", .variable = "TABLES"};
    EXPECT_EQ(long_variable(option), "PG_CAPTURE_SOURCE_TABLES_INCLUDE");
    EXPECT_THAT(variables(option), ElementsAre("TABLES", "PG_CAPTURE_SOURCE_TABLES_INCLUDE"));
}

TEST(DeclarationsTest, AShortVariableMayBeTheLongOne) {
    constexpr Option option{.path = "log", .variable = "PG_CAPTURE_LOG", .help = "x"};
    EXPECT_THAT(variables(option), ElementsAre("PG_CAPTURE_LOG"));
    EXPECT_THAT(faults_of(option), IsEmpty());
}

TEST(DeclarationsTest, SaysWhatAValueMayBe) {
    EXPECT_EQ(expectation({.kind = OptionKind::integer}), "an integer");
    EXPECT_EQ(expectation({.kind = OptionKind::integer, .min = 1}), "an integer of at least 1");
    EXPECT_EQ(expectation({.kind = OptionKind::integer, .max = 9}), "an integer of at most 9");
    EXPECT_EQ(expectation({.kind = OptionKind::integer, .min = 1, .max = 9}),
              "an integer from 1 to 9");
    EXPECT_EQ(expectation({.kind = OptionKind::list, .words = "a|b"}), "a list of a, b");
}

TEST(DeclarationsTest, FindsFaultsOfARow) {
    EXPECT_THAT(faults_of({.path = "A.b", .help = "x"}),
                ElementsAre("A.b: not a path of lower-case words"));
    EXPECT_THAT(faults_of({.path = "a..b", .help = "x"}),
                ElementsAre("a..b: not a path of lower-case words"));
    EXPECT_THAT(faults_of({.path = "a"}), ElementsAre("a: has no help"));
    EXPECT_THAT(faults_of({.path = "a", .variable = "pg-host", .help = "x"}),
                ElementsAre("a: pg-host is not a valid variable name"));
    EXPECT_THAT(faults_of({.path = "a", .required = true, .help = "x"}),
                ElementsAre("a: a required option needs an example"));
    EXPECT_THAT(
        faults_of({.path = "a", .fallback = "b", .required = true, .help = "x", .example = "c"}),
        ElementsAre("a: a required option or a secret has no default"));
    EXPECT_THAT(faults_of({.path = "a", .help = "x", .min = 1}),
                ElementsAre("a: has a range that can't be"));
}

TEST(DeclarationsTest, FindsDefaultsTheirOwnOptionRefuses) {
    EXPECT_THAT(
        faults_of(
            {.path = "a", .kind = OptionKind::integer, .fallback = "0", .help = "x", .min = 1}),
        ElementsAre("a: its default is wrong: 0 is out of range, expected an integer of at "
                    "least 1"));
    EXPECT_THAT(faults_of({.path = "a", .kind = OptionKind::boolean, .help = "x"}),
                ElementsAre("a: its default is wrong: expected true or false, got \"\""));
}

TEST(DeclarationsTest, WantsUnitsInTheNamesOfDurations) {
    constexpr std::string_view reason =
        ": a duration's path ends in its unit, _secs or _ms, and no other's does";
    EXPECT_THAT(faults_of({.path = "a", .kind = OptionKind::seconds, .fallback = "1", .help = "x"}),
                ElementsAre("a" + std::string(reason)));
    EXPECT_THAT(
        faults_of({.path = "a_ms", .kind = OptionKind::integer, .fallback = "1", .help = "x"}),
        ElementsAre("a_ms" + std::string(reason)));
}

TEST(DeclarationsTest, RefusesWordsThatYamlReadsOtherwise) {
    EXPECT_THAT(faults_of({.path = "a",
                           .kind = OptionKind::choice,
                           .fallback = "full",
                           .help = "x",
                           .words = "full|off"}),
                ElementsAre("a: YAML does not read the word \"off\" as itself"));
}

TEST(DeclarationsTest, FindsOptionsThatCollide) {
    constexpr Option options[] = {
        {.path = "a.b_c", .letter = 'x', .help = "x"},
        {.path = "a_b.c", .letter = 'x', .help = "x"},
        {.path = "d", .variable = "D", .help = "x"},
        {.path = "e", .variable = "D_FILE", .help = "x"},
        {.path = "d", .help = "x"},
        {.path = "a", .help = "x"},
    };
    EXPECT_THAT(Declarations({{.options = options}}).faults(),
                ElementsAre("a_b.c: another option has the variable PG_CAPTURE_A_B_C",
                            "a_b.c: another option has the variable PG_CAPTURE_A_B_C_FILE",
                            "a_b.c: another option has the letter x",
                            "e: another option has the variable D_FILE", "d: declared twice",
                            "d: another option has the variable PG_CAPTURE_D",
                            "d: another option has the variable PG_CAPTURE_D_FILE",
                            "a: is also a section"));
}

// --- lists of objects ---

std::vector<std::string> faults_of_objects(const ObjectType& type) {
    const Option option{.path = "a", .kind = OptionKind::objects, .help = "x", .object = &type};
    return faults_of(option);
}

constexpr Option kName{.path = "name", .required = true, .help = "x", .example = "x"};
constexpr Option kType{.path = "type",
                       .kind = OptionKind::choice,
                       .required = true,
                       .help = "x",
                       .example = "b",
                       .words = "b|c"};
constexpr ObjectVariant kVariants[] = {{.word = "b", .about = "x"}, {.word = "c", .about = "x"}};

TEST(DeclarationsTest, FindsFaultsOfObjects) {
    EXPECT_THAT(faults_of_objects({.name = "x", .fields = {&kName, 1}}), IsEmpty());
    EXPECT_THAT(faults_of({.path = "a", .kind = OptionKind::objects, .help = "x"}),
                ElementsAre("a: a list of objects says what they hold, and nothing else does"));
    EXPECT_THAT(faults_of_objects({.fields = {&kName, 1}}),
                ElementsAre("a: its elements have no name"));
    EXPECT_THAT(faults_of_objects({.name = "x"}),
                ElementsAre("a: its elements need a key that is required"));
    EXPECT_THAT(faults_of_objects({.name = "x", .fields = {&kName, 1}, .count_max = 1001}),
                ElementsAre("a: not between 1 and 1000 elements"));
}

TEST(DeclarationsTest, FindsFaultsOfTheKeysOfObjects) {
    constexpr Option keys[] = {
        kName, {.path = "b", .variable = "B"}, {.path = "c", .letter = 'c', .help = "x"}};
    EXPECT_THAT(faults_of_objects({.name = "x", .fields = keys}),
                ElementsAre("a[].b: a key of an object has no variable and no letter of its own",
                            "a[].b: has no help",
                            "a[].c: a key of an object has no variable and no letter of its own"));
}

TEST(DeclarationsTest, WantsVariantsToBeTheWordsOfAChoice) {
    EXPECT_THAT(
        faults_of_objects(
            {.name = "x", .fields = {&kType, 1}, .chosen_by = "type", .variants = kVariants}),
        IsEmpty());
    const std::string reason = "a: its variants are not the words of a required choice";
    EXPECT_THAT(
        faults_of_objects(
            {.name = "x", .fields = {&kType, 1}, .chosen_by = "type", .variants = {kVariants, 1}}),
        ElementsAre(reason));
    EXPECT_THAT(faults_of_objects({.name = "x", .fields = {&kType, 1}, .variants = kVariants}),
                ElementsAre(reason));
    EXPECT_THAT(
        faults_of_objects(
            {.name = "x", .fields = {&kName, 1}, .chosen_by = "name", .variants = kVariants}),
        ElementsAre(reason));
}

TEST(DeclarationsTest, FindsTheFaultsOfAVariantOnce) {
    static constexpr Option own[] = {{.path = "type", .help = "x"}};
    const ObjectVariant variants[] = {{.word = "b", .about = "x", .fields = own},
                                      {.word = "c", .about = "x", .fields = own}};
    EXPECT_THAT(
        faults_of_objects(
            {.name = "x", .fields = {&kType, 1}, .chosen_by = "type", .variants = variants}),
        ElementsAre("a[].type: declared twice"));
}

TEST(DeclarationsTest, BoundsHowDeepObjectsAreNested) {
    Option within[2] = {kName, {.path = "in", .kind = OptionKind::objects, .help = "x"}};
    const ObjectType endless{.name = "x", .fields = within};
    within[1].object = &endless;
    EXPECT_THAT(faults_of_objects(endless),
                ElementsAre("a[].in[].in[].in: lists of objects are nested too deep"));
}

using DeclarationsDeathTest = ::testing::Test;

TEST(DeclarationsDeathTest, AskingForAnUndeclaredOptionOrAnotherKindIsABug) {
    SimulatedFiles files;
    const auto settings = load(
        declarations(), {"", {{"PG_DATABASE", "d"}, {"PG_PASSWORD", "p"}}, CommandLine{}}, files);
    ASSERT_TRUE(settings);
    EXPECT_DEATH((void)settings->text("postgres.hots"), "no declared option");
    EXPECT_DEATH((void)settings->text("postgres.port"), "OptionKind::text");
    EXPECT_DEATH((void)settings->integer("postgres.connect_timeout_secs"), "OptionKind::integer");
    EXPECT_TRUE(settings->declared("postgres.host"));
    EXPECT_FALSE(settings->declared("postgres.hots"));
}

TEST(NearestTest, ForgivesFewErrors) {
    const std::vector<std::string> names = {"postgres.host", "postgres.port", "source.tables",
                                            "sink"};
    EXPECT_EQ(nearest("postgres.hsot", names), "postgres.host");
    EXPECT_EQ(nearest("postgres.por", names), "postgres.port");
    EXPECT_EQ(nearest("postgres.database", names), "");
    EXPECT_EQ(nearest("tables", names), "source.tables");
    EXPECT_EQ(nearest("sinks", names), "sink");
    EXPECT_EQ(nearest("sunk", names), "sink");
    EXPECT_EQ(nearest("x", names), "");
    EXPECT_EQ(nearest("", names), "");
    EXPECT_EQ(nearest(std::string(100'000, 's'), names), "");
}

TEST(TextTest, KnowsUtf8) {
    EXPECT_EQ(valid_utf8_prefix("aä€😀"), 10U);
    for (const std::string_view wrong :
         {"\x80", "\xC0\x80", "\xC3", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xFF"}) {
        EXPECT_EQ(valid_utf8_prefix(wrong), 0U);
    }
}

TEST(TextTest, QuotesShortlyAndSafely) {
    EXPECT_EQ(in_quotes("a\"\n\x1b\x7f"), "\"a\\\"\\n\\u001b\\u007f\"");
    EXPECT_EQ(in_quotes(std::string(61, 'x')), "\"" + std::string(60, 'x') + "…\"");
    EXPECT_EQ(in_quotes(std::string(59, 'x') + "ä"), "\"" + std::string(59, 'x') + "…\"");
    EXPECT_EQ(json_quoted("\xFF"), "\"\\ufffd\"");
}

TEST(ErrorsTest, BecomeJson) {
    Errors errors;
    errors.add({"a.yaml:1", "b", "unknown \"key\"", "c", ""});
    errors.add({"", "", "x", "", "y"});
    EXPECT_EQ(to_json(errors),
              R"({"errors":[{"where":"a.yaml:1","key":"b","reason":"unknown \"key\"",)"
              R"("nearest":"c"},{"reason":"x","hint":"y"}]})");
}

TEST(ErrorsTest, BecomeOneError) {
    Errors errors;
    errors.add({"a.yaml:1", "b", "unknown key", "c", "m"});
    EXPECT_EQ(describe(to_error(errors)), "b: unknown key; did you mean c? (a.yaml:1); hint: m");
    EXPECT_EQ(to_error(errors).category, Error::Category::configuration);
    errors.add({"", "", "x", "", ""});
    EXPECT_EQ(to_error(errors).what, "a.yaml:1: b: unknown key; did you mean c?; hint: m\nx");
}

TEST(EnvironmentTest, IsRead) {
    ASSERT_EQ(::setenv("PGC_TEST_OF_ENVIRONMENT", "a=b", 1), 0);
    EXPECT_EQ(read_environment().at("PGC_TEST_OF_ENVIRONMENT"), "a=b");
    ::unsetenv("PGC_TEST_OF_ENVIRONMENT");
    EXPECT_FALSE(read_environment().contains("PGC_TEST_OF_ENVIRONMENT"));
}

}  // namespace
}  // namespace pgc
