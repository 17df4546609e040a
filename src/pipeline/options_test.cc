#include "pipeline/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/file.h"
#include "config/declarations.h"
#include "config/loader.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;

class PipelineOptionsTest : public testing::Test {
protected:
    const Declarations options{kPipelineOptions, kStateOptions, kReplicationOptions,
                               kMemoryOptions};
    Environment environment;
    SimulatedFiles files;

    std::expected<Settings, Errors> load() {
        return pgc::load(options, {"", environment, parse_command_line({}, {}, options)}, files);
    }
    Settings loaded() { return load().value(); }
    std::vector<std::string> errors() {
        std::vector<std::string> lines;
        if (const auto settings = load(); !settings) {
            for (const ConfigError& error : settings.error()) lines.push_back(describe(error));
        }
        return lines;
    }
};

TEST(MemoryBudgetTest, IsSetByItsNameOrTheOneItHadFirst) {
    constexpr Option first[] = {{.path = "kafka.buffer_memory",
                                 .kind = OptionKind::integer,
                                 .fallback = "33554432",
                                 .help = "its first name"}};
    const OptionTable kafka{.section = "kafka", .about = "Kafka.", .options = first};
    const Declarations options{kMemoryOptions, kafka};
    EXPECT_THAT(options.faults(), ElementsAre());
    const auto budget = [&](std::vector<std::string> arguments) {
        SimulatedFiles files;
        const auto settings =
            load(options,
                 {"", Environment{}, parse_command_line(std::move(arguments), {}, options)}, files);
        return memory_budget(settings.value());
    };
    EXPECT_EQ(budget({}), std::size_t{32} << 20);
    EXPECT_EQ(budget({"--kafka.buffer_memory=2000000"}), 2'000'000U);
    EXPECT_EQ(budget({"--memory.budget_bytes=3000000"}), 3'000'000U);
    EXPECT_EQ(budget({"--kafka.buffer_memory=2000000", "--memory.budget_bytes=3000000"}),
              3'000'000U);
}

TEST_F(PipelineOptionsTest, TablesAreWithoutFault) {
    EXPECT_THAT(options.faults(), ElementsAre());
}

TEST_F(PipelineOptionsTest, DefaultsAreThoseOfTheContract) {
    const PipelineOptions made = pipeline_options(loaded(), "the_slot");
    EXPECT_EQ(made.name, "the_slot");
    EXPECT_EQ(made.poll_interval, 100ms);
    EXPECT_EQ(made.checkpoint_interval, 10s);
    EXPECT_EQ(made.flow.batch_changes, 1000U);
    EXPECT_FALSE(made.flow.batch_changes_fixed);
    EXPECT_EQ(keepalive_interval(loaded()), 10s);
    EXPECT_EQ(position_path(loaded(), made.name), "/var/lib/pg-capture/the_slot.position");
}

TEST_F(PipelineOptionsTest, ShortVariablesWork) {
    environment = {{"REPLICATION_POLL_INTERVAL_MS", "50"},
                   {"REPLICATION_KEEPALIVE_INTERVAL_SECS", "3"},
                   {"REPLICATION_CHECKPOINT_INTERVAL_SECS", "4"},
                   {"REPLICATION_CHECKPOINT_FILE", "/x/y"},
                   {"REPLICATION_MAX_BUFFER_SIZE", "1000"}};
    const PipelineOptions made = pipeline_options(loaded(), "the_slot");
    EXPECT_EQ(made.poll_interval, 50ms);
    EXPECT_EQ(made.checkpoint_interval, 4s);
    EXPECT_TRUE(made.flow.batch_changes_fixed) << "given, though it is the default's value";
    EXPECT_EQ(keepalive_interval(loaded()), 3s);
    EXPECT_EQ(position_path(loaded(), made.name), "/x/y");
}

TEST_F(PipelineOptionsTest, ANameIsUsedForThePositionFile) {
    environment = {{"PG_CAPTURE_NAME", "shop"}, {"PG_CAPTURE_STATE_DIR", "/state/"}};
    EXPECT_EQ(pipeline_options(loaded(), "s").name, "shop");
    EXPECT_EQ(position_path(loaded(), "shop"), "/state/shop.position");
}

TEST_F(PipelineOptionsTest, ANameThatCannotBeAFileIsRefused) {
    for (const char* name : {"a/b", "..", ".hidden", "a b", "ä"}) {
        environment = {{"PG_CAPTURE_NAME", name}};
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("name"))) << name;
    }
}

TEST_F(PipelineOptionsTest, NumbersOutOfRangeAreRefused) {
    environment = {{"REPLICATION_POLL_INTERVAL_MS", "0"},
                   {"REPLICATION_CHECKPOINT_INTERVAL_SECS", "-1"},
                   {"REPLICATION_MAX_BUFFER_SIZE", "x"}};
    EXPECT_EQ(errors().size(), 3U);
}

}  // namespace
}  // namespace pgc
