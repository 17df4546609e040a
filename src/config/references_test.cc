// ${env:…} and ${file:…} in values.
#include "config/loader.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;

class ReferencesTest : public ConfigTest {
protected:
    ReferencesTest() { give_required(); }
};

TEST_F(ReferencesTest, FollowsReferencesInFiles) {
    environment["DB"] = "db.internal";
    write("/run/zone", "example\r\n");
    file("a.yaml", "postgres: {host: \"x.${env:DB}.${file:/run/zone}$${y}\"}\n");
    EXPECT_EQ(loaded().text("postgres.host"), "x.db.internal.example${y}");
}

TEST_F(ReferencesTest, AReferencedTextHasNoTypeOfItsOwn) {
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

TEST_F(ReferencesTest, FollowsReferencesInVariablesAndFlags) {
    write("/run/pg", "from-file\n");
    environment["PG_PASSWORD"] = "${file:/run/pg}";
    environment["NAME"] = "shop";
    arguments({"--name", "${env:NAME}"});
    const Settings settings = loaded();
    EXPECT_EQ(settings.secret("postgres.password").reveal(), "from-file");
    EXPECT_EQ(settings.text("name"), "shop");
}

TEST_F(ReferencesTest, LeavesOtherDollarsInVariablesAlone) {
    environment["PG_PASSWORD"] = "a${b}$${c$$";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "a${b}$${c$$");
    environment["PG_PASSWORD"] = "$${env:X}";
    EXPECT_EQ(loaded().secret("postgres.password").reveal(), "${env:X}");
}

TEST_F(ReferencesTest, DoesNotFollowReferencesWithinReferences) {
    environment["A"] = "${env:B}";
    file("a.yaml", "name: \"${env:A}\"\n");
    EXPECT_EQ(loaded().text("name"), "${env:B}");
}

TEST_F(ReferencesTest, DoesNotFollowReferencesOfOverruledValues) {
    file("a.yaml", "postgres: {password: \"${file:/run/only-in-production}\"}\n");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(ReferencesTest, WhatAReferenceBroughtStandsInNoError) {
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

TEST_F(ReferencesTest, RefusesAMissingReferenceWithItsPlace) {
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

TEST_F(ReferencesTest, RefusesMalformedReferences) {
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

}  // namespace
}  // namespace pgc
