#include "format/json/string.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "base/arena.h"

namespace pgc {
namespace {

// An exact heap copy: the sanitizer sees a read of even one byte too many.
std::vector<char> exact(std::string_view text) {
    return {text.begin(), text.end()};
}

struct Escaped {
    bool valid;
    std::string text;
};

Escaped escaped(std::string_view text) {
    Arena arena;
    Writer out;
    out.begin(arena);
    const auto copy = exact(text);
    const bool valid = append_escaped(out, {copy.data(), copy.size()});
    return {valid, std::string{out.finish()}};
}

std::string replaced(std::string_view text) {
    Arena arena;
    Writer out;
    out.begin(arena);
    const auto copy = exact(text);
    append_escaped_replacing(out, {copy.data(), copy.size()});
    return std::string{out.finish()};
}

std::string base64(std::string_view bytes) {
    Arena arena;
    Writer out;
    out.begin(arena);
    append_base64(out, bytes);
    return std::string{out.finish()};
}

TEST(JsonStringTest, LeavesPlainTextAsItIsAtEveryLength) {
    const std::string text(70, 'x');
    for (std::size_t n = 0; n <= text.size(); ++n) {
        EXPECT_EQ(escaped(text.substr(0, n)).text, text.substr(0, n));
    }
}

TEST(JsonStringTest, EscapesASpecialCharacterAtEveryPlaceOfEveryLength) {
    for (std::size_t n = 1; n <= 40; ++n) {
        for (std::size_t at = 0; at < n; ++at) {
            std::string text(n, 'x');
            text[at] = '"';
            const std::string expected = text.substr(0, at) + "\\\"" + text.substr(at + 1);
            ASSERT_EQ(escaped(text).text, expected) << n << " at " << at;
        }
    }
}

TEST(JsonStringTest, EscapesQuotesAndBackslashes) {
    EXPECT_EQ(escaped(R"(a"b\c)").text, R"(a\"b\\c)");
}

TEST(JsonStringTest, UsesTheShortEscapesWhereJsonHasThem) {
    EXPECT_EQ(escaped("\n\r\t\b\f").text, R"(\n\r\t\b\f)");
}

TEST(JsonStringTest, EscapesEveryOtherControlCharacterByNumber) {
    EXPECT_EQ(escaped(std::string_view{"\0\x01\x1f", 3}).text, R"(\u0000\u0001\u001f)");
}

TEST(JsonStringTest, LeavesDeleteAndLineSeparatorsAlone) {
    EXPECT_EQ(escaped("\x7f\u2028\u2029").text, "\x7f\u2028\u2029");
}

TEST(JsonStringTest, KeepsSequencesOfAllLengths) {
    const std::string text = "é€😀 \U0010FFFF\u0080\u0800\U00010000";
    EXPECT_TRUE(escaped(text).valid);
    EXPECT_EQ(escaped(text).text, text);
}

TEST(JsonStringTest, KeepsSequencesThatStraddleVectorSteps) {
    for (std::size_t before = 0; before <= 33; ++before) {
        const std::string text = std::string(before, 'x') + "😀é" + std::string(20, 'y');
        EXPECT_EQ(escaped(text).text, text);
    }
}

TEST(JsonStringTest, RefusesWhatIsNotUtf8AndLeavesNothingBehind) {
    for (const std::string_view broken : {"\x80",
                                          "\xBF",
                                          "\xC0\x80",
                                          "\xC1\xBF",
                                          "\xC3",
                                          "\xE2\x82",
                                          "\xE0\x80\x80",
                                          "\xE0\x9F\xBF",
                                          "\xED\xA0\x80",
                                          "\xED\xBF\xBF",
                                          "\xF0\x80\x80\x80",
                                          "\xF0\x8F\xBF\xBF",
                                          "\xF4\x90\x80\x80",
                                          "\xF5\x80\x80\x80",
                                          "\xFF",
                                          "\xFE",
                                          "\xF0\x9F\x98",
                                          "\xC3(",
                                          "\xE2(\xA1",
                                          "\xF0(\x8C\xBC"}) {
        const std::string text = "a long enough beginning, " + std::string{broken} + " and an end";
        const Escaped result = escaped(text);
        EXPECT_FALSE(result.valid);
        EXPECT_EQ(result.text, "");
        EXPECT_FALSE(escaped(broken).valid);
        EXPECT_FALSE(is_utf8(broken));
    }
}

TEST(JsonStringTest, AgreesWithItselfOnEveryTwoAndThreeByteString) {
    std::string text(3, ' ');
    for (int a = 0x80; a < 0x100; ++a) {
        for (int b = 0; b < 0x100; ++b) {
            for (const int c : {0x00, 0x41, 0x7F, 0x80, 0x9F, 0xA0, 0xBF, 0xC2, 0xFF}) {
                text = {static_cast<char>(a), static_cast<char>(b), static_cast<char>(c)};
                ASSERT_EQ(escaped(text).valid, is_utf8(text)) << a << ' ' << b << ' ' << c;
                ASSERT_TRUE(is_utf8(replaced(text))) << a << ' ' << b << ' ' << c;
            }
        }
    }
}

TEST(JsonStringTest, EscapesLongTextsInPieces) {
    std::string text;
    std::string expected;
    for (int i = 0; i < 5000; ++i) {
        text += "\x01é\"";
        expected += R"(\u0001é\")";
    }
    EXPECT_EQ(escaped(text).text, expected);
    text += '\xFF';
    EXPECT_FALSE(escaped(text).valid);
}

TEST(JsonStringTest, ASequenceMayStraddleTwoPieces) {
    for (std::size_t before = 4090; before <= 4100; ++before) {
        const std::string text = std::string(before, 'x') + "😀" + std::string(5000, 'y');
        ASSERT_EQ(escaped(text).text, text) << before;
    }
}

TEST(JsonStringTest, ReplacesEachMaximalBrokenPartOnce) {
    // Unicode 15, table 3-8 and its neighbours.
    EXPECT_EQ(replaced("\xC0\xAF\xE0\x80\xBF\xF0\x81\x82\x41"),
              "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41");
    EXPECT_EQ(replaced("\xED\xA0\x80\xED\xBF\xBF\xED\xAF\x41"),
              "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41");
    EXPECT_EQ(replaced("\xF4\x91\x92\x93\xFF\x41\x80\xBF\x42"),
              "\uFFFD\uFFFD\uFFFD\uFFFD\uFFFD\x41\uFFFD\uFFFD\x42");
    EXPECT_EQ(replaced("\xE1\x80\xE2\xF0\x91\x92\xF1\xBF\x41"), "\uFFFD\uFFFD\uFFFD\uFFFD\x41");
}

TEST(JsonStringTest, ReplacingKeepsWhatIsGood) {
    EXPECT_EQ(replaced("caf\xE9 \"é\"\n"), "caf\uFFFD \\\"é\\\"\\n");
    EXPECT_EQ(replaced("plain"), "plain");
    EXPECT_EQ(replaced("end\xE2\x82"), "end\uFFFD");
}

TEST(JsonStringTest, Base64IsThatOfTheRfc) {
    EXPECT_EQ(base64(""), "");
    EXPECT_EQ(base64("f"), "Zg==");
    EXPECT_EQ(base64("fo"), "Zm8=");
    EXPECT_EQ(base64("foo"), "Zm9v");
    EXPECT_EQ(base64("foob"), "Zm9vYg==");
    EXPECT_EQ(base64("fooba"), "Zm9vYmE=");
    EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
    EXPECT_EQ(base64("\xFF\xFE\xFD"), "//79");
}

TEST(JsonStringTest, FindsTheFirstSpecialByteWhereverItStands) {
    for (const char special : {'"', '\\', '\x1f', '\0', '\x80', '\xff'}) {
        for (std::size_t at = 0; at < 20; ++at) {
            std::string text(24, '\x7f');
            text[at] = special;
            const auto copy = exact(text);
            ASSERT_EQ(find_special(copy.data(), copy.data() + copy.size()) - copy.data(),
                      static_cast<std::ptrdiff_t>(at));
        }
    }
}

TEST(JsonStringTest, FindsNothingSpecialInPlainText) {
    const auto text = exact("abcdefghijklmnopqrstuvwxyz !#[]~");
    EXPECT_EQ(find_special(text.data(), text.data() + text.size()), text.data() + text.size());
}

}  // namespace
}  // namespace pgc
