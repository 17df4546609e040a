// What is generated is true: examples load and mean the defaults.
#include "config/reference.h"

#include <sstream>

#include "config/example_value.h"
#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using config_fixture::kFlags;
using ::testing::HasSubstr;
using ::testing::Not;

// Takes away the # before every setting.
std::string all_switched_on(const std::string& text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const bool comment =
            text[i] == '#' && (i == 0 || text[i - 1] == '\n' || text[i - 1] == ' ');
        if (!comment || text[i + 1] == ' ') {
            out += text[i];
        }
    }
    return out;
}

class ReferenceTest : public ConfigTest {
protected:
    // As `show` has it, without the origins.
    std::string values(const Settings& settings) {
        std::string text;
        std::istringstream lines(show(settings));
        for (std::string line; std::getline(lines, line);) {
            text += line.substr(0, line.find("  # ")) + "\n";
        }
        return text;
    }
    std::string default_values() {
        give_required();
        std::string text = values(loaded());
        environment.clear();
        return text;
    }
    void expect_defaults() {
        give_required();
        environment.erase("PG_DATABASE");
        environment["PG_CAPTURE_HTTP_TOKEN"] = "";
        EXPECT_EQ(values(loaded()), defaults_);
    }
    const std::string defaults_ = default_values();
};

TEST_F(ReferenceTest, ExamplesLoadAsTheyAre) {
    file("a.yaml", example_yaml(options));
    expect_defaults();
    file("a.toml", example_toml(options));
    expect_defaults();
}

TEST_F(ReferenceTest, ExamplesGiveTheDefaultsWhenSwitchedOn) {
    file("a.yaml", all_switched_on(example_yaml(options)));
    expect_defaults();
    EXPECT_TRUE(loaded().given("source.tables.include"));
    EXPECT_TRUE(loaded().given("sql.template"));
    file("a.toml", all_switched_on(example_toml(options)));
    expect_defaults();
    EXPECT_TRUE(loaded().given("source.tables.include"));
}

// The elements stand in the examples as prose: "# " is to be removed, not only "#".
TEST_F(ReferenceTest, ExampleElementsLoad) {
    give_required();
    write("/run/secrets/salt", "pepper");
    for (const ObjectVariant& variant : config_fixture::kTransform.variants) {
        const auto element = [&](Language language) {
            return example_element(config_fixture::kTransform, &variant, "transforms", language);
        };
        for (const bool switched_on : {false, true}) {
            const auto text = [&](Language language) {
                return switched_on ? all_switched_on(element(language)) : element(language);
            };
            file("a.yaml", "transforms:\n" + text(Language::yaml));
            const Settings of_yaml = loaded();
            ASSERT_EQ(of_yaml.objects("transforms").size(), 1U) << element(Language::yaml);
            EXPECT_EQ(of_yaml.objects("transforms")[0].word("type"), variant.word);
            file("a.toml", text(Language::toml));
            EXPECT_EQ(values(loaded()), values(of_yaml));
        }
        environment["PG_CAPTURE_TRANSFORMS"] =
            "[" + example_object(config_fixture::kTransform, &variant, Language::json) + "]";
        ASSERT_EQ(loaded().objects("transforms").size(), 1U);
        environment.erase("PG_CAPTURE_TRANSFORMS");
    }
}

TEST_F(ReferenceTest, ExamplesShowWhatElementsMayBe) {
    EXPECT_THAT(example_yaml(options),
                HasSubstr("# a transform is one of these:\n"
                          "# - type: mask  # replaces values\n"
                          "#   # Required: columns whose values are replaced\n"
                          "#   columns: [email]\n"));
    EXPECT_THAT(example_yaml(options), HasSubstr("# - type: route  # chooses a topic\n"
                                                 "#   # Required: the first that fits is taken\n"
                                                 "#   cases: [{topic: others}]\n"
                                                 "#   # one of them must fit\n"
                                                 "#   #strict: false\n"
                                                 "#   tables:\n"
                                                 "#     # tables it is for\n"
                                                 "#     #include: [\"*.*\"]\n"
                                                 "#     # and those it is not for\n"
                                                 "#     #exclude: []\n"
                                                 "# what is done to each change, in this order\n"
                                                 "#transforms: []\n"));
    EXPECT_THAT(example_toml(options), HasSubstr("# [[transforms]]\n"
                                                 "# type = \"drop\"  # leaves rows out\n"
                                                 "# # tables it is for\n"
                                                 "# #tables.include = [\"*.*\"]\n"));
    EXPECT_THAT(example_environment(options),
                HasSubstr("# what is done to each change, in this order\n"
                          "# JSON, such as [{\"type\": \"mask\", \"columns\": [\"email\"]}]\n"
                          "#export PG_CAPTURE_TRANSFORMS='[]'\n"));
}

TEST_F(ReferenceTest, ExampleYamlReadsAsMeant) {
    const std::string text = example_yaml(options);
    EXPECT_THAT(text, HasSubstr("# The source.\n"
                                "postgres:\n"
                                "  # server\n"
                                "  #host: localhost\n"
                                "  # its port\n"
                                "  #port: 5432\n"
                                "  # Required: database to follow\n"
                                "  database: shop\n"
                                "  # Required: password\n"
                                "  password: \"${env:PG_PASSWORD}\"\n"));
    EXPECT_THAT(text, HasSubstr("  tables:\n    # tables to capture\n    #include: [\"*.*\"]\n"));
}

TEST_F(ReferenceTest, ExampleTomlReadsAsMeant) {
    const std::string text = example_toml(options);
    EXPECT_THAT(text, HasSubstr("# The source.\n"
                                "[postgres]\n"
                                "# server\n"
                                "#host = \"localhost\"\n"));
    EXPECT_THAT(text, HasSubstr("[source.tables]\n"));
    EXPECT_THAT(text, HasSubstr("#properties = {\"socket.keepalive.enable\" = \"true\"}\n"));
}

TEST_F(ReferenceTest, ExampleEnvironmentGivesTheDefaults) {
    const std::string text = all_switched_on(example_environment(options));
    std::size_t count = 0;
    std::size_t at = 0;
    while (at < text.size()) {
        const auto end = text.find('\n', at);
        const std::string line = text.substr(at, end - at);
        at = end + 1;
        if (line.starts_with("export ")) {
            const auto equals = line.find('=');
            std::string value = line.substr(equals + 1);
            if (value.starts_with('\'')) {
                value = value.substr(1, value.size() - 2);
            }
            environment[line.substr(7, equals - 7)] = value;
            ++count;
        }
    }
    EXPECT_EQ(count, options.options().size());
    environment["PG_CAPTURE_HTTP_TOKEN"] = "";
    EXPECT_EQ(values(loaded()), defaults_);
}

TEST_F(ReferenceTest, ExampleEnvironmentSetsOnlyWhatIsRequired) {
    const std::string text = example_environment(options);
    EXPECT_THAT(text, HasSubstr("\nexport PG_DATABASE=shop\n"));
    EXPECT_THAT(text, HasSubstr("\nexport PG_PASSWORD=change-me\n"));
    EXPECT_THAT(text, HasSubstr("\n#export PG_PORT=5432\n"));
    EXPECT_THAT(text, HasSubstr("\n#export PG_CAPTURE_SOURCE_TABLES_INCLUDE='*.*'\n"));
}

TEST_F(ReferenceTest, HelpHasEveryOption) {
    const std::string help = help_of_options(options);
    for (const Option* option : options.options()) {
        EXPECT_THAT(help, HasSubstr(option->path));
    }
    EXPECT_THAT(help, HasSubstr("  --postgres.port N                       its port [5432] "
                                "(PG_PORT)\n"));
    EXPECT_THAT(help, HasSubstr("  -s, --sink WORD                         where changes go: "
                                "console, discard, kafka [console]\n"));
    EXPECT_THAT(help, Not(HasSubstr("--postgres.password")));
    EXPECT_THAT(help, HasSubstr("[required] (PG_PASSWORD, PG_PASSWORD_FILE; not as a flag)"));
    EXPECT_THAT(help, HasSubstr("\npostgres: The source.\n"));
}

TEST_F(ReferenceTest, HelpOfFlagsAlignsLetters) {
    EXPECT_EQ(help_of_flags(kFlags),
              "  -c, --config FILE                       configuration file\n"
              "  -j, --json-logs                         discard, as it happens\n"
              "  -v, --verbose                           say more\n"
              "      --output FORM                       for whom\n");
}

TEST_F(ReferenceTest, PageHasEveryOptionWithItsVariables) {
    const std::string page = reference_markdown(options);
    EXPECT_THAT(page, HasSubstr("\n## postgres\n\nThe source.\n\n| key | value |"));
    EXPECT_THAT(page, HasSubstr("| `postgres.port` | an integer from 1 to 65535 | `5432` | "
                                "`PG_PORT`, `PG_CAPTURE_POSTGRES_PORT` | its port |\n"));
    EXPECT_THAT(page, HasSubstr("| `name` | text | the slot's name | `PG_CAPTURE_NAME` |"));
    EXPECT_THAT(page, HasSubstr("\n`name`: Stands in logs and metrics.\n"));
    EXPECT_THAT(page, HasSubstr("**required**"));
}

TEST_F(ReferenceTest, PageSaysWhatElementsHold) {
    const std::string page = reference_markdown(options);
    EXPECT_THAT(page, HasSubstr("| `transforms` | a list of objects |  | `PG_CAPTURE_TRANSFORMS` | "
                                "what is done to each change, in this order |\n"));
    EXPECT_THAT(page, HasSubstr("\n### transforms[]\n\nA transform; at most 5 of them.\n"
                                "\n| key | value | default | what it is |\n|---|---|---|---|\n"
                                "| `type` | one of mask, drop, route | **required** | what it "
                                "does |\n"));
    EXPECT_THAT(page, HasSubstr("\n`tables.include`: Patterns, as everywhere.\n"));
    EXPECT_THAT(page, HasSubstr("```yaml\ntransforms:\n  - {type: mask, columns: [email]}\n```\n"));
    EXPECT_THAT(page, HasSubstr("\n#### transforms[] with type: mask\n\nIt replaces values.\n"));
    EXPECT_THAT(page, HasSubstr("| `salt` | secret text | **required with method: hash** |"));
    EXPECT_THAT(page, HasSubstr("\n### transforms[].cases[]\n\nA case; at most 3 of them.\n"));
    EXPECT_THAT(page, HasSubstr("elements have no variables of their own"));
    EXPECT_THAT(reference_markdown({{.options = config_fixture::kPostgresOptions}}),
                Not(HasSubstr("list of objects")));
}

TEST_F(ReferenceTest, HelpNamesListsOfObjects) {
    EXPECT_THAT(help_of_options(options), HasSubstr("  --transforms JSON  "));
}

TEST_F(ReferenceTest, SchemaDescribesTheTree) {
    const std::string schema = json_schema(options);
    EXPECT_THAT(schema, HasSubstr("https://json-schema.org/draft/2020-12/schema"));
    EXPECT_THAT(schema, HasSubstr(R"({"type":"integer","minimum":1,"maximum":65535})"));
    EXPECT_THAT(schema, HasSubstr(R"("enum":["console","discard","kafka"])"));
    EXPECT_THAT(schema, HasSubstr(R"("default":["*.*"])"));
    EXPECT_THAT(schema, HasSubstr(R"("writeOnly":true)"));
    EXPECT_THAT(schema, HasSubstr(R"("additionalProperties":false)"));
    EXPECT_THAT(schema,
                HasSubstr(R"|("type":{"description":"what it does (required)","const":"mask"})|"));
    EXPECT_THAT(schema, HasSubstr(R"("required":["type","columns"],)"));
}

}  // namespace
}  // namespace pgc
