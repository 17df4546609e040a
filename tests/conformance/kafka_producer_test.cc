// What sink/kafka/producer.h promises, asked of every producer: librdkafka's against the cluster it
// can be itself, within this process, and the fakes. That cluster has no controller: what only real
// brokers answer is asked of them by tests/kafka.
//
// A new producer: a line in kProducers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

#include <algorithm>
#include <map>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "simulation/kafka.h"
#include "sink/kafka/producer_properties.h"
#include "sink/kafka/rdkafka_producer.h"
#include "support/fake_kafka.h"

namespace pgc {
namespace {

using testing::ElementsAre;
using testing::Pair;
using To = KafkaReports::Answer::To;

constexpr std::int32_t kPartitions = 2;  // of each topic
constexpr std::size_t kBatchBytes = 100'000;

// A cluster, and what may happen in it.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    virtual std::unique_ptr<KafkaProducer> make() = 0;
    virtual KafkaProducers& producers() = 0;
    virtual void has_topic(const std::string& name) = 0;
    // Nothing is written, and nobody says so.
    virtual void is_away() = 0;
    // What is written next is refused for good.
    virtual void refuses_next() = 0;
    // The same, and it is the producer's end: said before and after it is given records.
    virtual void ends_next() {}
    virtual void ends_now() {}
    // There may be something to collect().
    virtual bool has_news(const KafkaProducer& producer) = 0;
    // Until there may be.
    virtual void wait(const KafkaProducer& producer) = 0;
};

bool readable(const KafkaProducer& producer, int ms) {
    pollfd ask{.fd = producer.wake_fd(), .events = POLLIN, .revents = 0};
    return ::poll(&ask, 1, ms) > 0;
}

class FakeRig final : public Rig {
public:
    std::unique_ptr<KafkaProducer> make() override { return std::move(*fakes_.make(kBatchBytes)); }
    KafkaProducers& producers() override { return fakes_; }
    void has_topic(const std::string& name) override {
        kafka_.topics[name].partitions = kPartitions;
    }
    void is_away() override { kafka_.writes = false; }
    void refuses_next() override { kafka_.write_code = KafkaCode::message_too_large; }
    void ends_now() override {
        fakes_.now->fail_for_good(retry(Error::Category::sink, "done for"));
        while (fakes_.now->lent() > 0) fakes_.now->fail_at(0, KafkaCode::local_purged_queue);
    }
    bool has_news(const KafkaProducer& producer) override { return readable(producer, 0); }
    void wait(const KafkaProducer& producer) override {
        ASSERT_TRUE(has_news(producer)) << "it would wait for ever";
    }

private:
    test::FakeKafka kafka_;
    test::FakeKafkaProducers fakes_{kafka_};
};

// What its oracle makes of our records is not looked at.
class SimulatedRig : public Rig {
public:
    explicit SimulatedRig(bool gapless = false) { habits_.gapless = gapless; }

    std::unique_ptr<KafkaProducer> make() override {
        return std::move(*cluster_.make(kBatchBytes));
    }
    KafkaProducers& producers() override { return cluster_; }
    void has_topic(const std::string& name) override {
        const auto maker = make();
        maker->create(std::vector<KafkaNewTopic>{{.name = name, .config = {}}});
        for (KafkaReports reports; reports.answers.empty() ||
                                   reports.answers.back().code != KafkaCode::none ||
                                   reports.answers.back().to != To::look_up;) {
            wait(*maker);
            maker->collect(reports);
            maker->look_up(std::vector<std::string>{name});
        }
    }
    void is_away() override { cluster_.go_away(std::chrono::hours{1}); }
    void refuses_next() override { habits_.failures_per_10000 = 10'000; }
    void ends_next() override { habits_.fatal_per_10000 = 10'000; }
    bool has_news(const KafkaProducer& producer) override {
        return world_.readable_at(producer.wake_fd()) <= world_.clock.now();
    }
    void wait(const KafkaProducer& producer) override {
        while (!has_news(producer)) {
            ASSERT_NE(world_.next_event(), kNever) << "it would wait for ever";
            world_.clock.advance_to(world_.next_event());
            world_.happen();
        }
    }

private:
    sim::World world_{1, false};
    const sim::History history_;
    sim::Oracle oracle_{world_, history_, false, sim::kTables};
    sim::KafkaHabits habits_{.delay_max = std::chrono::milliseconds{100},
                             .partitions = kPartitions};
    sim::FakeTopic positions_{world_, oracle_};
    sim::FakeCluster cluster_{world_, oracle_, positions_, habits_, sim::Mutation::none};
};

// A record that is refused is the end of the producer, by itself.
class GaplessRig final : public SimulatedRig {
public:
    GaplessRig() : SimulatedRig(true) {}
    void ends_next() override { refuses_next(); }
};

class LibraryRig : public Rig {
public:
    explicit LibraryRig(KafkaOversize oversize = KafkaOversize::dead_letter) {
        config_.oversize = oversize;
        config_.connection.brokers = {"127.0.0.1:1"};  // the library's own take its place
        config_.connection.properties = {{"topic.metadata.propagation.max.ms", "300"}};
    }

    std::unique_ptr<KafkaProducer> make() override {
        auto properties = producer_properties(config_, kBatchBytes);
        properties.push_back({"test.mock.num.brokers", "1"});
        auto client = KafkaClient::make({.config = config_.connection,
                                         .kind = KafkaClient::Kind::producer,
                                         .properties = properties,
                                         .clock = clock_,
                                         .logger = {}});
        EXPECT_TRUE(client) << describe(client.error());
        cluster_ = rd_kafka_handle_mock_cluster((*client)->handle());
        for (const std::string& topic : topics_) add(topic);
        return std::make_unique<RdKafkaProducer>(std::move(*client),
                                                 std::chrono::milliseconds{300});
    }
    KafkaProducers& producers() override { return producers_; }
    // Each producer has a cluster of its own.
    void has_topic(const std::string& name) override { topics_.insert(name); }
    void is_away() override { rd_kafka_mock_broker_set_down(cluster_, 1); }
    void refuses_next() override {
        rd_kafka_mock_push_request_errors(cluster_, 0 /* Produce */, 1,
                                          RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    }
    bool has_news(const KafkaProducer& producer) override { return readable(producer, 0); }
    void wait(const KafkaProducer& producer) override { ASSERT_TRUE(readable(producer, 60'000)); }

private:
    void add(const std::string& topic) {
        rd_kafka_mock_topic_create(cluster_, topic.c_str(), kPartitions, 1);
    }

    SystemClock clock_;
    KafkaConfig config_;
    RdKafkaProducers producers_{config_, clock_, Logger{}};
    std::set<std::string> topics_;
    rd_kafka_mock_cluster_t* cluster_ = nullptr;  // of the last producer
};

// As the sink has it where nothing goes to the dead letters.
class GaplessLibraryRig final : public LibraryRig {
public:
    GaplessLibraryRig() : LibraryRig(KafkaOversize::fail) {}
    void ends_next() override { refuses_next(); }
};

struct Kind {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();

    friend void PrintTo(const Kind& kind, std::ostream* out) { *out << kind.name; }
};

template <typename Made>
std::unique_ptr<Rig> make() {
    return std::make_unique<Made>();
}

constexpr Kind kFake{.name = "fake", .make = make<FakeRig>};
constexpr Kind kSimulated{.name = "simulated", .make = make<SimulatedRig>};
constexpr Kind kLibrary{.name = "librdkafka", .make = make<LibraryRig>};
constexpr Kind kProducers[] = {kFake, kSimulated, kLibrary};
// With a controller.
constexpr Kind kClusters[] = {kFake, kSimulated};
// Those that can be done for.
constexpr Kind kMortal[] = {kFake,
                            kSimulated,
                            {.name = "simulated_gapless", .make = make<GaplessRig>},
                            {.name = "librdkafka_gapless", .make = make<GaplessLibraryRig>}};

class KafkaProducerConformanceTest : public testing::TestWithParam<Kind> {
protected:
    void SetUp() override {
        rig_->has_topic("t");
        producer_ = rig_->make();
        topic_ = producer_->topic("t");
    }
    // Of batch `batch`, one a partition in turn, and what lies in it stays until `batches_` goes.
    std::vector<KafkaOutgoing> records(std::uint32_t batch, std::uint32_t count) {
        batches_.push_back(pool_.get());
        RecordBatch& lent = *batches_.back();
        for (std::uint32_t i = 0; i < count; ++i) {
            lent.records.push_back({.has_key = true,
                                    .key = lent.arena.copy(std::to_string(i)),
                                    .value = lent.arena.copy("value " + std::to_string(i)),
                                    .commit_lsn = Lsn{batch},
                                    .ordinal = i + 1});
        }
        std::vector<KafkaOutgoing> all;
        for (std::uint32_t i = 0; i < count; ++i) {
            all.push_back({.topic = topic_,
                           .partition = static_cast<std::int32_t>(i) % kPartitions,
                           .record = &lent.records[i],
                           .tag = {batch, i}});
        }
        return all;
    }
    void take_all(const std::vector<KafkaOutgoing>& all) {
        const auto taken = producer_->produce(all, true);
        ASSERT_EQ(taken.records, all.size());
        ASSERT_EQ(taken.refused, KafkaCode::none);
        taken_ += taken.records;
    }
    std::size_t reported() const {
        std::size_t records = reports_.failed.size();
        for (const auto& report : reports_.written) records += report.records;
        return records;
    }
    template <typename Enough>
    void collect_until(Enough enough) {
        while (!enough()) {
            rig_->wait(*producer_);
            ASSERT_FALSE(HasFatalFailure());
            producer_->collect(reports_);
        }
    }
    void collect_all() {
        collect_until([this] { return reported() >= taken_; });
        EXPECT_EQ(reported(), taken_);
    }
    std::map<std::uint32_t, std::size_t> written() const {
        std::map<std::uint32_t, std::size_t> records;
        for (const auto& report : reports_.written) records[report.batch] += report.records;
        return records;
    }
    // To a question about one topic.
    KafkaReports::Answer answer(const std::string& topic) {
        reports_.clear();
        collect_until([this] { return !reports_.answers.empty(); });
        if (reports_.answers.empty()) return {};
        EXPECT_EQ(reports_.answers.size(), 1U);
        EXPECT_EQ(reports_.answers[0].topic, topic);
        return reports_.answers[0];
    }

    const std::unique_ptr<Rig> rig_ = GetParam().make();
    RecordPool pool_;
    std::vector<RecordBatchPtr> batches_;
    std::unique_ptr<KafkaProducer> producer_;
    KafkaTopic* topic_ = nullptr;
    std::size_t taken_ = 0;
    KafkaReports reports_;
};

TEST_P(KafkaProducerConformanceTest, EachRecordTakenIsReportedOnceWithItsBatch) {
    take_all(records(7, 5));
    take_all(records(8, 3));
    collect_all();
    EXPECT_THAT(written(), ElementsAre(Pair(7, 5), Pair(8, 3)));
    EXPECT_TRUE(reports_.failed.empty());
    EXPECT_FALSE(reports_.fatal);
    producer_->collect(reports_);
    EXPECT_EQ(reported(), taken_);
}

TEST_P(KafkaProducerConformanceTest, ARecordGoesWithHeadersOfItsOwn) {
    const auto all = records(1, 1);
    const RecordHeader headers[] = {{"pgc.reason", "because"}};
    ASSERT_EQ(producer_->produce(all[0], headers), KafkaCode::none);
    taken_ = 1;
    collect_all();
    EXPECT_THAT(written(), ElementsAre(Pair(1, 1)));
}

TEST_P(KafkaProducerConformanceTest, AFailedRecordIsReportedAsWhatItIs) {
    const auto all = records(7, 4);
    rig_->refuses_next();
    take_all(all);
    collect_all();
    ASSERT_FALSE(reports_.failed.empty());
    std::set<std::uint32_t> seen;
    for (const auto& failed : reports_.failed) {
        EXPECT_EQ(failed.tag.batch, 7U);
        ASSERT_LT(failed.tag.record, all.size());
        EXPECT_TRUE(seen.insert(failed.tag.record).second) << "twice";
        EXPECT_EQ(failed.topic, topic_);
        EXPECT_EQ(failed.partition, all[failed.tag.record].partition);
        EXPECT_NE(failed.code, KafkaCode::none);
    }
}

TEST_P(KafkaProducerConformanceTest, NothingIsWrittenToATopicThatIsMissing) {
    auto all = records(1, 1);
    all[0].topic = producer_->topic("missing");
    const auto taken = producer_->produce(all, true);
    EXPECT_NE(taken.records == 0, taken.refused == KafkaCode::none);
    taken_ = taken.records;
    collect_all();
    EXPECT_TRUE(reports_.written.empty());
}

TEST_P(KafkaProducerConformanceTest, NothingIsWrittenToAPartitionThatIsMissing) {
    take_all(records(1, 2));
    collect_all();
    reports_.clear();
    auto all = records(2, 1);
    all[0].partition = kPartitions;
    const auto taken = producer_->produce(all, true);
    EXPECT_NE(taken.records == 0, taken.refused == KafkaCode::none);
    taken_ = taken.records;
    collect_all();
    EXPECT_TRUE(reports_.written.empty());
}

TEST_P(KafkaProducerConformanceTest, ATopicHasOneHandle) {
    EXPECT_EQ(producer_->topic("t"), topic_);
    KafkaTopic* const missing = producer_->topic("missing");
    EXPECT_NE(missing, topic_);
    EXPECT_EQ(producer_->topic("missing"), missing);
}

TEST_P(KafkaProducerConformanceTest, EachTopicThatWasAskedAboutHasOneAnswer) {
    const std::vector<std::string> names{"t", "u"};
    producer_->look_up(names);
    producer_->limits(names);
    producer_->create(std::vector<KafkaNewTopic>{{.name = "n", .config = {}}});
    collect_until([this] { return reports_.answers.size() >= 5; });
    std::map<std::pair<To, std::string>, int> answers;
    for (const auto& answer : reports_.answers) ++answers[{answer.to, answer.topic}];
    EXPECT_THAT(answers,
                ElementsAre(Pair(Pair(To::look_up, "t"), 1), Pair(Pair(To::look_up, "u"), 1),
                            Pair(Pair(To::create, "n"), 1), Pair(Pair(To::limits, "t"), 1),
                            Pair(Pair(To::limits, "u"), 1)));
}

TEST_P(KafkaProducerConformanceTest, ARetiredOneNoLongerReadsWhatItWasLent) {
    rig_->is_away();
    take_all(records(1, 4));
    std::vector<RecordBatch> lent;
    for (const auto& batch : batches_) lent.push_back(std::move(*batch));
    batches_.clear();
    rig_->producers().retire(std::move(producer_), std::move(lent));
}

INSTANTIATE_TEST_SUITE_P(Producers, KafkaProducerConformanceTest, testing::ValuesIn(kProducers),
                         [](const auto& kind) { return std::string{kind.param.name}; });

class KafkaProducerEndTest : public KafkaProducerConformanceTest {};

TEST_P(KafkaProducerEndTest, OfOneThatIsDoneForNothingIsTakenAndAllIsReported) {
    const auto all = records(1, 6);
    rig_->ends_next();
    taken_ = producer_->produce(all, true).records;
    ASSERT_GT(taken_, 0U);
    rig_->ends_now();
    collect_until([this] { return reports_.fatal && reported() >= taken_; });
    EXPECT_EQ(reported(), taken_);
    EXPECT_FALSE(reports_.failed.empty());
    const auto after = producer_->produce(records(2, 2), true);
    EXPECT_EQ(after.records, 0U);
    EXPECT_EQ(after.refused, KafkaCode::local_fatal);
}

INSTANTIATE_TEST_SUITE_P(Producers, KafkaProducerEndTest, testing::ValuesIn(kMortal),
                         [](const auto& kind) { return std::string{kind.param.name}; });

class KafkaClusterConformanceTest : public KafkaProducerConformanceTest {};

TEST_P(KafkaClusterConformanceTest, NobodyIsWokenOnceAllIsCollected) {
    EXPECT_FALSE(rig_->has_news(*producer_));
    take_all(records(1, 3));
    collect_all();
    EXPECT_FALSE(rig_->has_news(*producer_));
    producer_->limits(std::vector<std::string>{"t"});
    (void)answer("t");
    EXPECT_FALSE(rig_->has_news(*producer_));
}

TEST_P(KafkaClusterConformanceTest, ATopicIsLookedUp) {
    producer_->look_up(std::vector<std::string>{"t"});
    EXPECT_EQ(answer("t").partitions, kPartitions);
    EXPECT_EQ(reports_.answers[0].code, KafkaCode::none);
    producer_->look_up(std::vector<std::string>{"missing"});
    EXPECT_EQ(answer("missing").code, KafkaCode::unknown_topic);
}

TEST_P(KafkaClusterConformanceTest, ATopicIsCreatedOnce) {
    const std::vector<KafkaNewTopic> wanted{{.name = "n", .partitions = kPartitions, .config = {}}};
    producer_->create(wanted);
    EXPECT_EQ(answer("n").code, KafkaCode::none);
    const std::vector<std::string> name{"n"};
    do {
        producer_->look_up(name);
    } while (answer("n").code == KafkaCode::unknown_topic);
    EXPECT_EQ(reports_.answers[0].partitions, kPartitions);
    producer_->create(wanted);
    EXPECT_EQ(answer("n").code, KafkaCode::topic_exists);
}

TEST_P(KafkaClusterConformanceTest, ATopicsLimitIsKnown) {
    producer_->limits(std::vector<std::string>{"t"});
    EXPECT_GT(answer("t").message_bytes_max, 0U);
    EXPECT_EQ(reports_.answers[0].code, KafkaCode::none);
}

INSTANTIATE_TEST_SUITE_P(Clusters, KafkaClusterConformanceTest, testing::ValuesIn(kClusters),
                         [](const auto& kind) { return std::string{kind.param.name}; });

}  // namespace
}  // namespace pgc
