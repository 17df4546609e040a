// The command line as a person meets it, without a server.
#include "cli/command.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "cli/program.h"

namespace pgc {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class StillClock final : public Clock {
public:
    Instant now() const noexcept override { return {}; }
    WallTime wall() const noexcept override { return {}; }
};

class CommandTest : public testing::Test {
protected:
    ExitCode run(std::vector<std::string> arguments) {
        Deps deps{console, files, clock, environment};
        return run_program(arguments, deps);
    }
    void given(const std::string& path, std::string_view content) {
        ASSERT_TRUE(files.replace(path, content));
    }
    std::string file(const std::string& path) { return files.read(path)->value_or(""); }

    CapturedConsole console;
    SimulatedFiles files;
    StillClock clock;
    Environment environment{{"PG_DATABASE", "shop"},
                            {"PG_USERNAME", "cdc"},
                            {"PG_PASSWORD", "hush-hush"},
                            {"KAFKA_BROKERS", "kafka"}};
};

TEST_F(CommandTest, TellsItsVersion) {
    EXPECT_EQ(run({"-V"}), ExitCode::done);
    EXPECT_EQ(console.out_text, "pg-capture " PGC_VERSION "\n");
}

TEST_F(CommandTest, HelpNamesEveryCommand) {
    EXPECT_EQ(run({"--help"}), ExitCode::done);
    for (const Command& command : commands()) {
        EXPECT_THAT(console.out_text, HasSubstr(std::string(command.name)));
    }
}

TEST_F(CommandTest, HelpOfACommandIsOfThatCommand) {
    EXPECT_EQ(run({"run", "--help"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("--until"));
    EXPECT_THAT(console.out_text, HasSubstr("pg-capture run --help all"));
    EXPECT_THAT(console.out_text, Not(HasSubstr("PG_HOST")));
}

TEST_F(CommandTest, HelpOfEverythingHasEveryOption) {
    EXPECT_EQ(run({"check", "--help", "all"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("--output"));
    for (const Option* option : declarations().options()) {
        EXPECT_THAT(console.out_text, HasSubstr(std::string(option->path)));
    }
}

TEST_F(CommandTest, VariablesThatOtherProgramsKnowAreWeakerThanOurs) {
    environment["PGHOST"] = "theirs";
    environment["PGPORT"] = "6543";
    environment["PG_HOST"] = "ours";
    EXPECT_EQ(run({"config", "show"}), ExitCode::done) << console.err_text;
    EXPECT_THAT(console.out_text, HasSubstr("ours"));
    EXPECT_THAT(console.out_text, AllOf(HasSubstr("6543"), HasSubstr("environment PGPORT")));
    EXPECT_THAT(console.out_text, Not(HasSubstr("theirs")));
}

TEST_F(CommandTest, AnUnknownCommandIsAnsweredWithTheNearest) {
    EXPECT_EQ(run({"chekc"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("did you mean check?"));
}

TEST_F(CommandTest, AnUnknownWordOfAGroupIsAnsweredWithTheNearest) {
    EXPECT_EQ(run({"config", "shwo"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("config show"));
}

TEST_F(CommandTest, ValidatesAGoodConfiguration) {
    EXPECT_EQ(run({"config", "validate"}), ExitCode::done);
    EXPECT_THAT(console.err_text, IsEmpty());
}

TEST_F(CommandTest, TellsAllErrorsAtOnceWithTheirPlaces) {
    given("shop.yaml", "postgres:\n  hots: db\n  port: many\nsink: kafkaa\n");
    EXPECT_EQ(run({"config", "validate", "-c", "shop.yaml", "--nonsense"}),
              ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("shop.yaml:2"));
    EXPECT_THAT(console.err_text, HasSubstr("postgres.host"));
    EXPECT_THAT(console.err_text, HasSubstr("shop.yaml:3"));
    EXPECT_THAT(console.err_text, HasSubstr("shop.yaml:4"));
    EXPECT_THAT(console.err_text, HasSubstr("--nonsense"));
}

TEST_F(CommandTest, ExactlyOnceNeedsKafkaAndAllItsReplicas) {
    environment["PG_CAPTURE_DELIVERY"] = "exactly_once";
    EXPECT_EQ(run({"config", "validate"}), ExitCode::done);
    EXPECT_EQ(run({"config", "validate", "--sink=discard"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("only Kafka and files have transactions"));
    EXPECT_EQ(run({"config", "validate", "--sink=file", "--file.root=/files"}), ExitCode::done);
    EXPECT_EQ(run({"config", "validate", "--sink=file"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("file.root"));
    EXPECT_EQ(run({"config", "validate", "--kafka.acks=1", "--replication.checkpoint_file=/p"}),
              ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("the acknowledgement of all replicas"));
    EXPECT_THAT(console.err_text, HasSubstr("keeps the position in Kafka"));
}

TEST_F(CommandTest, PreparedTransactionsNeedAPlace) {
    EXPECT_EQ(run({"config", "validate", "--source.two_phase"}), ExitCode::done);
    EXPECT_EQ(run({"config", "validate", "--source.two_phase", "--state.spill_limit=0"}),
              ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("kept in files until they are decided"));
}

TEST_F(CommandTest, WholeTransactionsNeedExactlyOnce) {
    environment["PG_CAPTURE_CONSISTENCY"] = "transaction";
    EXPECT_EQ(run({"config", "validate"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("set delivery to exactly_once"));
    EXPECT_EQ(run({"config", "validate", "--delivery=exactly_once"}), ExitCode::done);
}

TEST_F(CommandTest, ErrorsAreJsonForPrograms) {
    EXPECT_EQ(run({"config", "validate", "--output", "json", "--sink=nowhere"}),
              ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("{\"errors\":["));
}

TEST_F(CommandTest, ShowsWhereEachValueComesFromAndNoSecret) {
    EXPECT_EQ(run({"config", "show", "--sink=discard"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("sink = discard"));
    EXPECT_THAT(console.out_text, HasSubstr("flag --sink"));
    EXPECT_THAT(console.out_text, HasSubstr("environment PG_DATABASE"));
    EXPECT_THAT(console.out_text, Not(HasSubstr("hush")));
}

TEST_F(CommandTest, APasswordOnTheCommandLineIsRefusedAndNotRepeated) {
    EXPECT_EQ(run({"config", "validate", "--postgres.password=hush-hush"}),
              ExitCode::configuration);
    EXPECT_THAT(console.err_text, Not(HasSubstr("hush")));
}

TEST_F(CommandTest, VerboseAndJsonLogsAreShortForOptions) {
    EXPECT_EQ(run({"config", "show", "-v", "-j"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("logging.level = debug"));
    EXPECT_THAT(console.out_text, HasSubstr("logging.format = json"));
}

TEST_F(CommandTest, TheLogVariableIsCheckedWithTheRest) {
    environment["PG_CAPTURE_LOG"] = "info,postgres=loud";
    EXPECT_EQ(run({"config", "validate", "--nonsense"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("PG_CAPTURE_LOG"));
    EXPECT_THAT(console.err_text, HasSubstr("--nonsense"));
}

TEST_F(CommandTest, InitWritesAFileThatValidatesOnceTheSecretIsThere) {
    EXPECT_EQ(run({"init"}), ExitCode::done);
    EXPECT_THAT(file("pg-capture.yaml"), HasSubstr("postgres:"));
    EXPECT_EQ(run({"config", "validate", "-c", "pg-capture.yaml"}), ExitCode::done)
        << console.err_text;
}

TEST_F(CommandTest, InitLeavesAFileThatIsThereAlone) {
    given("mine.toml", "x");
    EXPECT_EQ(run({"init", "mine.toml"}), ExitCode::configuration);
    EXPECT_EQ(file("mine.toml"), "x");
}

TEST_F(CommandTest, InitRefusesAnUnknownKindOfFile) {
    EXPECT_EQ(run({"init", "mine.ini"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr(".yaml"));
}

TEST_F(CommandTest, InitTakesWhatBelongsTogether) {
    using Words = std::vector<std::string>;
    for (const auto& words :
         {Words{"init", "--remove"}, Words{"init", "--ddl", "--registry"},
          Words{"init", "--loader", "etl"}, Words{"init", "--ddl", "--loader", "etl"},
          Words{"init", "--ddl", "mine.yaml"}, Words{"init", "--registry", "mine.yaml"}}) {
        EXPECT_EQ(run(words), ExitCode::configuration) << words.back();
    }
    EXPECT_EQ(run({"init", "--sql", "--registry"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("sink to file"));
}

TEST_F(CommandTest, InitPrintsTheEventTriggerWithoutAConfiguration) {
    environment.clear();
    EXPECT_EQ(run({"init", "--sql", "--ddl"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("CREATE EVENT TRIGGER"));
    console.out_text.clear();
    EXPECT_EQ(run({"init", "--sql", "--ddl", "--remove"}), ExitCode::done);
    EXPECT_THAT(console.out_text, HasSubstr("DROP EVENT TRIGGER"));
    EXPECT_THAT(console.out_text, Not(HasSubstr("CREATE")));
}

TEST_F(CommandTest, EveryKindOfExampleIsPrinted) {
    for (const char* kind : {"yaml", "toml", "env"}) {
        console.out_text.clear();
        EXPECT_EQ(run({"config", "example", "--format", kind}), ExitCode::done);
        EXPECT_THAT(console.out_text, HasSubstr("PG_PASSWORD")) << kind;
    }
}

TEST_F(CommandTest, UntilMustBeAPlaceInTheLog) {
    EXPECT_EQ(run({"run", "--until", "yesterday"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("--until"));
}

TEST_F(CommandTest, LimitMustBeACount) {
    EXPECT_EQ(run({"peek", "-n", "some"}), ExitCode::configuration);
    EXPECT_EQ(run({"peek", "-n", "0"}), ExitCode::configuration);
}

TEST_F(CommandTest, ArgumentsThatNobodyWantsAreRefused) {
    EXPECT_EQ(run({"config", "validate", "extra"}), ExitCode::configuration);
    EXPECT_THAT(console.err_text, HasSubstr("extra"));
}

TEST_F(CommandTest, DroppingASlotTakesItsName) {
    EXPECT_EQ(run({"slots", "drop"}), ExitCode::configuration);
}

TEST(DeclarationsTest, TheTablesHoldNoMistakes) {
    EXPECT_THAT(declarations().faults(), IsEmpty());
}

TEST(ExitCodeTest, EveryKindOfErrorHasOneAndNoneIsSuccess) {
    for (int i = 0; i <= static_cast<int>(Error::Category::internal); ++i) {
        EXPECT_NE(exit_code(static_cast<Error::Category>(i)), ExitCode::done);
    }
    EXPECT_EQ(exit_code(Error::Category::position), ExitCode::position);
    EXPECT_EQ(exit_code(Error::Category::configuration), ExitCode::configuration);
}

}  // namespace
}  // namespace pgc
