#include "sink/console/sink.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "support/outputs.h"

namespace pgc {
namespace {

using test::Channel;

class ConsoleSinkTest : public testing::Test {
protected:
    void SetUp() override { test::ignore_sigpipe(); }

    RecordBatchPtr batch(std::uint64_t commit, std::initializer_list<std::string_view> values) {
        RecordBatchPtr made = pool_.get();
        for (const std::string_view value : values) {
            Record record;
            record.has_key = true;
            record.key = made->arena.copy("k");
            record.value = made->arena.copy(value);
            made->records.push_back(record);
        }
        made->end = Position::whole(Lsn{commit});
        return made;
    }

    RecordPool pool_;
    Channel pipe_ = test::make_pipe();
};

TEST_F(ConsoleSinkTest, WritesALineARecord) {
    ConsoleSink sink{pipe_.sink.fd(), {}};
    auto first = batch(1, {"{}", "[]"});
    auto second = batch(2, {"1"});
    ASSERT_EQ(sink.offer(first).value(), Sink::Offer::accepted);
    ASSERT_EQ(sink.offer(second).value(), Sink::Offer::accepted);
    EXPECT_EQ(sink.durable(kStreamLane).value(), Position::whole(Lsn{2}));
    EXPECT_EQ(pipe_.read_now(), "{}\n[]\n1\n");
    EXPECT_EQ(sink.pending_bytes(), 0U);
}

TEST_F(ConsoleSinkTest, WritesKeysWhereAskedFor) {
    ConsoleSink sink{pipe_.sink.fd(), {.with_key = true}};
    auto one = batch(1, {"{}"});
    ASSERT_TRUE(sink.offer(one));
    EXPECT_EQ(pipe_.read_now(), "k\t{}\n");
}

TEST_F(ConsoleSinkTest, ABatchThatIsHalfWrittenIsNotDurable) {
    ConsoleSink sink{pipe_.sink.fd(), {}};
    const std::string large(300'000, 'x');  // more than a pipe holds
    auto small = batch(1, {"{}"});
    auto half = batch(2, {large});
    ASSERT_TRUE(sink.offer(small));
    ASSERT_EQ(sink.offer(half).value(), Sink::Offer::accepted);
    EXPECT_EQ(sink.durable(kStreamLane).value(), Position::whole(Lsn{1}));
    EXPECT_GT(sink.pending_bytes(), 0U);

    std::string read;
    for (int i = 0; i < 100 && sink.durable(kStreamLane).value() < Position::whole(Lsn{2}); ++i) {
        read += pipe_.read_now();
    }
    read += pipe_.read_now();
    EXPECT_EQ(sink.durable(kStreamLane).value(), Position::whole(Lsn{2}));
    EXPECT_EQ(read, "{}\n" + large + "\n");
}

TEST_F(ConsoleSinkTest, WaitsForTheDescriptorOnlyWhileSomethingIsLeft) {
    ConsoleSink sink{pipe_.sink.fd(), {}};
    Wants idle;
    sink.wants(idle);
    EXPECT_TRUE(idle.interests.empty());
    auto half = batch(1, {std::string(300'000, 'x')});
    ASSERT_TRUE(sink.offer(half));
    Wants busy;
    sink.wants(busy);
    ASSERT_EQ(busy.interests.size(), 1U);
    EXPECT_TRUE(busy.interests[0].writable);
}

TEST_F(ConsoleSinkTest, ABatchWithoutRecordsWaitsForThoseBeforeIt) {
    ConsoleSink sink{pipe_.sink.fd(), {}};
    auto half = batch(1, {std::string(300'000, 'x')});
    auto empty = batch(2, {});
    ASSERT_TRUE(sink.offer(half));
    ASSERT_TRUE(sink.offer(empty));
    EXPECT_EQ(sink.durable(kStreamLane).value(), Position{});
}

TEST_F(ConsoleSinkTest, KeepsItsError) {
    ConsoleSink sink{pipe_.sink.fd(), {}};
    pipe_.reader.close();
    auto one = batch(1, {"{}"});
    (void)sink.offer(one);
    EXPECT_FALSE(sink.durable(kStreamLane));
    EXPECT_FALSE(sink.durable(kStreamLane));
}

TEST_F(ConsoleSinkTest, PrettyMessagesAreWrittenWhole) {
    ConsoleSink sink{pipe_.sink.fd(), {.pretty = true}};
    auto one = batch(1, {R"({"a":1})"});
    ASSERT_TRUE(sink.offer(one));
    EXPECT_EQ(pipe_.read_now(), "{\n  \"a\": 1\n}\n");
}

TEST_F(ConsoleSinkTest, ALargeMessageGoesThroughInManyTurns) {
    Channel file = test::make_file();
    ConsoleSink sink{file.sink.fd(), {}};
    const std::string large(5'000'000, 'y');
    auto one = batch(1, {large});
    ASSERT_TRUE(sink.offer(one));
    std::string read;
    for (int i = 0; i < 20 && sink.durable(kStreamLane).value() == Position{}; ++i) {
        read += file.read_now();
    }
    read += file.read_now();
    EXPECT_EQ(read.size(), large.size() + 1);
}

TEST_F(ConsoleSinkTest, ALineThatIsHalfWrittenIsEndedByTheNextSink) {
    ConsoleCarryOver carry_over;
    const std::string large(300'000, 'x');  // more than a pipe holds
    {
        ConsoleSink first{pipe_.sink.fd(), {}, &carry_over};
        auto half = batch(1, {large, "{}"});
        ASSERT_TRUE(first.offer(half));
    }
    ConsoleSink second{pipe_.sink.fd(), {}, &carry_over};
    auto again = batch(1, {large, "{}"});
    ASSERT_TRUE(second.offer(again));
    std::string read;
    for (int i = 0; i < 100 && second.durable(kStreamLane).value() < Position::whole(Lsn{1}); ++i) {
        read += pipe_.read_now();
    }
    read += pipe_.read_now();
    EXPECT_EQ(read, large + "\n" + large + "\n{}\n");
    EXPECT_EQ(second.durable(kStreamLane).value(), Position::whole(Lsn{1}));
}

}  // namespace
}  // namespace pgc
