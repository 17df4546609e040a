#include "server/http_answer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

using namespace std::string_literals;

std::string_view why_not(const HttpAnswerParsed& parsed) {
    const auto* none = std::get_if<HttpNoAnswer>(&parsed);
    return none == nullptr ? std::string_view{} : none->why;
}

TEST(HttpAnswerTest, ReadsABodyOfAGivenLength) {
    const auto parsed = parse_http_answer(
        "HTTP/1.1 503 Service Unavailable\r\ncontent-length:  3 \r\nX: y\r\n\r\nabcdef", false);
    ASSERT_TRUE(std::holds_alternative<HttpAnswer>(parsed));
    EXPECT_EQ(std::get<HttpAnswer>(parsed).status, 503);
    EXPECT_EQ(std::get<HttpAnswer>(parsed).body, "abc");
}

TEST(HttpAnswerTest, ABodyWithoutLengthEndsWithTheConnection) {
    const auto text = "HTTP/1.0 200\r\n\r\nabc"s;
    EXPECT_TRUE(std::holds_alternative<HttpIncomplete>(parse_http_answer(text, false)));
    EXPECT_EQ(std::get<HttpAnswer>(parse_http_answer(text, true)).body, "abc");
}

TEST(HttpAnswerTest, EveryProperPrefixIsIncompleteAndNoAnswerOnceItEnded) {
    const auto text = "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc"s;
    for (std::size_t n = 0; n < text.size(); ++n) {
        EXPECT_TRUE(
            std::holds_alternative<HttpIncomplete>(parse_http_answer(text.substr(0, n), false)))
            << n;
        EXPECT_EQ(why_not(parse_http_answer(text.substr(0, n), true)), "it is cut short") << n;
    }
}

TEST(HttpAnswerTest, RefusesWhatIsNoAnswerOfOurs) {
    for (const std::string& head :
         {"SSH-2.0-OpenSSH_9.2"s, "HTTP/2 200"s, "HTTP/1.1"s, "HTTP/1.1 20"s, "HTTP/1.1 2000 OK"s,
          "HTTP/1.1 abc OK"s, "HTTP/1.1 100 Continue"s, "HTTP/1.1 999 x"s, "HTTP/1.1 200 OK\r\nA"s,
          "HTTP/1.1 200 OK\r\nA : b"s, "HTTP/1.1 200 OK\r\n: b"s,
          "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked"s,
          "HTTP/1.1 200 OK\r\nContent-Encoding: gzip"s, "HTTP/1.1 200 OK\r\nContent-Length: x"s,
          "HTTP/1.1 200 OK\r\nContent-Length: -1"s, "HTTP/1.1 200 OK\r\nContent-Length:"s,
          "HTTP/1.1 200 OK\r\nContent-Length: 1\r\nContent-Length: 1"s,
          "HTTP/1.1 200 OK\r\nContent-Length: 99999999999999999999999"s}) {
        EXPECT_NE(why_not(parse_http_answer(head + "\r\n\r\n", false)), "") << head;
    }
}

TEST(HttpAnswerTest, RefusesNonsenseAtItsFirstByte) {
    EXPECT_NE(why_not(parse_http_answer("\x16", false)), "");
    EXPECT_NE(why_not(parse_http_answer("HTTX", false)), "");
}

TEST(HttpAnswerTest, IsBoundedInEveryDirection) {
    const HttpLimits small{
        .request_line_bytes = 64, .head_bytes = 64, .headers = 2, .body_bytes = 4};
    EXPECT_EQ(why_not(parse_http_answer("HTTP/1.1 200 " + std::string(100, 'x'), false, small)),
              "it is too large");
    EXPECT_EQ(
        why_not(parse_http_answer("HTTP/1.1 200 OK\r\na:1\r\nb:1\r\nc:1\r\n\r\n", true, small)),
        "it is too large");
    EXPECT_EQ(why_not(parse_http_answer("HTTP/1.1 200 OK\r\n\r\nabcde", false, small)),
              "it is too large");
    EXPECT_EQ(
        why_not(parse_http_answer("HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", false, small)),
        "it is too large");
}

}  // namespace
}  // namespace pgc
