// What a record costs on its way through our sink and librdkafka into a real broker.
//
//   micro_kafka_bench memory                   bytes of librdkafka's for one record, no broker
//   micro_kafka_bench calls                    our thread's time in the ways to hand one over
//   micro_kafka_bench BROKERS [RECORDS [ROUNDS]]
//       each round each case in turn: records/s, our CPU time a record; then the medians.
//       One topic of one partition, made if missing; records of 375 bytes as H of our notes.
//   micro_kafka_bench BROKERS pace RECORDS_A_SECOND BATCH [LINGER_MS]
//       offers that many in batches of that size for ten seconds: time from offer to durable
#include <malloc.h>
#include <poll.h>
#include <sys/resource.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/wait.h"
#include "observe/metrics.h"
#include "sink/kafka/producer_properties.h"
#include "sink/kafka/rdkafka_producer.h"
#include "sink/kafka/sink.h"

namespace {

using namespace pgc;

constexpr std::size_t kValue = 360;
constexpr std::size_t kBatch_records = 2500;  // about a MiB of records, as the pipeline's
constexpr std::size_t kBudget = std::size_t{24} << 20;

struct Case {
    std::string_view name;
    std::string_view compression;
    bool headers;
};
constexpr Case kCases[] = {{"snappy", "snappy", true},
                           {"snappy, no headers", "snappy", false},
                           {"lz4", "lz4", true},
                           {"lz4, no headers", "lz4", false},
                           {"zstd", "zstd", true},
                           {"none", "none", true},
                           {"none, no headers", "none", false}};

double cpu_seconds() {
    rusage usage{};
    ::getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval& time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double seconds(Duration time) {
    return std::chrono::duration<double>(time).count();
}

RelationPtr table() {
    Relation made;
    made.schema = "bench";
    made.name = "records";
    return std::make_shared<const Relation>(std::move(made));
}

// A batch of changed rows as the native format writes them, more or less.
RecordBatchPtr batch_of(RecordPool& pool, const RelationPtr& relation, std::uint64_t number,
                        std::size_t records) {
    RecordBatchPtr batch = pool.get();
    batch->relations.push_back(relation);
    std::string value;
    for (std::size_t i = 0; i < records; ++i) {
        const std::uint64_t id = number * kBatch_records + i;
        value =
            R"({"schema":"bench","table":"records","op":"INSERT","before":null,"after":{"id":)" +
            std::to_string(id) + R"(,"hash":")";
        for (std::uint64_t state = id; value.size() < kValue - 150;) {
            state = state * 6364136223846793005U + 1442695040888963407U;
            value += std::to_string(state >> 40);
        }
        value += R"("},"source":{"version":"0.1.0","connector":"pg-capture","db":"shop","schema":)"
                 R"("bench","table":"records","lsn":"0/1634FA0","xid":567}})";
        value.resize(kValue, ' ');
        batch->records.push_back({.relation = relation.get(),
                                  .has_key = true,
                                  .key = batch->arena.copy(R"({"id":)" + std::to_string(id) + "}"),
                                  .value = batch->arena.copy(value),
                                  .commit_lsn = Lsn{0x16B374D848U + number},
                                  .ordinal = i + 1});
    }
    batch->end = Position::whole(Lsn{number + 1});
    return batch;
}

struct Place {
    KafkaConfig config;
    SystemClock clock;
    PollWaiter waiter{clock};
    Metrics metrics{"bench"};
    KafkaCarryOver carry_over;
    RecordPool pool;
    RelationPtr relation = table();
    std::unique_ptr<RdKafkaProducers> producers;
    std::unique_ptr<KafkaSink> sink;
    std::uint64_t offered = 0;

    Place(const std::string& brokers, const Case& one,
          Duration linger_max = std::chrono::milliseconds{100}) {
        config.connection.brokers = {brokers};
        config.linger_max = linger_max;
        config.compression = one.compression;
        config.headers = one.headers;
        producers = std::make_unique<RdKafkaProducers>(config, clock, Logger{});
        auto made = KafkaSink::make({.config = config,
                                     .producers = *producers,
                                     .carry_over = carry_over,
                                     .clock = clock,
                                     .metrics = metrics,
                                     .logger = {},
                                     .pending_bytes_max = kBudget});
        if (!made) fail(made.error());
        sink = std::move(*made);
    }
    ~Place() { sink.reset(); }

    [[noreturn]] static void fail(const Error& error) {
        std::cerr << describe(error) << '\n';
        std::abort();
    }
    std::uint64_t durable() {
        const auto position = sink->durable(kStreamLane);
        if (!position) fail(position.error());
        return position->commit.value;
    }
    void wait(Instant until = kNever) {
        Wants wants;
        sink->wants(wants);
        wants.until(until);
        waiter.wait(wants);
    }
    void take(RecordBatchPtr batch) {
        for (;;) {
            const auto answer = sink->offer(batch);
            if (!answer) fail(answer.error());
            if (*answer == Sink::Offer::accepted) break;
            wait();
        }
        ++offered;
    }
    void drain() {
        while (durable() < offered) wait();
    }
};

struct Outcome {
    double rate = 0;
    double cpu_us = 0;
};

// Batches are made outside of what is timed, as many as fit into memory at a time.
Outcome measure(const std::string& brokers, const Case& with, std::size_t records) {
    Place place{brokers, with};
    place.take(batch_of(place.pool, place.relation, 0, kBatch_records));
    place.drain();
    Duration time{0};
    double cpu = 0;
    std::size_t sent = 0;
    while (sent < records) {
        std::vector<RecordBatchPtr> batches;
        for (std::size_t i = 0; i < 100 && sent < records; ++i, sent += kBatch_records) {
            batches.push_back(
                batch_of(place.pool, place.relation, place.offered + i, kBatch_records));
        }
        const Instant begin = place.clock.now();
        const double cpu_begin = cpu_seconds();
        for (RecordBatchPtr& batch : batches) place.take(std::move(batch));
        place.drain();
        time += place.clock.now() - begin;
        cpu += cpu_seconds() - cpu_begin;
    }
    const auto count = static_cast<double>(sent);
    return {.rate = count / seconds(time), .cpu_us = cpu * 1e6 / count};
}

double median(std::vector<double> values) {
    std::ranges::sort(values);
    return values[values.size() / 2];
}

void compare(const std::string& brokers, std::size_t records, std::size_t rounds) {
    std::array<std::vector<double>, std::size(kCases)> rates;
    std::array<std::vector<double>, std::size(kCases)> costs;
    for (std::size_t round = 0; round < rounds; ++round) {
        for (std::size_t i = 0; i < std::size(kCases); ++i) {
            const Outcome outcome = measure(brokers, kCases[i], records);
            rates[i].push_back(outcome.rate);
            costs[i].push_back(outcome.cpu_us);
        }
    }
    for (std::size_t i = 0; i < std::size(kCases); ++i) {
        std::cout << kCases[i].name << ": " << static_cast<std::uint64_t>(median(rates[i]))
                  << " records/s, " << median(costs[i]) << " us of ours a record\n";
    }
}

void pace(const std::string& brokers, std::size_t rate, std::size_t records, Duration linger_max) {
    Place place{brokers, kCases[0], linger_max};
    place.take(batch_of(place.pool, place.relation, 0, 1));
    place.drain();
    const Duration between{std::chrono::nanoseconds{1'000'000'000} * records / rate};
    const Instant begin = place.clock.now();
    const double cpu_begin = cpu_seconds();
    std::vector<Instant> offered_at{begin};
    std::vector<double> waits;
    std::uint64_t seen = place.offered;
    while (place.clock.now() - begin < std::chrono::seconds{10} || seen < place.offered) {
        const bool more = place.clock.now() - begin < std::chrono::seconds{10};
        const Instant next = begin + between * static_cast<std::int64_t>(offered_at.size());
        if (more && place.clock.now() >= next) {
            offered_at.push_back(place.clock.now());
            place.take(batch_of(place.pool, place.relation, place.offered, records));
        }
        for (const std::uint64_t durable = place.durable(); seen < durable; ++seen) {
            waits.push_back(seconds(place.clock.now() - offered_at[seen]) * 1e3);
        }
        if (more ? place.clock.now() < next : seen < place.offered) {
            place.wait(more ? next : kNever);
        }
    }
    std::ranges::sort(waits);
    const auto at = [&](double part) {
        return waits[static_cast<std::size_t>(part * static_cast<double>(waits.size() - 1))];
    };
    std::cout << rate << " records/s, " << records << " a batch: p50 " << at(0.5) << " ms, p99 "
              << at(0.99) << " ms, max " << at(1) << " ms; "
              << (cpu_seconds() - cpu_begin) / seconds(place.clock.now() - begin) << " cores\n";
}

// As many as the formats write: none, native's, Debezium's, flat's.
constexpr std::uint32_t kHeader_counts[] = {0, 2, 4, 6};

// Gives each record the headers of the format that has so many; true: those of its place, too.
bool add_headers(RecordBatch& batch, std::uint32_t count) {
    static constexpr std::array<RecordHeader, 4> kContext{
        {{"__debezium.context.connectorLogicalName", "shop"},
         {"__debezium.context.taskId", "0"},
         {"__debezium.context.connectorName", "postgresql"},
         {"__debezium.context.runId", "6c1b1c0e-0f7c-4b5e-9c5a-0d8f2b6e1a34"}}};
    for (Record& record : batch.records) {
        record.first_header = kContext.data();
        record.header_count = count < 4 ? 0 : 4;
    }
    return count == 2 || count == 6;
}

// Nothing listens at the address, so what is given stays in librdkafka's queue.
void memory() {
    for (const std::uint32_t headers : kHeader_counts) {
        KafkaConfig config;
        config.connection.brokers = {"127.0.0.1:1"};
        SystemClock clock;
        RdKafkaProducers producers{config, clock, Logger{}};
        auto made = producers.make(KafkaSink::kBatch_bytes);
        if (!made) Place::fail(made.error());
        KafkaTopic* topic = (*made)->topic("bench");
        RecordPool pool;
        const auto batch = batch_of(pool, table(), 1, kBatch_records);
        const bool place = add_headers(*batch, headers);
        std::vector<KafkaOutgoing> outgoing;
        for (const Record& record : batch->records) outgoing.push_back({topic, 0, &record, {}});
        const std::size_t before = ::mallinfo2().uordblks;
        const auto taken = (*made)->produce(outgoing, place);
        const std::size_t after = ::mallinfo2().uordblks;
        std::cout << headers << " headers: " << (after - before) / taken.records
                  << " bytes a record\n";
        producers.retire(std::move(*made), {});
    }
}

// The ways to hand a record over, on their own: into librdkafka's queue, without a broker.
// The best of many rounds each, in nanoseconds a record.
class Calls {
public:
    Calls() {
        rd_kafka_conf_t* conf = rd_kafka_conf_new();
        std::array<char, 256> text{};
        rd_kafka_conf_set(conf, "queue.buffering.max.messages", "10000000", text.data(), 256);
        rd_kafka_conf_set(conf, "queue.buffering.max.kbytes", "2147483647", text.data(), 256);
        rd_kafka_conf_set_events(conf, RD_KAFKA_EVENT_DR);
        client_ = rd_kafka_new(RD_KAFKA_PRODUCER, conf, text.data(), 256);
        queue_ = rd_kafka_queue_get_main(client_);
        topic_ = rd_kafka_topic_new(client_, "bench", nullptr);
    }
    Calls(const Calls&) = delete;
    Calls& operator=(const Calls&) = delete;
    ~Calls() {
        rd_kafka_topic_destroy(topic_);
        rd_kafka_queue_destroy(queue_);
        rd_kafka_destroy(client_);
    }

    void run() {
        const auto batch = batch_of(pool_, table(), 1, kBatch_records);
        const auto& records = batch->records;
        time("rd_kafka_produce", [&] {
            for (const Record& r : records) {
                rd_kafka_produce(topic_, 0, 0, value(r), r.value.size(), r.key.data(), r.key.size(),
                                 nullptr);
            }
        });
        time("rd_kafka_produce_batch", [&] {
            many_.resize(records.size());
            for (std::size_t i = 0; i < records.size(); ++i) {
                const Record& r = records[i];
                many_[i].payload = value(r);
                many_[i].len = r.value.size();
                many_[i].key = const_cast<char*>(r.key.data());
                many_[i].key_len = r.key.size();
            }
            rd_kafka_produce_batch(topic_, 0, 0, many_.data(), static_cast<int>(many_.size()));
        });
        time("rd_kafka_produceva", [&] {
            for (const Record& r : records) produceva(r, nullptr);
        });
        for (const std::uint32_t headers : kHeader_counts) {
            if (headers > 0) run_list(headers);
        }
        run_ours();
    }

private:
    // Headers in librdkafka's own form.
    void run_list(std::uint32_t count) {
        const auto batch = batch_of(pool_, table(), 1, kBatch_records);
        const bool place = add_headers(*batch, count);
        const auto hand = [&] {
            for (const Record& r : batch->records) {
                rd_kafka_headers_t* list = rd_kafka_headers_new(count);
                if (place) {
                    rd_kafka_header_add(list, "pgc.lsn", 7, "16/B374D848", 11);
                    rd_kafka_header_add(list, "pgc.seq", 7, "17", 2);
                }
                for (const auto& [name, value] : r.headers()) {
                    rd_kafka_header_add(list, name.data(), static_cast<ssize_t>(name.size()),
                                        value.data(), static_cast<ssize_t>(value.size()));
                }
                produceva(r, list);
            }
        };
        time("a list of " + std::to_string(count) + " headers", hand);
    }
    // As the sink does it, by the producer, which writes the headers.
    void run_ours() {
        KafkaConfig config;
        config.connection.brokers = {"127.0.0.1:1"};
        const SystemClock clock;
        const auto properties = producer_properties(config, KafkaSink::kBatch_bytes);
        auto made = KafkaClient::make({.config = config.connection,
                                       .kind = KafkaClient::Kind::producer,
                                       .properties = properties,
                                       .clock = clock,
                                       .logger = {}});
        if (!made) Place::fail(made.error());
        rd_kafka_t* const client = (*made)->handle();
        rd_kafka_queue_t* const queue = (*made)->queue();
        RdKafkaProducer producer{std::move(*made)};
        KafkaTopic* topic = producer.topic("bench");
        for (const std::uint32_t headers : kHeader_counts) {
            const auto batch = batch_of(pool_, table(), 1, kBatch_records);
            const bool place = add_headers(*batch, headers);
            std::vector<KafkaOutgoing> all;
            for (const Record& record : batch->records) all.push_back({topic, 0, &record, {}});
            const auto hand = [&] { (void)producer.produce(all, place); };
            time("ours, " + std::to_string(headers) + " headers", hand, client, queue);
        }
    }
    static void* value(const Record& record) { return const_cast<char*>(record.value.data()); }

    void produceva(const Record& record, rd_kafka_headers_t* headers) {
        std::array<rd_kafka_vu_t, 5> parts{};
        parts[0].vtype = RD_KAFKA_VTYPE_RKT;
        parts[0].u.rkt = topic_;
        parts[1].vtype = RD_KAFKA_VTYPE_PARTITION;
        parts[2].vtype = RD_KAFKA_VTYPE_VALUE;
        parts[2].u.mem = {value(record), record.value.size()};
        parts[3].vtype = RD_KAFKA_VTYPE_KEY;
        parts[3].u.mem = {const_cast<char*>(record.key.data()), record.key.size()};
        parts[4].vtype = RD_KAFKA_VTYPE_HEADERS;
        parts[4].u.headers = headers;
        rd_kafka_produceva(client_, parts.data(), headers == nullptr ? 4 : 5);
    }
    template <typename Hand>
    void time(std::string_view name, Hand&& hand) {
        time(name, std::forward<Hand>(hand), client_, queue_);
    }
    template <typename Hand>
    static void time(std::string_view name, Hand&& hand, rd_kafka_t* client,
                     rd_kafka_queue_t* queue) {
        const SystemClock clock;
        Duration best = std::chrono::hours{1};
        Duration best_report = best;
        for (int round = 0; round < 200; ++round) {
            const Instant begin = clock.now();
            hand();
            best = std::min(best, clock.now() - begin);
            rd_kafka_purge(client, RD_KAFKA_PURGE_F_QUEUE);
            const Instant purged = clock.now();
            take_reports(queue);
            best_report = std::min(best_report, clock.now() - purged);
        }
        std::cout << name << ": " << best.count() / static_cast<std::int64_t>(kBatch_records)
                  << " ns, its report "
                  << best_report.count() / static_cast<std::int64_t>(kBatch_records) << " ns\n";
    }
    static void take_reports(rd_kafka_queue_t* queue) {
        for (std::size_t left = kBatch_records; left > 0;) {
            rd_kafka_event_t* event = rd_kafka_queue_poll(queue, 100);
            if (event == nullptr) continue;
            if (rd_kafka_event_type(event) == RD_KAFKA_EVENT_DR) {
                while (rd_kafka_event_message_next(event) != nullptr) --left;
            }
            rd_kafka_event_destroy(event);
        }
    }

    rd_kafka_t* client_;
    rd_kafka_queue_t* queue_;
    rd_kafka_topic_t* topic_;
    RecordPool pool_;
    std::vector<rd_kafka_message_t> many_;
};

}  // namespace

int main(int argc, char** argv) {
    const std::vector<std::string> words(argv + 1, argv + argc);
    const auto number = [&](std::size_t at, std::size_t otherwise) {
        return words.size() > at ? std::strtoull(words[at].c_str(), nullptr, 10) : otherwise;
    };
    if (words.empty()) {
        std::cerr
            << "micro_kafka_bench memory | calls | BROKERS [RECORDS [ROUNDS]] | BROKERS pace …\n";
        return 2;
    }
    if (words[0] == "memory") {
        memory();
    } else if (words[0] == "calls") {
        Calls{}.run();
    } else if (words.size() > 1 && words[1] == "pace") {
        pace(words[0], number(2, 5000), number(3, 100), std::chrono::milliseconds{number(4, 100)});
    } else {
        compare(words[0], number(1, 1'000'000), number(2, 5));
    }
    return 0;
}
