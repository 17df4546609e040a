#include "sink/console/lines.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgc {
namespace {

std::string line(const Record& record, const ConsoleSinkOptions& options = {}) {
    std::string text;
    append_line(text, record, options);
    return text;
}

std::string pretty(std::string_view json) {
    std::string text;
    append_pretty(text, json);
    return text;
}

const Record kRecord{.has_key = true, .key = R"({"id":1})", .value = R"({"a":[1,2],"b":{}})"};

TEST(ConsoleLinesTest, AMessageIsALine) {
    EXPECT_EQ(line(kRecord), "{\"a\":[1,2],\"b\":{}}\n");
}

TEST(ConsoleLinesTest, TheKeyStandsBeforeATab) {
    EXPECT_EQ(line(kRecord, {.with_key = true}), "{\"id\":1}\t{\"a\":[1,2],\"b\":{}}\n");
}

TEST(ConsoleLinesTest, WithoutAKeyTheTabStaysSoThatFieldsCanBeCut) {
    EXPECT_EQ(line({.value = "{}"}, {.with_key = true}), "\t{}\n");
}

TEST(ConsoleLinesTest, ATombstoneIsNull) {
    EXPECT_EQ(line({.has_key = true, .has_value = false, .key = "{}"}), "null\n");
}

TEST(ConsoleLinesTest, PrettyMessagesAreIndented) {
    EXPECT_EQ(line(kRecord, {.pretty = true}),
              "{\n  \"a\": [\n    1,\n    2\n  ],\n  \"b\": {}\n}\n");
}

TEST(ConsoleLinesTest, StringsAreLeftAloneHoweverTheyLook) {
    EXPECT_EQ(pretty(R"({"a{,:\"]":"x\\","b":"[ ]"})"),
              "{\n  \"a{,:\\\"]\": \"x\\\\\",\n  \"b\": \"[ ]\"\n}");
}

TEST(ConsoleLinesTest, EmptyContainersStayTogether) {
    EXPECT_EQ(pretty("[{}, [ ],[]]"), "[\n  {},\n  [],\n  []\n]");
}

TEST(ConsoleLinesTest, SpacesOfEmbeddedDocumentsAreNotKept) {
    EXPECT_EQ(pretty("{  \"a\" :  1 }"), "{\n  \"a\": 1\n}");
}

TEST(ConsoleLinesTest, ScalarsAreThemselves) {
    EXPECT_EQ(pretty("null"), "null");
    EXPECT_EQ(pretty("\"a\""), "\"a\"");
}

}  // namespace
}  // namespace pgc
