#include "http/connection.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <stdexcept>
#include <string>

#include "support/manual_clock.h"

namespace pgc {
namespace {

using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::StartsWith;
using namespace std::chrono_literals;
using State = HttpConnection::State;

std::string get(std::string_view path, std::string_view more = "") {
    return "GET " + std::string{path} + " HTTP/1.1\r\nHost: a\r\n" + std::string{more} + "\r\n";
}

class HttpConnectionTest : public ::testing::Test {
protected:
    HttpConnectionTest() {
        router_.add("GET", "/hello",
                    [](const HttpRequest&) { return HttpResponse{.body = "hi\n"}; });
        router_.add("POST", "/echo", [](const HttpRequest& request) {
            return HttpResponse{.body = std::string{request.body}};
        });
        router_.add("GET", "/things/{}", [](const HttpRequest& request) {
            return HttpResponse{.body = "thing " + std::string{request.parameter}};
        });
        router_.add("POST", "/things/{}/move", [](const HttpRequest& request) {
            return HttpResponse{.body = "moved " + std::string{request.parameter}};
        });
        router_.add("GET", "/big", [](const HttpRequest&) {
            return HttpResponse{.body = std::string(100'000, 'x')};
        });
        router_.add("GET", "/fails",
                    [](const HttpRequest&) -> HttpResponse { throw std::runtime_error("unseen"); });
    }

    // What the peer gets when it takes everything.
    std::string take() {
        std::string all;
        while (!connection_.output().empty()) {
            all += connection_.output();
            connection_.sent(connection_.output().size());
        }
        return all;
    }
    std::string exchange(std::string_view bytes) {
        connection_.received(bytes);
        return take();
    }
    void pass(Duration time) {
        clock_.advance(time);
        if (clock_.now() >= connection_.deadline()) {
            connection_.timed_out();
        }
    }

    ManualClock clock_;
    Router router_;
    HttpConnection connection_{router_, clock_};
};

TEST_F(HttpConnectionTest, AnswersARequest) {
    EXPECT_EQ(exchange(get("/hello")),
              "HTTP/1.1 200 OK\r\nDate: Sat, 21 Nov 2026 02:57:05 GMT\r\n"
              "Content-Type: text/plain; charset=utf-8\r\nContent-Length: 3\r\n"
              "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n"
              "Connection: keep-alive\r\n\r\nhi\n");
    EXPECT_EQ(connection_.state(), State::open);
}

TEST_F(HttpConnectionTest, APartOfThePathMayBeAny) {
    EXPECT_THAT(exchange(get("/things/a-1.b?x=/y")), EndsWith("\r\n\r\nthing a-1.b"));
    EXPECT_THAT(exchange("POST /things/a-1/move HTTP/1.1\r\nHost: a\r\n\r\n"),
                EndsWith("\r\n\r\nmoved a-1"));
    for (const auto* path : {"/things", "/things/", "/things//move", "/things/a/b",
                             "/things/a/move/", "/things/a/b/move", "/thing/a"}) {
        EXPECT_THAT(exchange(get(path)), StartsWith("HTTP/1.1 404")) << path;
    }
    const auto answer = exchange(get("/things/a/move"));
    EXPECT_THAT(answer, StartsWith("HTTP/1.1 405"));
    EXPECT_THAT(answer, HasSubstr("\r\nAllow: POST\r\n"));
}

TEST_F(HttpConnectionTest, AnswersRequestsThatComeByteByByte) {
    std::string all;
    for (const char c : get("/hello") + get("/hello")) {
        all += exchange({&c, 1});
    }
    EXPECT_THAT(all, HasSubstr("hi\nHTTP/1.1 200 OK\r\n"));
    EXPECT_THAT(all, EndsWith("hi\n"));
}

TEST_F(HttpConnectionTest, AnswersRequestsSentAheadInOrder) {
    const auto all = exchange(get("/hello") + get("/nowhere") + get("/hello"));
    const auto missing = all.find("404 Not Found");
    EXPECT_LT(all.find("200 OK"), missing);
    EXPECT_GT(all.rfind("200 OK"), missing);
}

TEST_F(HttpConnectionTest, SendsTheHeadAloneToHead) {
    const auto answer = exchange("HEAD /hello HTTP/1.1\r\nHost: a\r\n\r\n");
    EXPECT_THAT(answer, HasSubstr("Content-Length: 3\r\n"));
    EXPECT_THAT(answer, EndsWith("\r\n\r\n"));
}

TEST_F(HttpConnectionTest, GivesHandlersTheBody) {
    EXPECT_THAT(exchange("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\na\r\nb\n" +
                         get("/hello")),
                ::testing::AllOf(HasSubstr("\r\n\r\na\r\nb\nHTTP/1.1"), EndsWith("hi\n")));
}

TEST_F(HttpConnectionTest, TellsUnknownPathsFromUnknownMethods) {
    EXPECT_THAT(exchange(get("/hello/")), StartsWith("HTTP/1.1 404 "));
    EXPECT_THAT(exchange("DELETE /hello HTTP/1.1\r\nHost: a\r\n\r\n"),
                ::testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: GET, HEAD\r\n")));
    EXPECT_THAT(exchange(get("/echo")),
                ::testing::AllOf(StartsWith("HTTP/1.1 405 "), HasSubstr("Allow: POST\r\n")));
    EXPECT_EQ(connection_.state(), State::open);
}

TEST_F(HttpConnectionTest, AHandlerThatFailsIsAnswered500) {
    EXPECT_THAT(exchange(get("/fails")), StartsWith("HTTP/1.1 500 "));
    EXPECT_THAT(exchange(get("/hello")), StartsWith("HTTP/1.1 200 "));
}

TEST_F(HttpConnectionTest, ARefusalIsTheLastAnswer) {
    EXPECT_THAT(exchange("nonsense\r\n\r\n" + get("/hello")),
                ::testing::AllOf(StartsWith("HTTP/1.1 400 "), HasSubstr("Connection: close"),
                                 EndsWith("400 Bad Request\n")));
    EXPECT_EQ(connection_.state(), State::lingering);
    EXPECT_THAT(exchange(get("/hello")), IsEmpty());
}

TEST_F(HttpConnectionTest, ClosesWhenAskedTo) {
    EXPECT_THAT(exchange(get("/hello", "Connection: close\r\n") + get("/hello")),
                EndsWith("Connection: close\r\n\r\nhi\n"));
    EXPECT_EQ(connection_.state(), State::lingering);
    EXPECT_TRUE(connection_.wants_input());
    connection_.peer_ended();
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, LingersOnlyForAWhile) {
    exchange(get("/hello", "Connection: close\r\n"));
    pass(HttpConnection::kLinger_max);
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, IsDoneWhenThePeerEndsBetweenRequests) {
    exchange(get("/hello"));
    connection_.received("GET /hel");
    connection_.peer_ended();
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, AnswersAPeerThatShutItsSendingSide) {
    connection_.received(get("/big"));
    connection_.peer_ended();
    EXPECT_FALSE(connection_.wants_input());
    EXPECT_THAT(take(), EndsWith("xxx"));
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, AnswersAllThatWasSentAheadOfAPeersEnd) {
    std::string burst;
    for (int i = 0; i < 10; ++i) {
        burst += get("/big");
    }
    connection_.received(burst);
    connection_.peer_ended();
    const auto all = take();
    EXPECT_GT(all.size(), 1'000'000U);
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, StopsReadingWhileThePeerDoesNotTakeItsAnswers) {
    std::string burst;
    for (int i = 0; i < 50; ++i) {
        burst += get("/big");
    }
    connection_.received(burst);
    EXPECT_FALSE(connection_.wants_input());
    EXPECT_LT(connection_.output().size(), HttpConnection::kOutput_max + 101'000);
    EXPECT_GT(take().size(), 50U * 100'000U);
    EXPECT_TRUE(connection_.wants_input());
}

TEST_F(HttpConnectionTest, AnIdleConnectionEnds) {
    EXPECT_TRUE(connection_.idle());
    pass(HttpConnection::kIdle_max - 1s);
    EXPECT_THAT(exchange(get("/hello")), StartsWith("HTTP/1.1 200 "));
    EXPECT_TRUE(connection_.idle());
    pass(HttpConnection::kIdle_max - 1s);
    EXPECT_EQ(connection_.state(), State::open);
    pass(1s);
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, ARequestThatDripsEnds) {
    const std::string request = get("/hello", "X-Slow: " + std::string(100, 'x') + "\r\n");
    std::string answer;
    for (const char c : request.substr(0, 50)) {
        EXPECT_THAT(exchange({&c, 1}), IsEmpty());
        pass(300ms);
        answer += take();
    }
    EXPECT_THAT(answer,
                ::testing::AllOf(StartsWith("HTTP/1.1 408 "), HasSubstr("Connection: close")));
    EXPECT_NE(connection_.state(), State::open);
}

TEST_F(HttpConnectionTest, APeerThatTakesNothingEnds) {
    connection_.received(get("/big"));
    pass(HttpConnection::kSend_max);
    EXPECT_EQ(connection_.state(), State::done);
}

TEST_F(HttpConnectionTest, TheNextRequestHasItsOwnTime) {
    const std::string request = get("/hello");
    for (int i = 0; i < 5; ++i) {
        connection_.received(request.substr(0, 10));
        pass(HttpConnection::kRequest_max - 1s);
        EXPECT_THAT(exchange(request.substr(10)), StartsWith("HTTP/1.1 200 "));
    }
}

}  // namespace
}  // namespace pgc
