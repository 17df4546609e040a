// What core/sink.h promises, asked of every sink in every place it writes to.
//
// A new sink: a line in kPlaces.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>

#include <cerrno>
#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>

#include "sink/console/sink.h"
#include "sink/discard/sink.h"
#include "sink/file/simulated_disk.h"
#include "sink/file/sink.h"
#include "sink/file_registry/simulated_registry.h"
#include "sink/kafka/position_topic.h"
#include "sink/kafka/sink.h"
#include "support/fake_kafka.h"
#include "support/fake_position_log.h"
#include "support/forwarding.h"
#include "support/manual_clock.h"
#include "support/outputs.h"
#include "support/transactional_sink.h"

namespace pgc {
namespace {

using test::Channel;

// A sink with what it writes to, and whoever reads that.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    // Everything the sink has written since, as lines; a reader that waited goes on.
    virtual std::string read_now() = 0;
    virtual void reader_goes_away() = 0;
    // Of a sink that keeps positions: another instance's.
    virtual std::unique_ptr<Sink> another() { return nullptr; }
    // What answers after a while has time to.
    virtual void pass_time() {}

    std::unique_ptr<Sink> sink;
};

struct ChannelRig final : Rig {
    explicit ChannelRig(Channel opened) : channel(std::move(opened)) {}
    ~ChannelRig() override { sink.reset(); }
    std::string read_now() override { return channel.read_now(); }
    void reader_goes_away() override { channel.reader.close(); }

    Channel channel;
};

// A cluster writes only while somebody reads.
struct KafkaRig final : Rig {
    explicit KafkaRig(bool transactions) : with_transactions(transactions) {
        topic.committed = [this](const std::string& key) {
            return kafka.last_value(config.state_topic, key);
        };
        kafka.topics[config.state_topic] = {};
        config.pipeline = "p";
        sink = another();
        while (!*sink->open()) {
        }
        kafka.writes = false;
        // The first batch of a topic waits until that is found.
        RecordPool pool;
        auto one = pool.get();
        one->records.push_back({.value = "0"});
        for (int i = 0; i < 9; ++i) {
            if (sink->durable(kStreamLane) && kafka.topics.contains("cdc.messages")) break;
            (void)sink->offer(one);
        }
        (void)sink->durable(kStreamLane);
        (void)sink->durable(kStreamLane);
    }
    ~KafkaRig() override { sink.reset(); }
    std::string read_now() override {
        for (test::FakeKafkaProducer* producer : kafka.alive) producer->write(producer->lent());
        std::string lines;
        const auto& records = kafka.records("cdc.messages");
        for (; read < records.size(); ++read) lines += records[read].value + '\n';
        return lines;
    }
    void reader_goes_away() override { kafka.write_code = KafkaCode::out_of_order; }
    std::unique_ptr<Sink> another() override {
        const PositionTopicConfig where = config.position_topic();
        auto positions = std::make_unique<KafkaPositionTopic>(
            std::make_unique<fake::FakePositionLog>(topic, "p"), where, "p", clock, Logger{});
        KafkaSink::Deps deps{.config = config,
                             .producers = producers,
                             .carry_over = carry_over,
                             .clock = clock,
                             .metrics = metrics,
                             .logger = {}};
        if (with_transactions) {
            deps.positions = std::move(positions);
        }
        return KafkaSink::make(std::move(deps)).value();
    }

    const bool with_transactions;
    KafkaConfig config;
    test::FakeKafka kafka;
    fake::PositionRecords topic;
    test::FakeKafkaProducers producers{kafka};
    KafkaCarryOver carry_over;
    ManualClock clock;
    Metrics metrics{"test"};
    std::size_t read = 0;
};

// Its reader stands still until a seal commits, and time goes on.
struct TransactionalRig final : Rig {
    TransactionalRig() {
        log.on_record = [this](const Record& record) {
            lines += record.value;
            lines += '\n';
        };
        log.seal_takes = [] { return std::chrono::milliseconds{50}; };
        log.fails = [this](const char*) { return broken; };
        sink = another();
    }
    ~TransactionalRig() override { sink.reset(); }
    std::string read_now() override {
        clock.advance(std::chrono::milliseconds{20});
        return std::exchange(lines, {});
    }
    void reader_goes_away() override { broken = retry(Error::Category::sink, "it is gone"); }
    std::unique_ptr<Sink> another() override {
        return std::make_unique<test::TransactionalSink>(log, clock);
    }

    ManualClock clock;
    test::TransactionalLog log;
    std::string lines;
    std::optional<Error> broken;
};

// Files, written beside the pipeline's thread, and a registry that answers after a while.
struct FileRig final : Rig {
    FileRig() {
        server.delay_max = std::chrono::milliseconds{30};
        auto settings = std::make_shared<FileSinkConfig>();
        settings->root = "/files";
        settings->pipeline = "p";
        settings->compression = Compression::none;
        config = std::move(settings);
        sink = another();
    }
    ~FileRig() override { sink.reset(); }
    std::string read_now() override {
        pass_time();
        return {};
    }
    void pass_time() override { clock.advance(std::chrono::milliseconds{20}); }
    void reader_goes_away() override { disk.fail_next(DiskCall::replace, EIO, 1'000); }
    std::unique_ptr<Sink> another() override {
        // As another process would: the lock of the one before ends with it.
        disk.end_process();
        return std::make_unique<FileSink>(
            FileSink::Deps{.config = config,
                           .disk = disk,
                           .clock = clock,
                           .metrics = metrics,
                           .logger = {},
                           .registry = std::make_unique<SimulatedFileRegistry>(server, "p"),
                           .worker = std::make_unique<SimulatedWorker>(
                               clock, [] { return std::chrono::milliseconds{5}; })});
    }

    ManualClock clock;
    Metrics metrics{"test"};
    Random random{1};
    SimulatedDisk disk;
    SimulatedRegistryServer server{clock, random};
    std::shared_ptr<const FileSinkConfig> config;
};

struct Place {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();
    // Its reader can make it wait; and can go away.
    bool has_reader;
    // What it was given can be read again, as lines.
    bool keeps;
    // Its reader alone makes it full, or makes it wait with its descriptor.
    bool stalls = true;

    friend void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }
};

template <Channel (*open)(), bool pretty>
std::unique_ptr<Rig> console() {
    auto rig = std::make_unique<ChannelRig>(open());
    rig->sink = std::make_unique<ConsoleSink>(
        rig->channel.sink.fd(), ConsoleSinkOptions{.with_key = pretty, .pretty = pretty});
    return rig;
}
std::unique_ptr<Rig> discard() {
    auto rig = std::make_unique<ChannelRig>(test::make_file());
    rig->sink = std::make_unique<DiscardSink>();
    return rig;
}
std::unique_ptr<Rig> forwarded() {
    auto rig = console<test::make_pipe, false>();
    rig->sink = std::make_unique<test::ForwardingSink>(std::move(rig->sink));
    return rig;
}
template <bool transactions>
std::unique_ptr<Rig> kafka() {
    return std::make_unique<KafkaRig>(transactions);
}
std::unique_ptr<Rig> transactional() {
    return std::make_unique<TransactionalRig>();
}

std::unique_ptr<Rig> file() {
    return std::make_unique<FileRig>();
}

const Place kPlaces[] = {
    {"console_pipe", console<test::make_pipe, false>, true, true},
    {"console_socket", console<test::make_socket, false>, true, true},
    {"console_file", console<test::make_file, false>, false, true},
    {"console_pretty", console<test::make_pipe, true>, true, false},
    {"console_forwarded", forwarded, true, true},
    {"discard", discard, false, false},
    {"kafka", kafka<false>, true, true},
    {"kafka_transactional", kafka<true>, true, true, false},
    {"transactional", transactional, true, true, false},
    {"file", file, true, false, false},
};

class SinkConformanceTest : public testing::TestWithParam<Place> {
protected:
    void SetUp() override {
        test::ignore_sigpipe();
        rig_ = GetParam().make();
        for (int i = 0; i < 100 && !is_open_; ++i) {
            const auto opened = rig_->sink->open();
            ASSERT_TRUE(opened) << describe(opened.error());
            is_open_ = *opened;
            if (!is_open_) rig_->pass_time();
        }
        ASSERT_TRUE(is_open_);
    }
    bool seals() const { return rig_->sink->guarantee() == Guarantee::transactional; }
    static StoredPosition up_to(std::uint64_t lsn) { return {"p", "1", 1, "db", "slot", Lsn{lsn}}; }
    // What makes durable what was accepted, in a sink that does not do so by itself.
    void seal_all() {
        if (!seals()) return;
        const auto idle = rig_->sink->positions()->saved();
        ASSERT_TRUE(idle) << describe(idle.error());
        if (*idle) {
            ASSERT_TRUE(rig_->sink->seal(up_to(1'000'000)));
        }
    }

    // The position that a sink keeps.
    std::optional<StoredPosition> loaded(Sink& sink) {
        for (int i = 0; i < 100; ++i) {
            const auto found = sink.positions()->load();
            EXPECT_TRUE(found) << describe(found.error());
            if (!found) return std::nullopt;
            if (*found) return (*found)->position;
            rig_->pass_time();
        }
        ADD_FAILURE() << "it never says";
        return std::nullopt;
    }

    RecordBatchPtr batch(Position end, std::size_t records = 1, std::size_t size = 20,
                         Lane lane = kStreamLane) {
        RecordBatchPtr made = pool_.get();
        made->lane = lane;
        made->end = end;
        for (std::size_t i = 0; i < records; ++i) {
            const std::string value =
                '"' + std::string(size, 'x') + std::to_string(++number_) + '"';
            made->records.push_back({.has_key = true,
                                     .key = made->arena.copy("1"),
                                     .value = made->arena.copy(value),
                                     .commit_lsn = end.commit});
            expected_ += value + '\n';
        }
        return made;
    }

    Sink::Offer offer(RecordBatchPtr& batch) {
        const auto answer = rig_->sink->offer(batch);
        EXPECT_TRUE(answer) << describe(answer.error());
        return answer ? *answer : Sink::Offer::full;
    }
    Position durable(Lane lane = kStreamLane) {
        const auto position = rig_->sink->durable(lane);
        EXPECT_TRUE(position) << describe(position.error());
        return position ? *position : Position{};
    }

    // Reads and asks until `goal` is durable; what was read is in read_.
    void read_until(Position goal, Lane lane = kStreamLane) {
        for (int i = 0; i < 10'000 && durable(lane) < goal; ++i) {
            seal_all();
            read_ += rig_->read_now();
        }
        read_ += rig_->read_now();
        EXPECT_EQ(durable(lane), goal);
    }

    // Offers large batches nobody reads, until the sink is full; how many it took.
    std::uint64_t stall() {
        for (std::uint64_t taken = 0; taken < 1'000; ++taken) {
            const std::size_t before = expected_.size();
            auto next = batch(Position::whole(Lsn{taken + 1}), 1, 100'000);
            if (offer(next) == Sink::Offer::full) {
                refused_ = std::move(next);
                expected_.resize(before);
                return taken;
            }
        }
        return 1'000;
    }

    RecordPool pool_;  // outlives the batches the sink holds
    bool is_open_ = false;
    std::unique_ptr<Rig> rig_;
    std::uint64_t number_ = 0;
    std::string expected_;
    std::string read_;
    RecordBatchPtr refused_;
};

TEST_P(SinkConformanceTest, NothingIsDurableBeforeAnythingIsOffered) {
    EXPECT_EQ(durable(), Position{});
    EXPECT_EQ(rig_->sink->pending_bytes(), 0U);
}

TEST_P(SinkConformanceTest, NothingKeepsItFromGoingOn) {
    EXPECT_EQ(rig_->sink->waits_for(), "");
}

TEST_P(SinkConformanceTest, WhatIsConstantStaysTheSame) {
    const Duration gap = rig_->sink->group_gap();
    const std::size_t bytes = rig_->sink->bytes_per_record();
    EXPECT_GE(gap, Duration{0});
    auto one = batch(Position::whole(Lsn{5}), 3);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    read_until(Position::whole(Lsn{5}));
    EXPECT_EQ(rig_->sink->group_gap(), gap);
    EXPECT_EQ(rig_->sink->bytes_per_record(), bytes);
}

TEST_P(SinkConformanceTest, AnAcceptedBatchIsTakenAndBecomesDurable) {
    auto one = batch(Position::whole(Lsn{5}), 3);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    EXPECT_EQ(one, nullptr);
    rig_->sink->caught_up();
    read_until(Position::whole(Lsn{5}));
    EXPECT_EQ(rig_->sink->pending_bytes(), 0U);
}

TEST_P(SinkConformanceTest, EveryRecordIsWrittenOnceAndInOrder) {
    if (!GetParam().keeps) {
        GTEST_SKIP() << "what it was given can't be read again";
    }
    for (std::uint64_t i = 1; i <= 200; ++i) {
        auto next = batch(Position::whole(Lsn{i}), i % 7, i * 31 % 900);
        while (offer(next) == Sink::Offer::full) {
            read_ += rig_->read_now();
            (void)durable();
        }
        if (i % 10 == 0) seal_all();
        if (i % 50 == 0) {
            read_ += rig_->read_now();
        }
    }
    read_until(Position::whole(Lsn{200}));
    EXPECT_EQ(read_, expected_);
}

TEST_P(SinkConformanceTest, DurableNeverMovesBackNorPassesWhatWasAccepted) {
    Position before;
    for (std::uint64_t i = 1; i <= 100; ++i) {
        const Position end{Lsn{7}, i};
        auto next = batch(end, 3, 3'000);
        while (offer(next) == Sink::Offer::full) {
            read_ += rig_->read_now();
            (void)durable();
        }
        if (i % 10 == 0) seal_all();
        const Position now = durable();
        EXPECT_GE(now, before);
        EXPECT_LE(now, end);
        before = now;
    }
    read_until({Lsn{7}, 100});
}

TEST_P(SinkConformanceTest, ABatchWithoutRecordsBecomesDurableInItsPlace) {
    auto one = batch(Position::whole(Lsn{1}), 1);
    auto none = batch(Position::whole(Lsn{2}), 0);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    ASSERT_EQ(offer(none), Sink::Offer::accepted);
    read_until(Position::whole(Lsn{2}));
}

TEST_P(SinkConformanceTest, LanesAdvanceEachForItself) {
    auto stream = batch(Position::whole(Lsn{100}), 1);
    auto range = batch({Lsn{7}, 3}, 1, 20, Lane{2});
    ASSERT_EQ(offer(stream), Sink::Offer::accepted);
    ASSERT_EQ(offer(range), Sink::Offer::accepted);
    read_until({Lsn{7}, 3}, Lane{2});
    EXPECT_EQ(durable(), Position::whole(Lsn{100}));
    EXPECT_EQ(durable(Lane{9}), Position{});
}

TEST_P(SinkConformanceTest, AFullSinkRefusesTheBatchUntouched) {
    if (!GetParam().has_reader || !GetParam().stalls) {
        GTEST_SKIP() << "nobody can make it wait";
    }
    const std::uint64_t taken = stall();
    ASSERT_NE(refused_, nullptr);
    EXPECT_EQ(refused_->records.size(), 1U);
    EXPECT_EQ(refused_->end, Position::whole(Lsn{taken + 1}));
    EXPECT_LT(durable(), Position::whole(Lsn{taken}));
}

TEST_P(SinkConformanceTest, WhatAStalledSinkHoldsIsBounded) {
    if (!GetParam().has_reader || !GetParam().stalls) {
        GTEST_SKIP() << "nobody can make it wait";
    }
    (void)stall();
    EXPECT_LE(rig_->sink->pending_bytes(), std::size_t{64} << 20);
}

TEST_P(SinkConformanceTest, AStalledReaderThatReadsOnGetsEverything) {
    if (!GetParam().has_reader || !GetParam().stalls) {
        GTEST_SKIP() << "nobody can make it wait";
    }
    const std::uint64_t taken = stall();
    read_until(Position::whole(Lsn{taken}));
    if (GetParam().keeps) {
        EXPECT_EQ(read_, expected_);
    }
    ASSERT_EQ(offer(refused_), Sink::Offer::accepted);
    read_until(Position::whole(Lsn{taken + 1}));
}

TEST_P(SinkConformanceTest, AStalledSinkWakesWhenItsReaderReads) {
    if (!GetParam().has_reader || !GetParam().stalls) {
        GTEST_SKIP() << "nobody can make it wait";
    }
    (void)stall();
    (void)durable();
    Wants wants;
    rig_->sink->wants(wants);
    ASSERT_FALSE(wants.interests.empty());
    const short events = wants.interests[0].writable ? POLLOUT : POLLIN;
    pollfd ask{.fd = wants.interests[0].fd, .events = events, .revents = 0};
    EXPECT_EQ(::poll(&ask, 1, 0), 0);
    (void)rig_->read_now();
    EXPECT_EQ(::poll(&ask, 1, 60'000), 1);
}

TEST_P(SinkConformanceTest, AfterAnErrorItTakesNothingMore) {
    if (!GetParam().has_reader) {
        GTEST_SKIP() << "no reader that could go away";
    }
    auto one = batch(Position::whole(Lsn{1}));
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    read_until(Position::whole(Lsn{1}));
    rig_->reader_goes_away();
    auto two = batch(Position::whole(Lsn{2}));
    (void)rig_->sink->offer(two);
    if (!GetParam().keeps) seal_all();
    auto failed = rig_->sink->durable(kStreamLane);
    for (int i = 0; i < 100 && failed; ++i) {
        rig_->pass_time();
        failed = rig_->sink->durable(kStreamLane);
    }
    ASSERT_FALSE(failed);
    EXPECT_THAT(failed.error().category,
                testing::AnyOf(Error::Category::sink, Error::Category::storage));
    auto three = batch(Position::whole(Lsn{3}));
    EXPECT_FALSE(rig_->sink->offer(three));
    EXPECT_NE(three, nullptr);
    Wants wants;
    rig_->sink->wants(wants);
    EXPECT_TRUE(wants.interests.empty());
}

TEST_P(SinkConformanceTest, ABatchIsGivenBackWhenItIsNotNeededAnyMore) {
    auto one = batch(Position::whole(Lsn{5}), 3);
    pool_.charge(*one, 1000);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    read_until(Position::whole(Lsn{5}));
    EXPECT_EQ(pool_.charged(), 0U);
}

TEST_P(SinkConformanceTest, ItKeepsPositionsIfAndOnlyIfItSealsThem) {
    EXPECT_EQ(rig_->sink->positions() != nullptr, seals());
    if (!seals()) {
        EXPECT_FALSE(rig_->sink->seal(up_to(10)));
    }
}

TEST_P(SinkConformanceTest, WhatIsNotSealedIsNotDurable) {
    if (!seals()) GTEST_SKIP() << "it makes durable by itself";
    auto one = batch(Position::whole(Lsn{5}), 2);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    for (int i = 0; i < 100; ++i) read_ += rig_->read_now();
    EXPECT_EQ(durable(), Position{});
    EXPECT_EQ(read_, "");
}

TEST_P(SinkConformanceTest, RecordsAndPositionAppearTogether) {
    if (!seals()) GTEST_SKIP() << "it keeps no positions";
    PositionStore& positions = *rig_->sink->positions();
    auto one = batch(Position::whole(Lsn{5}), 2);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    ASSERT_TRUE(rig_->sink->seal(up_to(10)));
    auto two = batch(Position::whole(Lsn{15}), 1);
    const std::string expected =
        expected_.substr(0, expected_.rfind('\n', expected_.size() - 2) + 1);
    EXPECT_EQ(offer(two), Sink::Offer::full) << "until the seal is done";
    bool done = false;
    for (int i = 0; i < 100 && !done; ++i) {
        done = *positions.saved();
        const std::string seen = rig_->read_now();
        if (GetParam().keeps) {
            EXPECT_EQ(seen.empty(), !done || !read_.empty());
        }
        read_ += seen;
    }
    ASSERT_TRUE(done);
    if (GetParam().keeps) {
        EXPECT_EQ(read_, expected);
    }
    EXPECT_EQ(durable(), Position::whole(Lsn{5}));
    EXPECT_EQ(loaded(*rig_->sink), up_to(10));
    ASSERT_EQ(offer(two), Sink::Offer::accepted);
}

TEST_P(SinkConformanceTest, APartOfATransactionIsSealedWithItsPlace) {
    if (!seals()) GTEST_SKIP() << "it keeps no positions";
    auto one = batch({Lsn{15}, 1}, 2);
    one->records[0].commit_lsn = Lsn{5};
    one->resume_at = Lsn{10};
    StoredPosition position = up_to(10);
    position.within = {Lsn{15}, 1};
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    ASSERT_TRUE(rig_->sink->seal(position));
    for (int i = 0; i < 100 && !*rig_->sink->positions()->saved(); ++i) read_ += rig_->read_now();
    read_ += rig_->read_now();
    if (GetParam().keeps) {
        EXPECT_EQ(read_, expected_);
    }
    EXPECT_EQ(durable(), (Position{Lsn{15}, 1}));
    EXPECT_EQ(loaded(*rig_->sink), position);
}

TEST_P(SinkConformanceTest, WhoeverOpensItFencesTheOneBefore) {
    if (!seals()) GTEST_SKIP() << "it keeps no positions";
    auto one = batch(Position::whole(Lsn{5}), 2);
    ASSERT_EQ(offer(one), Sink::Offer::accepted);
    ASSERT_TRUE(rig_->sink->seal(up_to(10)));
    const auto next = rig_->another();
    EXPECT_FALSE(loaded(*next)) << "it can be read before";
    while (!*next->open()) rig_->pass_time();
    auto sealed = rig_->sink->positions()->saved();
    for (int i = 0; i < 100 && sealed; ++i) {
        EXPECT_FALSE(*sealed);
        read_ += rig_->read_now();
        sealed = rig_->sink->positions()->saved();
    }
    ASSERT_FALSE(sealed);
    EXPECT_EQ(sealed.error().next, Error::Next::retry);
    EXPECT_EQ(read_, "") << "of nothing a part";
    EXPECT_FALSE(loaded(*next));
}

TEST_P(SinkConformanceTest, AStalledSinkCanBeDestroyedAtOnce) {
    if (!GetParam().has_reader || !GetParam().stalls) {
        GTEST_SKIP() << "nobody can make it wait";
    }
    (void)stall();
    rig_->sink.reset();
    SUCCEED() << "did not wait for the reader";
}

INSTANTIATE_TEST_SUITE_P(Sinks, SinkConformanceTest, testing::ValuesIn(kPlaces),
                         [](const auto& place) { return std::string{place.param.name}; });

}  // namespace
}  // namespace pgc
