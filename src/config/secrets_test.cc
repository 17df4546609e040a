// Secrets: given in every way, seen in none.
#include <fmt/core.h>

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr std::string_view kPassword = "hunter2hunter2";

class SecretsTest : public ConfigTest {
protected:
    SecretsTest() { environment["PG_DATABASE"] = "shop"; }

    std::string error_text() {
        std::string text;
        if (const auto settings = load(); !settings) {
            text = describe(settings.error()) + to_json(settings.error()) +
                   describe(to_error(settings.error()));
        }
        return text;
    }
};

TEST_F(SecretsTest, PrintAsStars) {
    const Secret secret{std::string(kPassword)};
    EXPECT_EQ(fmt::format("{}", secret), "***");
    EXPECT_EQ(::testing::PrintToString(secret), "***");
    EXPECT_EQ(secret.reveal(), kPassword);
}

TEST_F(SecretsTest, AreGoneWhereTheyWereMovedFrom) {
    Secret from{std::string("short")};
    const Secret to = std::move(from);
    EXPECT_EQ(to.reveal(), "short");
    EXPECT_TRUE(from.empty());  // NOLINT(bugprone-use-after-move): that is the point
}

TEST_F(SecretsTest, AreMaskedWhenShown) {
    environment["PG_PASSWORD"] = kPassword;
    const Settings settings = loaded();
    EXPECT_THAT(show(settings), HasSubstr("postgres.password = ***  # environment PG_PASSWORD\n"));
    EXPECT_THAT(show_json(settings), HasSubstr("\"postgres.password\":{\"value\":\"***\""));
    EXPECT_THAT(show(settings), Not(HasSubstr(kPassword)));
    EXPECT_THAT(show_json(settings), Not(HasSubstr(kPassword)));
}

TEST_F(SecretsTest, ThatAreNotGivenShowAsNothing) {
    environment["PG_PASSWORD"] = kPassword;
    EXPECT_THAT(show(loaded()), HasSubstr("http.token =  # default\n"));
}

TEST_F(SecretsTest, BehindReferencesShowAsTheReferenceInOtherOptions) {
    environment["PG_PASSWORD"] = kPassword;
    file("a.yaml",
         "name: \"x-${env:PG_PASSWORD}\"\n"
         "source: {tables: {include: [\"a.${env:PG_PASSWORD}\"]}}\n");
    const Settings settings = loaded();
    EXPECT_EQ(settings.text("name"), "x-hunter2hunter2");
    EXPECT_THAT(show(settings), HasSubstr("name = x-${env:PG_PASSWORD}  # a.yaml:1\n"));
    EXPECT_THAT(show(settings), Not(HasSubstr(kPassword)));
    EXPECT_THAT(show_json(settings), Not(HasSubstr(kPassword)));
}

TEST_F(SecretsTest, AreNotInTheErrorOfAReferencedValue) {
    environment["PG_PASSWORD"] = kPassword;
    file("a.yaml", "postgres: {port: \"${env:PG_PASSWORD}\"}\n");
    EXPECT_THAT(errors(),
                ::testing::ElementsAre("a.yaml:1: postgres.port: expected an integer from 1 to "
                                       "65535, got \"${env:PG_PASSWORD}\""));
}

TEST_F(SecretsTest, AreRefusedAsFlagsWithoutBeingQuoted) {
    environment["PG_PASSWORD"] = "x";
    for (const auto& words : {std::vector<std::string>{"--postgres.password=hunter2hunter2"},
                              std::vector<std::string>{"--postgres.password", "hunter2hunter2"}}) {
        arguments(words);
        EXPECT_THAT(errors(), ::testing::ElementsAre(
                                  "flag --postgres.password: postgres.password: a secret is not "
                                  "taken from the command line, where others see it; hint: "
                                  "set PG_PASSWORD, or PG_PASSWORD_FILE to the name of a file"));
    }
    arguments({"--postgres.pasword", "hunter2hunter2"});
    EXPECT_THAT(error_text(), Not(HasSubstr(kPassword)));
}

TEST_F(SecretsTest, AreNotInErrorsOfTypeOrSyntax) {
    const std::vector<std::pair<std::string, std::string>> broken = {
        {"a.toml", "postgres.password = hunter2hunter2\n"},
        {"a.toml", "postgres.password = \"hunter2hunter2\n"},
        {"a.toml", "postgres.password = \"\\hunter2hunter2\"\n"},
        {"a.toml", "postgres.password 'hunter2hunter2'\n"},
        {"a.toml", "postgres.password = ['hunter2hunter2']\n"},
        {"a.toml", "postgres.password = 'hunter2hunter2' 'hunter2hunter2'\n"},
        {"a.toml", "postgres.password = '${hunter2hunter2}'\n"},
        {"a.toml", "postgres.port = '${hunter2hunter2}'\n"},
        {"a.yaml", "postgres: {password: [hunter2hunter2]}\n"},
        {"a.yaml", "postgres: {password: *hunter2hunter2}\n"},
        {"a.yaml", "postgres: {password: !hunter2hunter2 x}\n"},
        {"a.yaml", "postgres: {password: %hunter2hunter2}\n"},
        {"a.yaml", "postgres: {password: \"\\qhunter2hunter2\"}\n"},
        {"a.yaml", "postgres: {password: {hunter2hunter2: x}}\n"},
        {"a.yaml", "postgres: {password: 'hunter2hunter2}\n"},
        {"a.yaml", "postgres: {password: \"${env:hunter2hunter2\"}\n"},
    };
    for (const auto& [name, text] : broken) {
        file(name, text);
        const std::string said = error_text();
        EXPECT_THAT(said, HasSubstr(name)) << text;
        EXPECT_THAT(said, Not(HasSubstr("hunter2"))) << text;
    }
}

TEST_F(SecretsTest, ComeFromFilesOfVariablesLessOneLineEnd) {
    write("/run/pg", "two lines\n\n");
    environment["PG_PASSWORD_FILE"] = "/run/pg";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "two lines\n");
}

TEST_F(SecretsTest, OfFilesAreNotSearchedForReferences) {
    write("/run/pg", "${env:X}\n");
    environment["PG_PASSWORD_FILE"] = "/run/pg";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "${env:X}");
}

TEST_F(SecretsTest, AreReadAgainFromTheirFiles) {
    write("/run/pg", "old\n");
    environment["USER"] = "u";
    file("a.yaml", "postgres: {password: \"${env:USER}:${file:/run/pg}!\"}\n");
    const Settings settings = loaded();
    const SecretSource source = settings.secret_source("postgres.password", files);
    EXPECT_EQ(source()->reveal(), "u:old!");
    write("/run/pg", "new\n");
    EXPECT_EQ(source()->reveal(), "u:new!");
    EXPECT_EQ(settings.secret("postgres.password").reveal(), "u:old!");
}

TEST_F(SecretsTest, OfPlainVariablesStayWhatTheyWere) {
    environment["PG_PASSWORD"] = "a";
    const SecretSource source = loaded().secret_source("postgres.password", files);
    EXPECT_EQ(source()->reveal(), "a");
}

TEST_F(SecretsTest, ThatAreNotGivenAreEmptyAtEveryReading) {
    environment["PG_PASSWORD"] = "a";
    const auto token = loaded().secret_source("http.token", files)();
    ASSERT_TRUE(token);
    EXPECT_TRUE(token->empty());
}

TEST_F(SecretsTest, WhoseFileVanishedFailTheReadingNotTheProgram) {
    write("/run/pg", "a");
    environment["PG_PASSWORD_FILE"] = "/run/pg";
    const SecretSource source = loaded().secret_source("postgres.password", files);
    files.fail_next_reads(1);
    const auto failed = source();
    ASSERT_FALSE(failed);
    EXPECT_EQ(failed.error().where, "environment PG_PASSWORD_FILE: postgres.password");
    EXPECT_TRUE(source());
}

}  // namespace
}  // namespace pgc
