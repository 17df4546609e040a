// Lists of objects: read from files, variables and flags; shown; refused with their place.
#include "config/objects.h"

#include <iterator>

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;
using ::testing::Pair;

class ObjectsTest : public ConfigTest {
protected:
    ObjectsTest() { give_required(); }

    void variable(std::string json) { environment["PG_CAPTURE_TRANSFORMS"] = std::move(json); }
    Settings::Objects transforms() { return loaded().objects("transforms"); }
};

// --- what comes from where ---

TEST_F(ObjectsTest, AreNoneByDefault) {
    const Settings settings = loaded();
    EXPECT_THAT(settings.objects("transforms"), IsEmpty());
    EXPECT_FALSE(settings.given("transforms"));
    EXPECT_THAT(show(settings), HasSubstr("\ntransforms =  # default\n"));
    EXPECT_THAT(show_json(settings), HasSubstr(R"("transforms":{"value":[],"origin":"default"})"));
}

TEST_F(ObjectsTest, AreReadFromYaml) {
    file("shop.yaml",
         "transforms:\n"
         "  - type: mask\n"
         "    columns: [email, \"phone\"]\n"
         "    method: hash\n"
         "    salt: pepper\n"
         "  - type: drop\n"
         "    tables:\n"
         "      include: [public.logs]\n"
         "  - {type: route, cases: [{topic: de, when: {country: DE}}, {topic: rest}], strict: "
         "true}\n");
    const Settings settings = loaded();
    EXPECT_EQ(settings.origin("transforms").text, "shop.yaml:1");
    const Settings::Objects& all = settings.objects("transforms");
    ASSERT_EQ(all.size(), 3U);
    EXPECT_EQ(all[0].word("type"), "mask");
    EXPECT_THAT(all[0].list("columns"), ElementsAre("email", "phone"));
    EXPECT_EQ(all[0].secret("salt").reveal(), "pepper");
    EXPECT_EQ(all[0].integer("length"), 0);
    EXPECT_THAT(all[0].list("tables.include"), ElementsAre("*.*"));
    EXPECT_EQ(all[0].origin("salt").text, "shop.yaml:5");
    EXPECT_FALSE(all[0].given("length"));
    EXPECT_THAT(all[1].list("tables.include"), ElementsAre("public.logs"));
    EXPECT_FALSE(all[1].declared("columns"));
    const Settings::Objects& cases = all[2].objects("cases");
    ASSERT_EQ(cases.size(), 2U);
    EXPECT_THAT(cases[0].map("when"), ElementsAre(Pair("country", "DE")));
    EXPECT_EQ(cases[1].text("topic"), "rest");
    EXPECT_TRUE(all[2].boolean("strict"));
}

TEST_F(ObjectsTest, AreReadFromToml) {
    file("shop.toml",
         "[[transforms]]\n"
         "type = 'mask'\n"
         "columns = ['email']\n"
         "length = 3\n"
         "method = 'truncate'\n"
         "[[transforms]]\n"
         "type = 'route'\n"
         "tables.include = ['public.*']\n"
         "[[transforms.cases]]\n"
         "topic = 'de'\n"
         "when.country = 'DE'\n"
         "[[transforms.cases]]\n"
         "topic = 'rest'\n");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[0].integer("length"), 3);
    EXPECT_EQ(all[0].origin("length").text, "shop.toml:4");
    EXPECT_THAT(all[1].list("tables.include"), ElementsAre("public.*"));
    ASSERT_EQ(all[1].objects("cases").size(), 2U);
    EXPECT_EQ(all[1].objects("cases")[1].origin("topic").text, "shop.toml:13");
}

TEST_F(ObjectsTest, AreReadFromInlineTablesOfToml) {
    file("a.toml", "transforms = [{type = 'drop'}, {type = 'mask', columns = ['a']}]\n");
    EXPECT_EQ(transforms().size(), 2U);
}

TEST_F(ObjectsTest, AreJsonInAVariable) {
    variable(R"([{"type":"mask","columns":["a,b","c"],"length":3,"method":"truncate"},)"
             R"({"type":"route","cases":[{"topic":"x","when":{"n":1}}],"strict":true}])");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_THAT(all[0].list("columns"), ElementsAre("a,b", "c"));
    EXPECT_EQ(all[0].integer("length"), 3);
    EXPECT_EQ(all[0].origin("length").text, "environment PG_CAPTURE_TRANSFORMS");
    EXPECT_THAT(all[1].objects("cases")[0].map("when"), ElementsAre(Pair("n", "1")));
}

TEST_F(ObjectsTest, ReadTheEscapesOfJson) {
    variable(R"([{"type":"route","cases":[{"topic":"\u00e4\ud83d\ude00\/\"\\ud83d\n"}]}])");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].objects("cases")[0].text("topic"), "ä😀/\"\\ud83d\n");
}

TEST_F(ObjectsTest, MayTakeSeveralLinesOfJsonWithTabs) {
    variable("[\n\t{\n\t\t\"type\": \"mask\",\n\t\t\"columns\": [\n\t\t\t\"a\"\n\t\t]\n\t}\n]\n");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 1U);
    EXPECT_EQ(all[0].origin("type").text, "environment PG_CAPTURE_TRANSFORMS, line 3");
}

TEST_F(ObjectsTest, OfAnEmptyVariableAreNone) {
    file("a.yaml", "transforms: [{type: drop}]\n");
    for (const std::string_view text : {"", " ", "[]", " [ ] "}) {
        variable(std::string(text));
        const Settings settings = loaded();
        EXPECT_THAT(settings.objects("transforms"), IsEmpty()) << text;
        EXPECT_TRUE(settings.given("transforms"));
    }
}

TEST_F(ObjectsTest, OfAStrongerSourceTakeThePlaceOfTheWholeList) {
    file("a.yaml", "transforms: [{type: drop}, {type: drop}, {type: drop}]\n");
    EXPECT_EQ(transforms().size(), 3U);
    variable(R"([{"type":"drop"},{"type":"drop"}])");
    EXPECT_EQ(transforms().size(), 2U);
    arguments({"--transforms", R"([{"type":"drop"}])"});
    EXPECT_EQ(transforms().size(), 1U);
    EXPECT_EQ(loaded().origin("transforms").text, "flag --transforms");
}

TEST_F(ObjectsTest, OfAVariablesFileMayBeYaml) {
    write("/etc/transforms.yaml",
          "- type: drop\n"
          "- type: mask\n"
          "  columns: [a]\n");
    environment["PG_CAPTURE_TRANSFORMS_FILE"] = "/etc/transforms.yaml";
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_EQ(all[1].origin("columns").text,
              "environment PG_CAPTURE_TRANSFORMS_FILE, /etc/transforms.yaml:3");
}

TEST_F(ObjectsTest, AcceptEmptySectionsAndDottedKeys) {
    file("a.yaml",
         "transforms:\n  - type: drop\n    tables:\n  - {tables.exclude: [a], type: drop}\n");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 2U);
    EXPECT_THAT(all[1].list("tables.exclude"), ElementsAre("a"));
}

// --- references and secrets ---

TEST_F(ObjectsTest, FollowReferencesInTheirTexts) {
    environment["COLUMNS"] = "a,b";
    environment["LENGTH"] = "4";
    file("a.yaml",
         "transforms:\n"
         "  - {type: mask, columns: \"${env:COLUMNS}\", method: truncate, length: "
         "\"${env:LENGTH}\"}\n");
    const Settings settings = loaded();
    const Settings& mask = settings.objects("transforms").front();
    EXPECT_THAT(mask.list("columns"), ElementsAre("a", "b"));
    EXPECT_EQ(mask.integer("length"), 4);
    EXPECT_THAT(show(settings), HasSubstr("transforms[0].columns = ${env:COLUMNS}  # a.yaml:2\n"));
}

TEST_F(ObjectsTest, LetNoReferenceEndAText) {
    environment["TOPIC"] = R"(x"},{"topic":"y)";
    variable(R"([{"type":"route","cases":[{"topic":"${env:TOPIC}"}]}])");
    const Settings::Objects all = transforms();
    ASSERT_EQ(all.size(), 1U);
    ASSERT_EQ(all[0].objects("cases").size(), 1U);
    EXPECT_EQ(all[0].objects("cases")[0].text("topic"), R"(x"},{"topic":"y)");
}

TEST_F(ObjectsTest, LeaveOtherDollarsInAVariableAloneButNotInItsFile) {
    variable(R"([{"type":"route","cases":[{"topic":"${topic}"}]}])");
    EXPECT_EQ(transforms()[0].objects("cases")[0].text("topic"), "${topic}");
    environment.erase("PG_CAPTURE_TRANSFORMS");
    write("/etc/t",
          "[{\"type\":\"drop\"},\n {\"type\":\"route\",\"cases\":[{\"topic\":\"${topic}\"}]}]");
    environment["PG_CAPTURE_TRANSFORMS_FILE"] = "/etc/t";
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_TRANSFORMS_FILE, /etc/t:2: "
                                      "transforms[1].cases[0].topic: ${ must begin ${env:NAME} or "
                                      "${file:PATH}; write $${ for a plain ${"));
}

TEST_F(ObjectsTest, KnowAVariableThatAReferenceWithinNames) {
    environment["PG_CAPTURE_SALT"] = "s";
    write("/etc/t", R"([{"type":"mask","columns":["a"],"salt":"${env:PG_CAPTURE_SALT}"}])");
    environment["PG_CAPTURE_TRANSFORMS_FILE"] = "/etc/t";
    EXPECT_EQ(transforms()[0].secret("salt").reveal(), "s");
}

TEST_F(ObjectsTest, ShowTheirSecretsAsStars) {
    file("a.yaml",
         "transforms:\n"
         "  - {type: drop}\n"
         "  - {type: mask, columns: [a], method: hash, salt: hunter2}\n");
    const Settings settings = loaded();
    EXPECT_THAT(show(settings), AllOf(HasSubstr("transforms[0].type = drop  # a.yaml:2\n"
                                                "transforms[0].tables.include = *.*  # default\n"
                                                "transforms[0].tables.exclude =  # default\n"),
                                      HasSubstr("transforms[1].method = hash  # a.yaml:3\n"
                                                "transforms[1].salt = ***  # a.yaml:3\n"
                                                "transforms[1].length = 0  # default\n"),
                                      Not(HasSubstr("hunter2"))));
    EXPECT_THAT(
        show_json(settings),
        AllOf(HasSubstr(R"("transforms":{"value":[{"type":{"value":"drop",)"),
              HasSubstr(R"("salt":{"value":"***","origin":"a.yaml:3"})"),
              HasSubstr(R"("length":{"value":0,"origin":"default"}}],"origin":"a.yaml:1"})"),
              Not(HasSubstr("hunter2"))));
}

TEST_F(ObjectsTest, ReadTheirSecretsAgainFromTheirFiles) {
    write("/run/salt", "old\n");
    variable(R"([{"type":"mask","columns":["a"],"method":"hash","salt":"x${file:/run/salt}"}])");
    const SecretSource source = transforms()[0].secret_source("salt", files);
    EXPECT_EQ(source()->reveal(), "xold");
    write("/run/salt", "new\n");
    EXPECT_EQ(source()->reveal(), "xnew");
    files.fail_next_reads(1);
    EXPECT_EQ(source().error().where, "environment PG_CAPTURE_TRANSFORMS: transforms[0].salt");
}

TEST_F(ObjectsTest, TakeNoSecretFromTheCommandLine) {
    environment["SALT"] = "s";
    arguments({R"(--transforms=[{"type":"mask","columns":["a"],"salt":"hunter2"}])"});
    EXPECT_THAT(errors(),
                ElementsAre(AllOf(HasSubstr("flag --transforms: transforms[0].salt: a secret is "
                                            "not taken from the command line"),
                                  HasSubstr("${file:PATH}"), Not(HasSubstr("hunter2")))));
    arguments({R"(--transforms=[{"type":"mask","columns":["a"],"salt":"${env:SALT}"}])"});
    EXPECT_EQ(transforms()[0].secret("salt").reveal(), "s");
}

TEST_F(ObjectsTest, KeepSecretsOutOfErrors) {
    for (const std::string_view text :
         {R"([{"type":"mask","columns":["a"],"salt":["hunter2"]}])",
          R"([{"type":"mask","columns":["a"],"salt":{"hunter2":"x"}}])",
          R"([{"type":"mask","columns":["a"],"salt":"${env:hunter2"}])",
          R"([{"type":"mask","columns":["a"],"salt":"hunter2)", R"([{"salt":*hunter2}])",
          R"([{"salt":"\qhunter2"}])"}) {
        variable(std::string(text));
        ASSERT_FALSE(errors().empty()) << text;
        for (const std::string& error : errors()) {
            EXPECT_THAT(error, Not(HasSubstr("hunter2"))) << text;
        }
    }
}

// --- what is refused ---

TEST_F(ObjectsTest, AreRefusedWithPlaceAndElement) {
    file("shop.yaml",
         "transforms:\n"
         "  - type: mask\n"
         "    colums: [a]\n"
         "    length: 200\n"
         "  - type: masc\n"
         "    columns: [a]\n"
         "    colums: [a]\n"
         "  - tables: {includes: []}\n"
         "  - type: drop\n"
         "    salt: x\n"
         "  - type: route\n"
         "    cases:\n"
         "      - when: {a: [1]}\n"
         "        topics: x\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "shop.yaml:2: transforms[0].columns: required, but not given; hint: give "
            "columns, a "
            "list of texts",
            "shop.yaml:3: transforms[0].colums: unknown key; did you mean transforms[0].columns?",
            "shop.yaml:4: transforms[0].length: 200 is out of range, expected an integer from 0 to "
            "100",
            "shop.yaml:5: transforms[1].type: expected one of mask, drop, route, got \"masc\"; did "
            "you mean mask?",
            "shop.yaml:7: transforms[1].colums: unknown key; did you mean transforms[1].columns?",
            "shop.yaml:8: transforms[2].type: required, but not given; hint: give type, one "
            "of "
            "mask, drop, route",
            "shop.yaml:8: transforms[2].tables.includes: unknown key; did you mean "
            "transforms[2].tables.include?",
            "shop.yaml:10: transforms[3].salt: not a key of type: drop, but of type: mask",
            "shop.yaml:13: transforms[4].cases[0].topic: required, but not given; hint: give "
            "topic, a text",
            "shop.yaml:13: transforms[4].cases[0].when: expected a text for \"a\", got a list",
            "shop.yaml:14: transforms[4].cases[0].topics: unknown key; did you mean "
            "transforms[4].cases[0].topic?"));
}

TEST_F(ObjectsTest, AreRefusedInTomlToo) {
    file("a.toml",
         "[[transforms]]\n"
         "type = 'drop'\n"
         "[[transforms]]\n"
         "colums = ['x']\n"
         "type = 'mask'\n"
         "[[transforms.cases]]\n"
         "topic = 'x'\n");
    EXPECT_THAT(
        errors(),
        ElementsAre(
            "a.toml:3: transforms[1].columns: required, but not given; hint: give columns, a "
            "list of texts",
            "a.toml:4: transforms[1].colums: unknown key; did you mean transforms[1].columns?",
            "a.toml:6: transforms[1].cases: not a key of type: mask, but of type: route"));
}

TEST_F(ObjectsTest, AreRefusedInVariablesAndFlags) {
    variable("[{\"type\":\"drop\"},\n{\"type\":\"dorp\"}]");
    arguments({"--transforms", R"([{"type":"route","cases":[]}])"});
    EXPECT_THAT(errors(), ElementsAre("flag --transforms: transforms[0].cases: must not be empty",
                                      "environment PG_CAPTURE_TRANSFORMS, line 2: "
                                      "transforms[1].type: expected one of mask, drop, route, got "
                                      "\"dorp\"; did you mean drop?"));
}

TEST_F(ObjectsTest, ThatAreNoListAreRefused) {
    for (const auto& [text, got] :
         {std::pair{"transforms: {type: drop}\n", "expected a list of objects, got a section"},
          {"transforms: mask\n", "expected a list of objects, got a text"},
          {"transforms: \"${env:TRANSFORMS}\"\n", "expected a list of objects, got a text"},
          {"transforms:\n", "has no value, expected a list of objects"}}) {
        file("a.yaml", text);
        EXPECT_THAT(errors(), ElementsAre("a.yaml:1: transforms: " + std::string(got)));
    }
    file("a.toml", "transforms = 5\n");
    EXPECT_THAT(errors(),
                ElementsAre("a.toml:1: transforms: expected a list of objects, got an integer"));
}

TEST_F(ObjectsTest, WithElementsThatAreNoObjectsAreRefused) {
    file("a.yaml",
         "transforms:\n"
         "  - mask\n"
         "  -\n"
         "  - [a]\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:1: transforms[1]: expected a section, got nothing",
                                      "a.yaml:2: transforms[0]: expected a section, got a text",
                                      "a.yaml:4: transforms[2]: expected a section, got a list"));
}

TEST_F(ObjectsTest, ThatAreNoJsonAreRefusedWithTheirPlace) {
    variable("[{\"type\":\"drop\"},\n{\"type\":]");
    ASSERT_EQ(errors().size(), 1U);
    EXPECT_THAT(errors().front(),
                ::testing::MatchesRegex("environment PG_CAPTURE_TRANSFORMS: transforms: cannot be "
                                        "read as JSON: line [0-9]+, column [0-9]+: .+"));
    variable("[{\"type\":\"\xff\"}]");
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_CAPTURE_TRANSFORMS: transforms: cannot be read as "
                            "JSON: line 1, column 11: not UTF-8 text"));
}

TEST_F(ObjectsTest, OfAVariablesFileThatIsNotThereAreRefused) {
    environment["PG_CAPTURE_TRANSFORMS_FILE"] = "/none";
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_TRANSFORMS_FILE: transforms: no "
                                      "such file: /none"));
}

TEST_F(ObjectsTest, SayTheirTypePlainly) {
    environment["TYPE"] = "drop";
    file("a.yaml", "transforms:\n  - type: \"${env:TYPE}\"\n    salt: x\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:2: transforms[0].type: must be written out, because "
                                      "it decides which other keys there are"));
}

TEST_F(ObjectsTest, RefuseARepeatedKey) {
    file("a.yaml",
         "transforms:\n"
         "  - type: mask\n"
         "    columns: [a]\n"
         "    columns: [b]\n"
         "    tables: {include: [a]}\n"
         "    tables.include: [b]\n");
    EXPECT_THAT(errors(),
                ElementsAre("a.yaml:4: transforms[0].columns: given twice, first on line 3",
                            "a.yaml:6: transforms[0].tables.include: given twice, first at "
                            "a.yaml:5"));
}

TEST_F(ObjectsTest, WantWhatAChoiceInTheSameElementWants) {
    variable(R"([{"type":"mask","columns":["a"],"method":"hash"}])");
    EXPECT_THAT(errors(),
                ElementsAre("environment PG_CAPTURE_TRANSFORMS: transforms[0].salt: required with "
                            "method: hash, but not given; hint: give salt, a text"));
}

TEST_F(ObjectsTest, TellContradictionsWithinAnElement) {
    file("a.yaml",
         "transforms:\n"
         "  - {type: drop}\n"
         "  - {type: mask, columns: [a], length: 3}\n"
         "  - {type: mask, columns: [a], length: 300}\n");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:4: transforms[2].length: 300 is out of range, "
                                      "expected an integer from 0 to 100",
                                      "a.yaml:3: transforms[1].length, transforms[1].method: only "
                                      "truncating leaves characters"));
}

TEST_F(ObjectsTest, AreCheckedWhenOverruledButTheirReferencesAreNotFollowed) {
    file("a.yaml",
         "transforms:\n"
         "  - {type: mask, columns: \"${env:NOWHERE}\", method: \"${env:NOWHERE}\"}\n"
         "  - {type: drop, typ: 1}\n");
    variable("[]");
    EXPECT_THAT(errors(), ElementsAre("a.yaml:3: transforms[1].typ: unknown key; did you mean "
                                      "transforms[1].type?"));
}

TEST_F(ObjectsTest, AreBounded) {
    std::string text;
    for (int i = 0; i < 6; ++i) {
        text += "  - type: drop\n";
    }
    file("a.yaml", "transforms:\n" + text);
    EXPECT_THAT(errors(), ElementsAre("a.yaml:7: transforms: more than 5 elements"));
    variable(std::string(40, '['));
    EXPECT_THAT(errors().back(), HasSubstr("nested deeper than 32 levels"));
    variable(std::string(ConfigLimits::value_bytes + 1, ' ') + "[]");
    EXPECT_THAT(errors().back(), HasSubstr("longer than 65536 bytes"));
}

TEST_F(ObjectsTest, HaveNoNumberedVariables) {
    environment["PG_CAPTURE_TRANSFORMS_0_TYPE"] = "drop";
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_TRANSFORMS_0_TYPE: unknown variable; "
                                      "hint: give the whole list as JSON in "
                                      "PG_CAPTURE_TRANSFORMS"));
    environment.erase("PG_CAPTURE_TRANSFORMS_0_TYPE");
    environment["PG_CAPTURE_TRANSFORMS_FIL"] = "x";
    EXPECT_THAT(errors(), ElementsAre("environment PG_CAPTURE_TRANSFORMS_FIL: unknown variable; "
                                      "did you mean PG_CAPTURE_TRANSFORMS_FILE?"));
}

}  // namespace
}  // namespace pgc
