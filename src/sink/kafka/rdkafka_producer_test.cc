// Against the cluster librdkafka can play itself, within this process: what our calls of it
// result in. The real brokers: tests/kafka.
#include "sink/kafka/rdkafka_producer.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "sink/kafka/producer_properties.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;
using To = KafkaReports::Answer::To;

constexpr Duration kPatience = 60s;

class RdKafkaProducerTest : public testing::Test {
protected:
    void SetUp() override { make(); }

    void make() {
        auto properties = producer_properties(config_, 100'000);
        properties.push_back({"test.mock.num.brokers", "1"});
        config_.connection.brokers = {"127.0.0.1:1"};  // the mock cluster's own take its place
        auto client = KafkaClient::make({.config = config_.connection,
                                         .kind = KafkaClient::Kind::producer,
                                         .properties = properties,
                                         .clock = clock_,
                                         .logger = {}});
        ASSERT_TRUE(client) << describe(client.error());
        mock_ = rd_kafka_handle_mock_cluster((*client)->handle());
        ASSERT_NE(mock_, nullptr);
        rd_kafka_mock_topic_create(mock_, "t", 2, 1);
        producer_ = std::make_unique<RdKafkaProducer>(std::move(*client), 300ms);
        topic_ = producer_->topic("t");
    }
    const Record& record(std::string_view value, std::string_view key = "k") {
        records_.push_back(std::make_unique<Record>(Record{.has_key = true,
                                                           .key = key,
                                                           .value = value,
                                                           .commit_lsn = Lsn{0x16B374D848},
                                                           .ordinal = 17}));
        return *records_.back();
    }
    struct Outgoing {
        KafkaTopic* topic;
        std::int32_t partition;
        const Record* record;
    };
    KafkaProducer::Taken produce(const std::vector<Outgoing>& all, bool headers = true) {
        std::vector<KafkaOutgoing> tagged;
        for (std::uint32_t i = 0; i < all.size(); ++i) {
            tagged.push_back({all[i].topic, all[i].partition, all[i].record, {kBatch, i}});
        }
        return producer_->produce(tagged, headers);
    }
    // Waits on the descriptor, as the pipeline does, until `enough`.
    template <typename Enough>
    void collect_until(Enough enough) {
        const Instant until = clock_.now() + kPatience;
        for (;;) {
            producer_->collect(reports_);
            if (enough()) return;
            ASSERT_LT(clock_.now(), until) << "it never came";
            pollfd ask{.fd = producer_->wake_fd(), .events = POLLIN, .revents = 0};
            ::poll(&ask, 1, 1000);
        }
    }
    std::size_t written() const {
        std::size_t records = 0;
        for (const auto& report : reports_.written) records += report.records;
        return records;
    }

    KafkaConfig config_;
    SystemClock clock_;
    rd_kafka_mock_cluster_t* mock_ = nullptr;
    std::vector<std::unique_ptr<Record>> records_;
    std::unique_ptr<RdKafkaProducer> producer_;
    KafkaTopic* topic_ = nullptr;
    KafkaReports reports_;
    static constexpr std::uint32_t kBatch = 0xFFFFFFFE;
};

TEST_F(RdKafkaProducerTest, EachRecordTakenIsReportedWithItsBatch) {
    const auto taken =
        produce({{topic_, 0, &record("a")}, {topic_, 1, &record("b")}, {topic_, 0, &record("c")}});
    EXPECT_EQ(taken.records, 3U);
    EXPECT_EQ(taken.refused, KafkaCode::none);
    collect_until([this] { return written() == 3; });
    for (const auto& report : reports_.written) EXPECT_EQ(report.batch, kBatch);
    EXPECT_TRUE(reports_.failed.empty());
}

TEST_F(RdKafkaProducerTest, RecordsGoWithoutHeadersToo) {
    EXPECT_EQ(produce({{topic_, 0, &record("a")}, {topic_, 0, &record("", "")}}, false).records,
              2U);
    collect_until([this] { return written() == 2; });
}

TEST_F(RdKafkaProducerTest, ARecordsOwnHeadersGoWithIt) {
    const RecordHeader header{"pgc.reason", "because"};
    Record with_header = record("a");
    with_header.header_count = 1;
    with_header.first_header = &header;
    EXPECT_EQ(produce({{topic_, 0, &with_header}}, true).records, 1U);
    EXPECT_EQ(produce({{topic_, 0, &with_header}}, false).records, 1U);
    collect_until([this] { return written() == 2; });
}

TEST_F(RdKafkaProducerTest, ARecordTooLargeForTheLibraryIsRefusedAtOnce) {
    // The size alone decides: nobody reads it.
    const std::string_view large{"x", 1'000'000'001};
    const auto taken = produce({{topic_, 0, &record("a")}, {topic_, 0, &record(large)}});
    EXPECT_EQ(taken.records, 1U);
    EXPECT_EQ(taken.refused, KafkaCode::message_too_large);
    collect_until([this] { return written() == 1; });
}

// With dead letters, for else the first failure ends the producer, perhaps before it has both.
TEST_F(RdKafkaProducerTest, AFailureNamesTheRecordItIsAbout) {
    config_.oversize = KafkaOversize::dead_letter;
    make();
    rd_kafka_mock_push_request_errors(mock_, 0 /* Produce */, 1,
                                      RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    // A tombstone: it has no value by which it could be known.
    Record tombstone = record("", "k");
    tombstone.has_value = false;
    ASSERT_EQ(produce({{topic_, 0, &record("a")}, {topic_, 1, &tombstone}}).records, 2U);
    collect_until([this] { return written() + reports_.failed.size() == 2; });
    ASSERT_EQ(reports_.failed.size(), 1U);
    const auto& failed = reports_.failed.front();
    EXPECT_EQ(failed.tag, (KafkaTag{kBatch, static_cast<std::uint32_t>(failed.partition)}));
    EXPECT_EQ(failed.code, KafkaCode::message_too_large);
    EXPECT_EQ(failed.topic, topic_);
}

// So that nothing is written after it: what the sink relies on with `oversize: fail`.
TEST_F(RdKafkaProducerTest, AFailureForGoodIsFatalAndToldTogether) {
    rd_kafka_mock_push_request_errors(mock_, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    ASSERT_EQ(produce({{topic_, 0, &record("a")}}).records, 1U);
    collect_until([this] { return reports_.fatal && !reports_.failed.empty(); });
    EXPECT_EQ(reports_.fatal->next, Error::Next::retry);
    EXPECT_EQ(produce({{topic_, 0, &record("b")}}).refused, KafkaCode::local_fatal);
}

TEST_F(RdKafkaProducerTest, WithDeadLettersAFailureIsNotTheEnd) {
    config_.oversize = KafkaOversize::dead_letter;
    make();
    rd_kafka_mock_push_request_errors(mock_, 0, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    ASSERT_EQ(produce({{topic_, 0, &record("a")}}).records, 1U);
    collect_until([this] { return !reports_.failed.empty(); });
    ASSERT_EQ(produce({{topic_, 0, &record("b")}}).records, 1U);
    collect_until([this] { return written() == 1; });
    EXPECT_FALSE(reports_.fatal);
}

TEST_F(RdKafkaProducerTest, ErrorsThatPassAreNotReported) {
    rd_kafka_mock_push_request_errors(mock_, 0, 2, RD_KAFKA_RESP_ERR_NOT_LEADER_FOR_PARTITION,
                                      RD_KAFKA_RESP_ERR_REQUEST_TIMED_OUT);
    ASSERT_EQ(produce({{topic_, 0, &record("a")}}).records, 1U);
    collect_until([this] { return written() == 1; });
    EXPECT_TRUE(reports_.failed.empty());
}

// The mock cluster has no controller to ask: each topic of each question gets the time-out.
TEST_F(RdKafkaProducerTest, AQuestionWithoutAnAnswerIsAnsweredForEachTopic) {
    const std::vector<std::string> names{"t", "u"};
    producer_->look_up(names);
    producer_->limits(names);
    producer_->create(std::vector<KafkaNewTopic>{{.name = "n", .config = {{"a", "b"}}}});
    collect_until([this] { return reports_.answers.size() == 5; });
    const auto answered = [this](To to, const std::string& topic) {
        return std::ranges::count_if(reports_.answers, [&](const auto& answer) {
            return answer.to == to && answer.topic == topic &&
                   answer.code == KafkaCode::local_timed_out && !answer.text.empty();
        });
    };
    EXPECT_EQ(answered(To::look_up, "t"), 1);
    EXPECT_EQ(answered(To::look_up, "u"), 1);
    EXPECT_EQ(answered(To::limits, "t"), 1);
    EXPECT_EQ(answered(To::limits, "u"), 1);
    EXPECT_EQ(answered(To::create, "n"), 1);
}

// The mock cluster makes each topic that it is asked for, if it may.
TEST_F(RdKafkaProducerTest, NoTopicIsMadeByWritingIntoIt) {
    config_.connection.properties = {{"topic.metadata.propagation.max.ms", "300"}};
    make();
    KafkaTopic* missing = producer_->topic("missing");
    ASSERT_EQ(produce({{topic_, 0, &record("a")}, {missing, 0, &record("b")}}).records, 2U);
    collect_until([this] { return written() + reports_.failed.size() == 2; });
    ASSERT_EQ(reports_.failed.size(), 1U);
    const KafkaCode code = reports_.failed.front().code;
    EXPECT_TRUE(code == KafkaCode::unknown_topic || code == KafkaCode::local_unknown_topic);
    EXPECT_EQ(reports_.failed.front().topic, missing);
}

TEST_F(RdKafkaProducerTest, OneTopicHasOneHandle) {
    EXPECT_EQ(producer_->topic("t"), topic_);
    EXPECT_NE(producer_->topic("u"), topic_);
}

TEST_F(RdKafkaProducerTest, PurgedNothingIsLentAnyMore) {
    rd_kafka_mock_broker_set_down(mock_, 1);
    ASSERT_EQ(produce({{topic_, 0, &record("a")}, {topic_, 1, &record("b")}}).records, 2U);
    EXPECT_TRUE(producer_->purge(clock_, kPatience));
}

TEST_F(RdKafkaProducerTest, RecordsInFlightArePurgedToo) {
    ASSERT_EQ(produce({{topic_, 0, &record("a")}}).records, 1U);
    collect_until([this] { return written() == 1; });
    rd_kafka_mock_broker_set_rtt(mock_, 1, 10'000);
    ASSERT_EQ(produce({{topic_, 0, &record("b")}}).records, 1U);
    pollfd none{.fd = producer_->wake_fd(), .events = POLLIN, .revents = 0};
    ::poll(&none, 1, 100);  // by now it is on its way
    EXPECT_TRUE(producer_->purge(clock_, kPatience));
}

TEST_F(RdKafkaProducerTest, RetiringIsBounded) {
    rd_kafka_mock_broker_set_down(mock_, 1);
    RecordPool pool;
    auto batch = pool.get();
    batch->records.push_back({.value = batch->arena.copy("a")});
    ASSERT_EQ(produce({{topic_, 0, &batch->records[0]}}).records, 1U);
    std::vector<RecordBatch> lent;
    lent.push_back(std::move(*batch));
    const Instant begin = clock_.now();
    {
        RdKafkaProducers producers{config_, clock_, Logger{}};
        producers.retire(std::move(producer_), std::move(lent));
    }
    EXPECT_LT(clock_.now() - begin, 30s);
}

TEST_F(RdKafkaProducerTest, ManyAreMadeAndRetired) {
    RdKafkaProducers producers{config_, clock_, Logger{}};
    for (int i = 0; i < 5; ++i) {
        auto made = producers.make(100'000);
        ASSERT_TRUE(made) << describe(made.error());
        producers.retire(std::move(*made), {});
    }
}

class RdKafkaTransactionTest : public RdKafkaProducerTest {
protected:
    void SetUp() override {
        config_.transactional_id = "pg-capture.shop";
        make();
    }
    using Step = KafkaReports::Transaction::Step;
    // The step's outcome.
    std::optional<Error> outcome(Step step) {
        collect_until([this] { return reports_.transaction.has_value(); });
        EXPECT_TRUE(reports_.transaction && reports_.transaction->step == step);
        auto failed = reports_.transaction ? reports_.transaction->failed : std::nullopt;
        reports_.transaction.reset();
        return failed;
    }
    void initialise() {
        producer_->initialise();
        const auto failed = outcome(Step::initialised);
        ASSERT_FALSE(failed) << describe(*failed);
    }
};

TEST_F(RdKafkaTransactionTest, RecordsAreCommittedTogether) {
    initialise();
    for (int i = 0; i < 3; ++i) {
        ASSERT_EQ(producer_->begin(), KafkaCode::none);
        produce({{topic_, 0, &record("a")}, {topic_, 1, &record("b")}});
        collect_until([this] { return written() == 2; });
        producer_->commit();
        const auto failed = outcome(Step::committed);
        ASSERT_FALSE(failed) << describe(*failed);
        reports_.clear();
    }
}

TEST_F(RdKafkaTransactionTest, APassingFailureOfTheCommitIsTriedAgain) {
    initialise();
    ASSERT_EQ(producer_->begin(), KafkaCode::none);
    produce({{topic_, 0, &record("a")}});
    collect_until([this] { return written() == 1; });
    rd_kafka_mock_push_request_errors(mock_, 26 /* EndTxn */, 2,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS,
                                      RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    producer_->commit();
    EXPECT_FALSE(outcome(Step::committed));
}

TEST_F(RdKafkaTransactionTest, WhoeverIsFencedLooksAtThePositionAgain) {
    initialise();
    ASSERT_EQ(producer_->begin(), KafkaCode::none);
    produce({{topic_, 0, &record("a")}});
    collect_until([this] { return written() == 1; });
    rd_kafka_mock_push_request_errors(mock_, 26 /* EndTxn */, 1,
                                      RD_KAFKA_RESP_ERR_INVALID_PRODUCER_EPOCH);
    producer_->commit();
    const auto failed = outcome(Step::committed);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->category, Error::Category::position);
    EXPECT_EQ(failed->next, Error::Next::retry);
}

TEST_F(RdKafkaTransactionTest, WithoutTheRightToTransactionsItStopsWithTheWayOut) {
    rd_kafka_mock_push_request_errors(mock_, 22 /* InitProducerId */, 1,
                                      RD_KAFKA_RESP_ERR_TRANSACTIONAL_ID_AUTHORIZATION_FAILED);
    producer_->initialise();
    const auto failed = outcome(Step::initialised);
    ASSERT_TRUE(failed);
    EXPECT_EQ(failed->next, Error::Next::stop);
    EXPECT_NE(failed->hint.find("--transactional-id"), std::string::npos) << failed->hint;
}

TEST_F(RdKafkaTransactionTest, ItEndsWhileNoCoordinatorAnswers) {
    rd_kafka_mock_broker_set_down(mock_, 1);
    producer_->initialise();
    const Instant began = clock_.now();
    producer_->abandon(700ms);
    producer_.reset();
    EXPECT_LT(clock_.now() - began, 30s);
}

TEST_F(RdKafkaTransactionTest, AnOpenTransactionIsAbandoned) {
    initialise();
    ASSERT_EQ(producer_->begin(), KafkaCode::none);
    produce({{topic_, 0, &record("a")}});
    collect_until([this] { return written() == 1; });
    producer_->abandon(10s);
    EXPECT_EQ(producer_->begin(), KafkaCode::none) << "another one can be begun";
}

}  // namespace
}  // namespace pgc
