#include "observe/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/json_text.h"

namespace pgc {
namespace {

using ::testing::Optional;
using namespace std::string_literals;

JsonFields good(std::string_view text) {
    auto fields = read_json(text);
    EXPECT_TRUE(fields) << text << ": " << (fields ? "" : fields.error());
    return fields.value_or(JsonFields{});
}

TEST(JsonReaderTest, GivesMembersByTheirPath) {
    const auto fields =
        good(R"( {"a":"x","b":{"c":12,"d":{"e":true}},"f":null,"g":[1,{"h":-0.5e2}],"i":{}} )");
    EXPECT_THAT(fields.text("a"), Optional("x"s));
    EXPECT_THAT(fields.number<int>("b.c"), Optional(12));
    EXPECT_THAT(fields.boolean("b.d.e"), Optional(true));
    EXPECT_TRUE(fields.has("f"));
    EXPECT_THAT(fields.number<std::uint64_t>("g.0"), Optional(1U));
    EXPECT_THAT(fields.number<double>("g.1.h"), Optional(-50.0));
    EXPECT_TRUE(fields.has("i"));
    EXPECT_EQ(fields.size(), 7U);
}

TEST(JsonReaderTest, AnotherKindOrNoMemberIsNothing) {
    const auto fields = good(R"({"a":"1","b":1.5,"c":-1,"d":null})");
    EXPECT_FALSE(fields.number<int>("a"));
    EXPECT_FALSE(fields.number<int>("b"));
    EXPECT_FALSE(fields.number<std::uint64_t>("c"));
    EXPECT_FALSE(fields.text("d"));
    EXPECT_FALSE(fields.boolean("d"));
    EXPECT_FALSE(fields.text("e"));
}

TEST(JsonReaderTest, NothingThatWasWrittenIsOverlooked) {
    const auto fields = good(R"({"a":[],"b":{"c":{}},"d":[[],1]})");
    std::string paths;
    for (const auto& [path, field] : fields.all()) paths += path + ' ';
    EXPECT_EQ(paths, "a b.c d.0 d.1 ");
}

TEST(JsonReaderTest, KeepsLargeNumbersWhole) {
    EXPECT_THAT(good("[18446744073709551615]").number<std::uint64_t>("0"), Optional(UINT64_MAX));
    EXPECT_FALSE(good("[18446744073709551616]").number<std::uint64_t>("0"));
}

TEST(JsonReaderTest, UndoesEveryEscape) {
    EXPECT_THAT(good(R"(["\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00"])").text("0"),
                Optional("\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001F600"s));
}

TEST(JsonReaderTest, ReadsWhateverTextWeWrite) {
    std::string every;
    for (int c = 0; c < 128; ++c) every += static_cast<char>(c);
    every += "\u00e9\U0001F600";
    std::string json;
    append_json_string(json, every);
    EXPECT_THAT(good("[" + json + "]").text("0"), Optional(every));
}

TEST(JsonReaderTest, RefusesWhatIsNoJson) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "}",
                                        "[",
                                        "[1",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{\"a\" 1}",
                                        "[1 2]",
                                        "nul",
                                        "True",
                                        "01",
                                        "-",
                                        "1.",
                                        ".5",
                                        "1e",
                                        "+1",
                                        "0x1",
                                        "NaN",
                                        "\"",
                                        "\"a",
                                        "\"\\\"",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12G4\"",
                                        "\"\\ud800\"",
                                        "\"\\ud800\\u0041\"",
                                        "\"\\udc00\"",
                                        "\"\n\"",
                                        "\"\xff\"",
                                        "1 1",
                                        "{} x",
                                        "[1]]"}) {
        EXPECT_FALSE(read_json(text)) << text;
    }
}

TEST(JsonReaderTest, RefusesEveryProperPrefix) {
    const std::string text = R"({"a":["x\u0041",{"b":true}],"c":null})";
    for (std::size_t n = 0; n < text.size(); ++n) {
        EXPECT_FALSE(read_json(std::string(text, 0, n))) << n;
    }
}

TEST(JsonReaderTest, IsBoundedInEveryDirection) {
    EXPECT_EQ(read_json(std::string(100'000, '[')).error(), "it is nested too deeply");
    EXPECT_EQ(read_json(std::string(2'000'000, ' ')).error(), "it is too large");
    std::string many = "[1";
    for (int i = 0; i < 5000; ++i) many += ",1";
    EXPECT_EQ(read_json(many + "]").error(), "it has too many members");
    EXPECT_EQ(read_json("{\"" + std::string(300, 'a') + "\":1}").error(), "a name is too long");
    std::string deep;
    for (int i = 0; i < 16; ++i) deep += "[";
    EXPECT_TRUE(read_json(deep + "1" + std::string(16, ']')));
}

}  // namespace
}  // namespace pgc
