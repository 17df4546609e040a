#include "sink/console/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"

namespace pgc {
namespace {

ConsoleSinkOptions given(std::vector<std::string> arguments) {
    const Declarations declarations{kConsoleSinkOptions};
    SimulatedFiles files;
    const auto settings = load(declarations,
                               {.file = {},
                                .environment = Environment{},
                                .command_line = parse_command_line(arguments, {}, declarations)},
                               files);
    EXPECT_TRUE(settings);
    return settings ? console_sink_options(*settings) : ConsoleSinkOptions{};
}

TEST(ConsoleSinkOptionsTest, TheTableIsSound) {
    EXPECT_EQ(Declarations{kConsoleSinkOptions}.faults(), std::vector<std::string>{});
}

TEST(ConsoleSinkOptionsTest, LinesArePlainUnlessToldOtherwise) {
    EXPECT_FALSE(given({}).with_key);
    EXPECT_FALSE(given({}).pretty);
    EXPECT_TRUE(given({"--console.with_key"}).with_key);
    EXPECT_TRUE(given({"--console.pretty"}).pretty);
}

}  // namespace
}  // namespace pgc
