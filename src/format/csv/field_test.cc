#include "format/csv/field.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <random>
#include <string>
#include <string_view>

#include "base/arena.h"
#include "support/csv_lines.h"

namespace pgc {
namespace {

class CsvFieldTest : public testing::Test {
protected:
    std::string field(std::string_view text) {
        CsvContext context{options_};
        context.invalid_utf8 = invalid_utf8_;
        Arena arena;
        Writer out;
        out.begin(arena);
        if (!append_field(context, out, text)) return "refused";
        met_invalid_utf8_ = context.met_invalid_utf8;
        return std::string{out.finish()};
    }
    std::string number(std::string_view digits) {
        const CsvContext context{options_};
        Arena arena;
        Writer out;
        out.begin(arena);
        EXPECT_TRUE(append_bare(context, out, digits.size(), [&](char* to) {
            return std::copy(digits.begin(), digits.end(), to);
        }));
        return std::string{out.finish()};
    }

    CsvOptions options_;
    InvalidUtf8 invalid_utf8_ = InvalidUtf8::fail;
    bool met_invalid_utf8_ = false;
};

TEST_F(CsvFieldTest, WhatNeedsNoQuotesHasNone) {
    for (const char* plain : {"a", "ab", "abc", "a;b", " a ", "it's", "é", "a\tb", "NULL", "\\"}) {
        EXPECT_EQ(field(plain), plain);
    }
}

TEST_F(CsvFieldTest, DelimitersQuotesAndLineEndsAreQuoted) {
    EXPECT_EQ(field("a,b"), R"("a,b")");
    EXPECT_EQ(field("\""), R"("""")");
    EXPECT_EQ(field(R"(say "hi")"), R"("say ""hi""")");
    EXPECT_EQ(field("a\nb"), "\"a\nb\"");
    EXPECT_EQ(field("a\r"), "\"a\r\"");
}

TEST_F(CsvFieldTest, TheDelimiterIsTheConfiguredOne) {
    options_.delimiter = '\t';
    EXPECT_EQ(field("a,b"), "a,b");
    EXPECT_EQ(field("a\tb"), "\"a\tb\"");
}

TEST_F(CsvFieldTest, NoTextIsTakenForNull) {
    EXPECT_EQ(field(""), R"("")");
    options_.null_text = "\\N";
    EXPECT_EQ(field(""), R"("")");
    EXPECT_EQ(field("\\N"), R"("\N")");
    options_.null_text = "7";
    EXPECT_EQ(number("7"), R"("7")");
    EXPECT_EQ(number("77"), "77");
}

TEST_F(CsvFieldTest, TheEndOfPostgresDataIsQuoted) {
    EXPECT_EQ(field("\\."), R"("\.")");
}

TEST_F(CsvFieldTest, AllCanBeQuoted) {
    options_.quote = CsvQuote::all;
    EXPECT_EQ(field("a"), R"("a")");
    EXPECT_EQ(number("12"), R"("12")");
}

TEST_F(CsvFieldTest, TextThatIsNotUtf8FollowsTheRule) {
    EXPECT_EQ(field("caf\xE9"), "refused");
    invalid_utf8_ = InvalidUtf8::base64;
    EXPECT_EQ(field("caf\xE9"), "Y2Fm6Q==");
    EXPECT_TRUE(met_invalid_utf8_);
    invalid_utf8_ = InvalidUtf8::replace;
    EXPECT_EQ(field("caf\xE9, \"x\""), "\"caf\uFFFD, \"\"x\"\"\"");
    EXPECT_TRUE(met_invalid_utf8_);
}

// The vector steps and the words at the ends, at every length and place.
TEST_F(CsvFieldTest, EveryByteIsSeenWhereverItIs) {
    for (std::size_t size = 1; size <= 70; ++size) {
        for (std::size_t at = 0; at < size; ++at) {
            for (const char special : {',', '"', '\n', '\r'}) {
                std::string text(size, 'x');
                text[at] = special;
                const auto lines = test::csv_lines(field(text));
                ASSERT_TRUE(lines) << size << " " << at;
                ASSERT_EQ(*lines, std::vector<test::CsvLine>{{text}});
            }
            std::string text(size, 'x');
            text[at] = '\xFF';
            ASSERT_EQ(field(text), "refused");
        }
    }
}

TEST_F(CsvFieldTest, AnyTextIsReadBackAsItWas) {
    constexpr std::string_view alphabet = ",;\"\n\r\t\\.N ax";
    for (std::uint32_t seed = 1; seed <= 3000; ++seed) {
        std::mt19937 random{seed};
        options_.delimiter = ",;\t|"[random() % 4];
        options_.null_text = seed % 3 == 0 ? "\\N" : "";
        options_.quote = seed % 5 == 0 ? CsvQuote::all : CsvQuote::minimal;
        std::string text;
        for (std::size_t n = random() % 40; n > 0; --n)
            text += alphabet[random() % alphabet.size()];
        const auto lines = test::csv_lines(field(text), {options_.delimiter, options_.null_text});
        ASSERT_TRUE(lines) << "seed " << seed;
        ASSERT_EQ(*lines, std::vector<test::CsvLine>{{text}}) << "seed " << seed;
    }
}

}  // namespace
}  // namespace pgc
