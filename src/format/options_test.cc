#include "format/options.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "config/loader.h"

namespace pgc {
namespace {

FormatOptions given(std::vector<std::string> arguments) {
    const Declarations declarations{kFormatOptions};
    SimulatedFiles files;
    const auto settings = load(declarations,
                               {.file = {},
                                .environment = Environment{},
                                .command_line = parse_command_line(arguments, {}, declarations)},
                               files);
    EXPECT_TRUE(settings);
    return settings ? format_options(*settings) : FormatOptions{};
}

TEST(FormatOptionsTest, TheTableIsSound) {
    EXPECT_EQ(Declarations{kFormatOptions}.faults(), std::vector<std::string>{});
}

TEST(FormatOptionsTest, DefaultsLoseNothing) {
    const FormatOptions options = given({});
    EXPECT_EQ(options.decimal, DecimalText::string);
    EXPECT_EQ(options.bigint, BigintText::number);
    EXPECT_EQ(options.invalid_utf8, InvalidUtf8::fail);
    EXPECT_EQ(options.unsent_toast, UnsentToast::omit);
    EXPECT_EQ(options.toast_placeholder, FormatOptions{}.toast_placeholder);
}

TEST(FormatOptionsTest, EveryWordIsUnderstood) {
    EXPECT_EQ(given({"--format.decimal=number"}).decimal, DecimalText::number);
    EXPECT_EQ(given({"--format.decimal=double"}).decimal, DecimalText::nearest);
    EXPECT_EQ(given({"--format.bigint=string"}).bigint, BigintText::string);
    EXPECT_EQ(given({"--format.invalid_utf8=base64"}).invalid_utf8, InvalidUtf8::base64);
    EXPECT_EQ(given({"--format.invalid_utf8=replace"}).invalid_utf8, InvalidUtf8::replace);
    EXPECT_EQ(given({"--format.toast_placeholder=?"}).toast_placeholder, "?");
}

}  // namespace
}  // namespace pgc
