// What comes from where, and which source wins.
#include "config/loader.h"

#include "support/config_fixture.h"

namespace pgc {
namespace {

using config_fixture::ConfigTest;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

class LoaderTest : public ConfigTest {
protected:
    LoaderTest() { give_required(); }
};

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

TEST_F(LoaderTest, LoadsAgainWithWhatHasChanged) {
    file("a.yaml", "name: one\n");
    EXPECT_EQ(loaded().text("name"), "one");
    file("a.yaml", "name: two\n");
    EXPECT_EQ(loaded().text("name"), "two");
}

}  // namespace
}  // namespace pgc
