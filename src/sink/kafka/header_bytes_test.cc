// Written through librdkafka into the cluster it can play itself, and read back by a consumer of
// it; and what our change of librdkafka does to its functions for headers.
#include "sink/kafka/header_bytes.h"

#include <gtest/gtest.h>
#include <librdkafka/rdkafka.h>
#include <librdkafka/rdkafka_mock.h>
#include <poll.h>

#include <array>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sink/kafka/producer_properties.h"
#include "sink/kafka/rdkafka_producer.h"

namespace pgc {
namespace {

using namespace std::chrono_literals;

struct ReadHeader {
    std::string name;
    std::optional<std::string> value;  // none: null
    bool operator==(const ReadHeader&) const = default;
};
using ReadHeaders = std::vector<ReadHeader>;

std::string text_at(const void* data, std::size_t size) {
    return {static_cast<const char*>(data), size};
}

ReadHeaders read_headers(const rd_kafka_headers_t* list) {
    ReadHeaders all;
    const char* name = nullptr;
    const void* value = nullptr;
    std::size_t size = 0;
    for (std::size_t i = 0; rd_kafka_header_get_all(list, i, &name, &value, &size) == 0; ++i) {
        all.push_back(
            {name, value == nullptr ? std::nullopt : std::optional{text_at(value, size)}});
    }
    return all;
}

ReadHeaders read_headers(const rd_kafka_message_t* message) {
    rd_kafka_headers_t* list = nullptr;
    const auto code = rd_kafka_message_headers(message, &list);
    EXPECT_TRUE(code == RD_KAFKA_RESP_ERR_NO_ERROR || code == RD_KAFKA_RESP_ERR__NOENT) << code;
    return code == RD_KAFKA_RESP_ERR_NO_ERROR ? read_headers(list) : ReadHeaders{};
}

class KafkaHeaderBytesTest : public testing::Test {
protected:
    void SetUp() override { make({}); }

    void make(std::vector<KafkaProperty> more) {
        auto properties = producer_properties(config_, 100'000);
        properties.push_back({"test.mock.num.brokers", "1"});
        for (KafkaProperty& one : more) properties.push_back(std::move(one));
        config_.connection.brokers = {"127.0.0.1:1"};  // the mock cluster's own take its place
        auto client = KafkaClient::make({.config = config_.connection,
                                         .kind = KafkaClient::Kind::producer,
                                         .properties = properties,
                                         .clock = clock_,
                                         .logger = {}});
        ASSERT_TRUE(client) << describe(client.error());
        handle_ = (*client)->handle();
        queue_ = (*client)->queue();
        mock_ = rd_kafka_handle_mock_cluster(handle_);
        rd_kafka_mock_topic_create(mock_, "t", 1, 1);
        producer_ = std::make_unique<RdKafkaProducer>(std::move(*client), 300ms);
    }
    KafkaOutgoing outgoing(const std::vector<RecordHeader>& headers) {
        records_.push_back(std::make_unique<Record>(Record{.has_key = true,
                                                           .key = "k",
                                                           .value = "v",
                                                           .commit_lsn = Lsn{0x16B374D848},
                                                           .ordinal = 17}));
        records_.back()->first_header = headers.data();
        records_.back()->header_count = static_cast<std::uint32_t>(headers.size());
        return {producer_->topic("t"), 0, records_.back().get(), {}};
    }
    void take(const std::vector<KafkaOutgoing>& all, bool place) {
        ASSERT_EQ(producer_->produce(all, place).records, all.size());
        wait_for(all.size());
    }
    void wait_for(std::size_t records) {
        const Instant until = clock_.now() + 60s;
        std::size_t written = 0;
        while (written < records) {
            KafkaReports reports;
            producer_->collect(reports);
            for (const auto& one : reports.written) written += one.records;
            ASSERT_TRUE(reports.failed.empty() && !reports.fatal);
            ASSERT_LT(clock_.now(), until);
            pollfd ask{.fd = producer_->wake_fd(), .events = POLLIN, .revents = 0};
            if (written < records) ::poll(&ask, 1, 1000);
        }
    }
    // Of the first records of the topic.
    std::vector<ReadHeaders> read(std::size_t records) {
        std::array<char, 256> error{};
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        rd_kafka_conf_set(conf, "bootstrap.servers", rd_kafka_mock_cluster_bootstraps(mock_),
                          error.data(), error.size());
        rd_kafka_t* reader = rd_kafka_new(RD_KAFKA_CONSUMER, conf, error.data(), error.size());
        rd_kafka_topic_t* topic = rd_kafka_topic_new(reader, "t", nullptr);
        rd_kafka_consume_start(topic, 0, RD_KAFKA_OFFSET_BEGINNING);
        std::vector<ReadHeaders> all;
        const Instant until = clock_.now() + 60s;
        while (all.size() < records && clock_.now() < until) {
            rd_kafka_message_t* message = rd_kafka_consume(topic, 0, 1000);
            if (message == nullptr) continue;
            if (message->err == 0) {
                EXPECT_EQ(text_at(message->key, message->key_len), "k");
                EXPECT_EQ(text_at(message->payload, message->len), "v");
                all.push_back(read_headers(message));
            }
            rd_kafka_message_destroy(message);
        }
        rd_kafka_consume_stop(topic, 0);
        rd_kafka_topic_destroy(topic);
        rd_kafka_destroy(reader);
        return all;
    }
    rd_kafka_resp_err_t produce(std::string_view bytes, rd_kafka_headers_t* list = nullptr) {
        return rd_kafka_producev(handle_, RD_KAFKA_VTYPE_TOPIC, "t", RD_KAFKA_VTYPE_VALUE, "v",
                                 std::size_t{1}, RD_KAFKA_VTYPE_SERIALIZED_HEADERS, bytes.data(),
                                 bytes.size(),
                                 list == nullptr ? RD_KAFKA_VTYPE_END : RD_KAFKA_VTYPE_HEADERS,
                                 list, RD_KAFKA_VTYPE_END);
    }
    // The next delivery report, with its message.
    std::pair<KafkaEvent, rd_kafka_message_t*> report() {
        const Instant until = clock_.now() + 60s;
        while (clock_.now() < until) {
            KafkaEvent event{rd_kafka_queue_poll(queue_, 1000)};
            if (!event || rd_kafka_event_type(event.get()) != RD_KAFKA_EVENT_DR) continue;
            const auto* message = rd_kafka_event_message_next(event.get());
            return {std::move(event), const_cast<rd_kafka_message_t*>(message)};
        }
        ADD_FAILURE() << "no report";
        return {};
    }

    KafkaConfig config_;
    SystemClock clock_;
    rd_kafka_t* handle_ = nullptr;
    rd_kafka_queue_t* queue_ = nullptr;
    rd_kafka_mock_cluster_t* mock_ = nullptr;
    std::vector<std::unique_ptr<Record>> records_;
    std::unique_ptr<RdKafkaProducer> producer_;
    const ReadHeaders place_{{"pgc.lsn", "16/B374D848"}, {"pgc.seq", "17"}};
    const std::vector<RecordHeader> none_;
};

TEST_F(KafkaHeaderBytesTest, ARecordIsReadWithTheHeadersItHas) {
    const std::string long_text(100'000, 'x');
    const std::vector<RecordHeader> some{{"op", "c"}, {"empty", ""}, {"null", {}}, {"", "y"}};
    const std::vector<RecordHeader> large{{"large", long_text}};
    std::vector<RecordHeader> many;
    for (std::size_t i = 0; i < 100; ++i) {
        many.push_back({"same", std::string_view{long_text}.substr(0, 63 + i)});
    }
    take({outgoing(some), outgoing(some), outgoing(none_), outgoing(large), outgoing(many)}, false);
    take({outgoing(none_), outgoing(some)}, true);

    const ReadHeaders read_some{{"op", "c"}, {"empty", ""}, {"null", std::nullopt}, {"", "y"}};
    const auto all = read(7);
    ASSERT_EQ(all.size(), 7U);
    EXPECT_EQ(all[0], read_some);
    EXPECT_EQ(all[1], read_some);
    EXPECT_EQ(all[2], ReadHeaders{});
    EXPECT_EQ(all[3], (ReadHeaders{{"large", long_text}}));
    ASSERT_EQ(all[4].size(), 100U);
    for (std::size_t i = 0; i < 100; ++i) {
        EXPECT_EQ(all[4][i], (ReadHeader{"same", std::string(63 + i, 'x')}));
    }
    EXPECT_EQ(all[5], place_);
    ReadHeaders both = place_;
    both.insert(both.end(), read_some.begin(), read_some.end());
    EXPECT_EQ(all[6], both);
}

TEST_F(KafkaHeaderBytesTest, WhatIsOtherwiseInTheNextCallIsWrittenAnew) {
    std::vector<RecordHeader> headers{{"op", "c"}};
    take({outgoing(headers)}, false);
    headers[0].value = "delete";
    take({outgoing(headers)}, false);
    EXPECT_EQ(read(2), (std::vector<ReadHeaders>{{{"op", "c"}}, {{"op", "delete"}}}));
}

TEST_F(KafkaHeaderBytesTest, OthersInPlaceOfTheRecordsOwn) {
    const std::vector<RecordHeader> own{{"op", "c"}};
    const std::vector<RecordHeader> others{{"pgc.reason", "large"}, {"pgc.size", "7"}};
    const KafkaOutgoing record = outgoing(own);
    ASSERT_EQ(producer_->produce(record, others), KafkaCode::none);
    ASSERT_EQ(producer_->produce(record, none_), KafkaCode::none);
    wait_for(2);
    take({record}, false);
    EXPECT_EQ(read(3), (std::vector<ReadHeaders>{
                           {{"pgc.reason", "large"}, {"pgc.size", "7"}}, {}, {{"op", "c"}}}));
}

TEST_F(KafkaHeaderBytesTest, TheLimitOfAMessageCountsItsHeaders) {
    make({{"message.max.bytes", "2000"}});
    const std::string long_text(1900, 'x');
    const std::vector<RecordHeader> fit{{"h", std::string_view{long_text}.substr(0, 1800)}};
    const std::vector<RecordHeader> large{{"h", long_text}, {"h", long_text}};
    take({outgoing(fit)}, false);
    const auto taken = producer_->produce(std::vector{outgoing(fit), outgoing(large)}, false);
    EXPECT_EQ(taken.records, 1U);
    EXPECT_EQ(taken.refused, KafkaCode::message_too_large);
    wait_for(1);
}

// A large buffer is let go again (the sanitizer would see bytes written beyond one).
TEST_F(KafkaHeaderBytesTest, SizesOfAllKindsInTurn) {
    KafkaHeaderBytes bytes;
    const std::string long_text(1'000'000, 'x');
    for (const std::size_t size : {0U, 1U, 63U, 64U, 8191U, 8192U, 70'000U, 1'000'000U, 5U, 900U}) {
        const std::vector<RecordHeader> one{{"n", std::string_view{long_text}.substr(0, size)}};
        const std::size_t length = size < 64 ? 1 : size < 8192 ? 2 : size < 1'048'576 ? 3 : 4;
        EXPECT_EQ(bytes.of(one).size(), 3 + length + size);
    }
}

TEST_F(KafkaHeaderBytesTest, AReportHasThemAsAList) {
    KafkaHeaderBytes bytes;
    const std::vector<RecordHeader> headers{{"a", "1"}, {"n", {}}};
    ASSERT_EQ(produce(bytes.of(headers)), RD_KAFKA_RESP_ERR_NO_ERROR);
    const auto [event, message] = report();
    ASSERT_NE(message, nullptr);
    rd_kafka_headers_t* list = nullptr;
    ASSERT_EQ(rd_kafka_message_headers(message, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(read_headers(list), (ReadHeaders{{"a", "1"}, {"n", std::nullopt}}));
    EXPECT_EQ(rd_kafka_header_remove(list, "n"), RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(rd_kafka_header_add(list, "b", 1, "2", 1), RD_KAFKA_RESP_ERR_NO_ERROR);
    EXPECT_EQ(read_headers(message), (ReadHeaders{{"a", "1"}, {"b", "2"}}));

    ASSERT_EQ(rd_kafka_message_detach_headers(message, &list), RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_headers_destroy(list);
    EXPECT_EQ(rd_kafka_message_headers(message, &list), RD_KAFKA_RESP_ERR__NOENT);
}

TEST_F(KafkaHeaderBytesTest, AListTakesTheirPlaceAndIsNotMixedWithThem) {
    KafkaHeaderBytes bytes;
    const std::vector<RecordHeader> headers{{"a", "1"}};
    rd_kafka_headers_t* list = rd_kafka_headers_new(1);
    rd_kafka_header_add(list, "b", 1, "2", 1);
    EXPECT_EQ(produce(bytes.of(headers), list), RD_KAFKA_RESP_ERR__CONFLICT);
    ASSERT_EQ(produce(bytes.of(headers)), RD_KAFKA_RESP_ERR_NO_ERROR);
    const auto [event, message] = report();
    ASSERT_NE(message, nullptr);
    rd_kafka_message_set_headers(message, list);
    EXPECT_EQ(read_headers(message), (ReadHeaders{{"b", "2"}}));
    rd_kafka_message_set_headers(message, nullptr);
    EXPECT_EQ(read_headers(message), ReadHeaders{});
}

}  // namespace
}  // namespace pgc
