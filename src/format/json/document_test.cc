#include "format/json/document.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace pgc {
namespace {

using Fault = DocumentWriter::Fault;

struct Outcome {
    Fault fault;
    std::string text;
};

Outcome embed(std::string_view document) {
    Arena arena;
    Writer out;
    out.begin(arena);
    const std::vector<char> exact(document.begin(), document.end());
    DocumentWriter documents;
    const Fault fault = documents.append(out, {exact.data(), exact.size()});
    return {fault, std::string{out.finish()}};
}

TEST(JsonDocumentTest, CopiesScalars) {
    for (const std::string_view text : {"null", "true", "false", "0", "-1.5e10", "\"\"",
                                        R"("a\"\\\/\b\f\n\r\té😀 b")", "  1  "}) {
        EXPECT_EQ(embed(text).fault, Fault::none) << text;
        EXPECT_EQ(embed(text).text, text);
    }
}

TEST(JsonDocumentTest, CopiesContainers) {
    for (const std::string_view text :
         {"{}", "[]", "[ ]", "{ }", R"({"a":1,"b":[1,2,{"c":null}],"d":{}})", "[[],[[]],{}]",
          R"({"a" : 1 , "a" : 2})"}) {
        EXPECT_EQ(embed(text).fault, Fault::none) << text;
        EXPECT_EQ(embed(text).text, text);
    }
}

TEST(JsonDocumentTest, ALineEndBetweenTokensBecomesASpace) {
    EXPECT_EQ(embed("{\n\t\"a\":\r\n[1,\n2]\n}").text, "{  \"a\":  [1, 2] }");
}

TEST(JsonDocumentTest, RefusesBrokenGrammar) {
    for (const std::string_view text : {"",
                                        " ",
                                        "{",
                                        "[",
                                        "}",
                                        "]",
                                        "[1",
                                        "[1,",
                                        "[1,]",
                                        "[,1]",
                                        "{\"a\"}",
                                        "{\"a\":}",
                                        "{\"a\":1,}",
                                        "{a:1}",
                                        "{1:1}",
                                        "[1}",
                                        "{\"a\":1]",
                                        "1 2",
                                        "nul",
                                        "truex",
                                        "01",
                                        "+1",
                                        "NaN",
                                        "\"",
                                        "\"a",
                                        "'a'",
                                        "[1] x",
                                        "{\"a\":1}}",
                                        "\"\\x\"",
                                        "\"\\u12\"",
                                        "\"\\u12g4\"",
                                        "\"\\",
                                        "\"\n\"",
                                        "\"\t\"",
                                        "\x01",
                                        "//",
                                        "[\"a\" \"b\"]",
                                        "{\"a\" 1}",
                                        "{\"a\":1 \"b\":2}"}) {
        EXPECT_EQ(embed(text).fault, Fault::not_json) << text;
        EXPECT_EQ(embed(text).text, "") << text;
    }
}

TEST(JsonDocumentTest, RefusesEveryProperPrefix) {
    const std::string_view whole = R"({"a\u00e9":[1.5e+3,{"b":"\ud83d\ude00"}],"c":null})";
    ASSERT_EQ(embed(whole).fault, Fault::none);
    for (std::size_t n = 0; n < whole.size(); ++n) {
        EXPECT_EQ(embed(whole.substr(0, n)).fault, Fault::not_json) << "prefix of " << n;
    }
}

TEST(JsonDocumentTest, AcceptsEscapedSurrogatePairs) {
    EXPECT_EQ(embed(R"("\ud83d\uDE00\u0000\uFFFF")").fault, Fault::none);
}

TEST(JsonDocumentTest, RefusesLoneSurrogates) {
    for (const std::string_view text : {R"("\ud800")", R"("\udc00")", R"("\ud800\ud800")",
                                        R"("\ud800x")", R"("\ud800\n")", R"("\ud800\u0041")"}) {
        EXPECT_EQ(embed(text).fault, Fault::not_json) << text;
    }
}

TEST(JsonDocumentTest, TellsBrokenBytesFromBrokenGrammar) {
    EXPECT_EQ(embed("\"\xFF\"").fault, Fault::not_utf8);
    EXPECT_EQ(embed("[1,\xFF").fault, Fault::not_utf8);
    EXPECT_EQ(embed("{\"\xC3\":1}").fault, Fault::not_utf8);
    EXPECT_EQ(embed("é").fault, Fault::not_json);
}

TEST(JsonDocumentTest, DeepNestingCostsNoStack) {
    constexpr std::size_t depth = 1'000'000;
    EXPECT_EQ(embed(std::string(depth, '[') + std::string(depth, ']')).fault, Fault::none);
    EXPECT_EQ(embed(std::string(depth, '[')).fault, Fault::not_json);
}

TEST(JsonDocumentTest, IsReadyForTheNextAfterABrokenOne) {
    Arena arena;
    Writer out;
    out.begin(arena);
    DocumentWriter documents;
    EXPECT_EQ(documents.append(out, "[[{"), Fault::not_json);
    EXPECT_EQ(documents.append(out, "1"), Fault::none);
    EXPECT_EQ(out.finish(), "1");
}

}  // namespace
}  // namespace pgc
