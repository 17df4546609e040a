#include "observe/json_reader.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "observe/json_text.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Optional;
using namespace std::string_literals;

Json good(std::string_view text) {
    auto read = read_json(text);
    EXPECT_TRUE(read) << text << ": " << (read ? "" : read.error());
    return read.value_or(Json{});
}

std::optional<std::string> text_of(std::string_view json) {
    return good(json).elements().at(0).text();
}

TEST(JsonReaderTest, GivesMembersAndElements) {
    const auto json =
        good(R"( {"a":"x","b":{"c":12,"d":{"e":true}},"f":null,"g":[1,{"h":-0.5e2}],"i":{}} )");
    EXPECT_TRUE(json.is_object());
    EXPECT_THAT(json.names(), ElementsAre("a", "b", "f", "g", "i"));
    EXPECT_THAT(json.member("a").text(), Optional("x"s));
    EXPECT_THAT(json.member("b").member("c").count(), Optional(12U));
    EXPECT_THAT(json.member("b").member("d").member("e").boolean(), Optional(true));
    EXPECT_TRUE(json.member("f").exists());
    const auto list = json.member("g").elements();
    ASSERT_EQ(list.size(), 2U);
    EXPECT_THAT(list[0].count(), Optional(1U));
    EXPECT_THAT(list[1].member("h").number(), Optional(-50.0));
    EXPECT_TRUE(json.member("g").is_list());
    EXPECT_THAT(json.member("i").names(), IsEmpty());
}

TEST(JsonReaderTest, AnotherKindOrNoMemberIsNothing) {
    const auto json = good(R"({"a":"1","b":1.5,"c":-1,"d":null,"e.f":1})");
    EXPECT_FALSE(json.member("a").number());
    EXPECT_FALSE(json.member("b").count());
    EXPECT_FALSE(json.member("c").count());
    EXPECT_FALSE(json.member("d").text());
    EXPECT_FALSE(json.member("d").boolean());
    EXPECT_FALSE(json.member("e").exists());
    EXPECT_FALSE(json.member("e").member("f").exists());
    EXPECT_FALSE(json.member("a").member("x").exists());
    EXPECT_THAT(json.elements(), IsEmpty());
    EXPECT_THAT(good("[1]").names(), IsEmpty());
    EXPECT_FALSE(Json{}.is_object() || Json{}.is_list() || Json{}.text() || Json{}.number());
}

TEST(JsonReaderTest, APartOutlivesTheRest) {
    Json part;
    {
        part = good(R"({"a":{"b":"still here"}})").member("a").member("b");
    }
    EXPECT_THAT(part.text(), Optional("still here"s));
}

TEST(JsonReaderTest, KeepsLargeNumbersWhole) {
    EXPECT_THAT(good("[18446744073709551615]").elements()[0].count(), Optional(UINT64_MAX));
    EXPECT_FALSE(good("[18446744073709551616]").elements()[0].count());
    EXPECT_FALSE(good("[-0]").elements()[0].count());
    EXPECT_THAT(good("[18446744073709551616]").elements()[0].number(), Optional(0x1p64));
}

TEST(JsonReaderTest, UndoesEveryEscape) {
    EXPECT_THAT(text_of(R"(["\"\\\/\b\f\n\r\t\u0041\u00e9\u20AC\ud83d\ude00"])"),
                Optional("\"\\/\b\f\n\r\tA\u00e9\u20ac\U0001F600"s));
}

TEST(JsonReaderTest, ReadsWhateverTextWeWrite) {
    std::string every;
    for (int c = 0; c < 128; ++c) every += static_cast<char>(c);
    every += "\u00e9\U0001F600";
    std::string json;
    append_json_string(json, every);
    EXPECT_THAT(text_of("[" + json + "]"), Optional(every));
}

TEST(JsonReaderTest, RefusesWhatIsNotJson) {
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
                                        "1e999",
                                        "+1",
                                        "0x1",
                                        "NaN",
                                        "/**/1",
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

TEST(JsonReaderTest, SaysWhereItIsWrongAndShowsNothingOfIt) {
    EXPECT_EQ(read_json(R"({"a":secret})").error(), "it is not valid JSON at byte 6");
    EXPECT_EQ(read_json(R"({"a":1)").error(), "it is cut short");
    EXPECT_EQ(read_json("").error(), "it is cut short");
}

TEST(JsonReaderTest, AZeroByteIsNotTheEnd) {
    EXPECT_EQ(read_json("{}\0{}"s).error(), "it holds a zero byte");
    EXPECT_FALSE(read_json("\"a\0\""s));
}

TEST(JsonReaderTest, TwoMembersOfOneNameAreRefused) {
    EXPECT_EQ(read_json(R"({"a":1,"b":{"a":1},"a":2})").error(), "two members have one name");
    EXPECT_TRUE(read_json(R"({"a":1,"b":{"a":1}})"));
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
    EXPECT_EQ(read_json(many + "]").error(), "it has too many values");
    EXPECT_TRUE(read_json(std::string(16, '[') + "1" + std::string(16, ']')));
    EXPECT_FALSE(read_json(std::string(17, '[') + "1" + std::string(17, ']')));
    EXPECT_TRUE(read_json("[1,2]", {.values = 3}));
    EXPECT_FALSE(read_json("[1,2]", {.values = 2}));
}

}  // namespace
}  // namespace pgc
