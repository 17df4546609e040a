// A Kafka cluster in memory, and producers to it that do what a test says: take records,
// write them in any order, refuse them, report late, fail, lose topics.
//
// A value is read where it was lent, at the moment it is written: a batch that was let go
// too early is seen by the sanitizer. Threads: one.
#pragma once

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/wake.h"
#include "sink/kafka/producer.h"

namespace pgc::test {

struct FakeKafkaRecord {
    std::string key;
    std::string value;
    bool has_key = false;
    bool has_value = true;
    std::int32_t partition = 0;
    Lsn commit_lsn;
    std::uint64_t ordinal = 0;
    std::vector<std::pair<std::string, std::string>> headers;
};

struct FakeKafkaTopic {
    std::int32_t partitions = 1;
    std::size_t message_bytes_max = 1'048'588;
    std::vector<std::pair<std::string, std::string>> config;
    std::vector<FakeKafkaRecord> records;
};

class FakeKafkaProducer;

// What the cluster holds and how it answers; outlives its producers.
struct FakeKafka {
    std::map<std::string, FakeKafkaTopic> topics;
    std::int32_t new_partitions = -1;  // what it makes of a new topic; -1: as asked
    KafkaCode look_up_code{};          // other than none: its answer to every question
    KafkaCode create_code{};
    KafkaCode limits_code{};
    std::size_t queue_max = 1'000'000;      // records
    std::size_t value_bytes_max = 1 << 30;  // beyond it produce() itself refuses
    bool answers = true;                    // questions are answered at the next collect()
    bool writes = true;                     // so are records written
    KafkaCode write_code{};                 // other than none: what each record fails with
    std::size_t look_ups = 0, creations = 0, producers = 0, retired = 0, retired_lent = 0;
    std::size_t batch_bytes = 0;  // of the last producer made
    // Of transactions: which producer is the newest of their name, and what was committed.
    std::uint64_t epoch = 0;
    std::size_t commits = 0;
    bool commits_answer = true;        // at the next collect()
    bool late_commits_arrive = false;  // of a producer that goes meanwhile
    KafkaCode begin_code{};
    std::optional<Error> commit_fails;  // instead of committing
    std::optional<Error> no_producer;
    std::vector<FakeKafkaProducer*> alive;

    std::vector<FakeKafkaRecord>& records(const std::string& topic) {
        return topics[topic].records;
    }
    // The last one's value under this key.
    std::optional<std::string> last_value(const std::string& topic, const std::string& key) {
        const auto& all = records(topic);
        const auto found = std::ranges::find(all.rbegin(), all.rend(), key, &FakeKafkaRecord::key);
        return found == all.rend() ? std::nullopt : std::optional{found->value};
    }
};

class FakeKafkaProducer : public KafkaProducer {
public:
    explicit FakeKafkaProducer(FakeKafka& kafka) : kafka_(kafka) { kafka_.alive.push_back(this); }
    ~FakeKafkaProducer() override {
        std::erase(kafka_.alive, this);
        if (current_ != nullptr && *current_ == this) *current_ = nullptr;
    }
    // Forgets itself there when it goes.
    void known_as(FakeKafkaProducer** current) { *(current_ = current) = this; }

    KafkaTopic* topic(const std::string& name) override {
        auto& known = handles_[name];
        if (!known) known = std::make_unique<std::string>(name);
        return reinterpret_cast<KafkaTopic*>(known.get());
    }
    Taken produce(std::span<const KafkaOutgoing> records, bool place_headers) override {
        Taken taken;
        for (const KafkaOutgoing& out : records) {
            taken.refused = refusal(out);
            if (taken.refused != KafkaCode::none) break;
            std::vector<std::pair<std::string, std::string>> added;
            if (place_headers) {
                added = {{"pgc.lsn", to_string(out.record->commit_lsn)},
                         {"pgc.seq", std::to_string(out.record->ordinal)}};
            }
            add(added, out.record->headers());
            take(out, std::move(added));
            ++taken.records;
        }
        return taken;
    }
    KafkaCode produce(const KafkaOutgoing& record, std::span<const RecordHeader> headers) override {
        if (const KafkaCode code = refusal(record); code != KafkaCode::none) return code;
        std::vector<std::pair<std::string, std::string>> added;
        add(added, headers);
        take(record, std::move(added));
        return KafkaCode::none;
    }
    void initialise() override { asked_ = Step::initialised; }
    KafkaCode begin() override {
        if (kafka_.begin_code == KafkaCode::none) in_transaction_ = true;
        return kafka_.begin_code;
    }
    void commit() override {
        asked_ = Step::committed;
        wake_.notify();
    }
    void look_up(std::span<const std::string> topics) override {
        ++kafka_.look_ups;
        for (const std::string& name : topics) ask({To::look_up, name, {}});
    }
    void create(std::span<const KafkaNewTopic> topics) override {
        ++kafka_.creations;
        for (const KafkaNewTopic& wanted : topics) ask({To::create, wanted.name, wanted});
    }
    void limits(std::span<const std::string> topics) override {
        for (const std::string& name : topics) ask({To::limits, name, {}});
    }
    void collect(KafkaReports& into) override {
        if (kafka_.answers) answer();
        if (kafka_.write_code != KafkaCode::none) {
            while (!lent_.empty()) fail_at(0, kafka_.write_code);
        }
        if (kafka_.writes) write(lent_.size());
        wake_.clear();
        std::ranges::move(ready_.written, std::back_inserter(into.written));
        std::ranges::move(ready_.failed, std::back_inserter(into.failed));
        std::ranges::move(ready_.answers, std::back_inserter(into.answers));
        if (asked_ && kafka_.commits_answer) into.transaction = go_on(*std::exchange(asked_, {}));
        if (ready_.fatal) into.fatal = std::move(ready_.fatal);
        into.trouble = trouble;
        ready_.clear();
    }
    int wake_fd() const noexcept override { return wake_.fd(); }

    // What a test does with it.
    std::size_t lent() const noexcept { return lent_.size(); }
    void write(std::size_t count) {
        for (; count > 0 && !lent_.empty(); --count) write_at(0);
    }
    // Out of its order: it was of another partition.
    void write_at(std::size_t at) {
        Lent one = std::move(lent_[at]);
        lent_.erase(lent_.begin() + static_cast<std::ptrdiff_t>(at));
        if (one.has_value) one.record.value.assign(one.value, one.bytes);
        if (in_transaction_) {
            uncommitted_.emplace_back(name_of(one.topic), std::move(one.record));
        } else {
            kafka_.topics[name_of(one.topic)].records.push_back(std::move(one.record));
        }
        auto& written = ready_.written;
        if (written.empty() || written.back().batch != one.tag.batch) {
            written.push_back({one.tag.batch, 0});
        }
        ++written.back().records;
        wake_.notify();
    }
    void fail_at(std::size_t at, KafkaCode code) {
        const Lent one = std::move(lent_[at]);
        lent_.erase(lent_.begin() + static_cast<std::ptrdiff_t>(at));
        ready_.failed.push_back(
            {.tag = one.tag, .code = code, .partition = one.record.partition, .topic = one.topic});
        wake_.notify();
    }
    void fail_for_good(Error error) {
        ready_.fatal = std::move(error);
        dead_ = true;
        wake_.notify();
    }
    // Written, but the report is lost with the producer.
    void write_unreported(std::size_t count) {
        const KafkaReports before = ready_;
        write(count);
        ready_ = before;
    }
    void answer() {
        while (!questions_.empty()) {
            ready_.answers.push_back(answer_to(questions_.front()));
            questions_.pop_front();
        }
    }
    std::size_t questions() const noexcept { return questions_.size(); }
    void notify() noexcept { wake_.notify(); }
    std::optional<Error> trouble;
    // A commit that is under way arrives, and nobody hears of it.
    void commit_unreported() {
        if (asked_ == Step::committed) (void)go_on(Step::committed);
    }

private:
    using Step = KafkaReports::Transaction::Step;
    using To = KafkaReports::Answer::To;
    struct Lent {
        FakeKafkaRecord record;  // without its value
        const char* value;
        std::size_t bytes;
        bool has_value;
        KafkaTopic* topic;
        KafkaTag tag;
    };
    struct Question {
        To to;
        std::string topic;
        KafkaNewTopic wanted;
    };

    KafkaReports::Transaction go_on(Step step) {
        if (step == Step::initialised) {
            epoch_ = ++kafka_.epoch;
            return {.step = step, .failed = {}};
        }
        if (epoch_ != kafka_.epoch) {
            return {.step = step,
                    .failed = retry(Error::Category::position, "fenced by another producer")};
        }
        if (kafka_.commit_fails) return {.step = step, .failed = kafka_.commit_fails};
        for (auto& [topic, record] : uncommitted_) {
            kafka_.topics[topic].records.push_back(std::move(record));
        }
        uncommitted_.clear();
        in_transaction_ = false;
        ++kafka_.commits;
        return {.step = step, .failed = {}};
    }
    static const std::string& name_of(KafkaTopic* topic) {
        return *reinterpret_cast<const std::string*>(topic);
    }
    KafkaCode refusal(const KafkaOutgoing& out) const {
        if (dead_) return KafkaCode::local_fatal;
        if (lent_.size() >= kafka_.queue_max) return KafkaCode::local_queue_full;
        if (out.record->value.size() > kafka_.value_bytes_max) return KafkaCode::message_too_large;
        const auto found = kafka_.topics.find(name_of(out.topic));
        if (found == kafka_.topics.end()) return KafkaCode::local_unknown_topic;
        if (out.partition >= found->second.partitions) return KafkaCode::local_unknown_partition;
        return KafkaCode::none;
    }
    using Headers = std::vector<std::pair<std::string, std::string>>;
    static void add(Headers& to, std::span<const RecordHeader> headers) {
        for (const RecordHeader& header : headers) to.emplace_back(header.name, header.value);
    }
    void take(const KafkaOutgoing& out, Headers headers) {
        const Record& from = *out.record;
        lent_.push_back({.record = {.key = std::string{from.key},
                                    .value = {},
                                    .has_key = from.has_key,
                                    .has_value = from.has_value,
                                    .partition = out.partition,
                                    .commit_lsn = from.commit_lsn,
                                    .ordinal = from.ordinal,
                                    .headers = std::move(headers)},
                         .value = from.value.data(),
                         .bytes = from.value.size(),
                         .has_value = from.has_value,
                         .topic = out.topic,
                         .tag = out.tag});
        if (kafka_.writes) wake_.notify();
    }
    void ask(Question question) {
        questions_.push_back(std::move(question));
        if (kafka_.answers) wake_.notify();
    }
    KafkaReports::Answer answer_to(const Question& question) {
        KafkaReports::Answer answer{.to = question.to, .topic = question.topic};
        const auto found = kafka_.topics.find(question.topic);
        const bool there = found != kafka_.topics.end();
        switch (question.to) {
            case To::look_up:
                answer.code = there ? KafkaCode::none : KafkaCode::unknown_topic;
                if (kafka_.look_up_code != KafkaCode::none) answer.code = kafka_.look_up_code;
                if (there) answer.partitions = found->second.partitions;
                break;
            case To::create:
                answer.code = kafka_.create_code;
                if (there && answer.code == KafkaCode::none) answer.code = KafkaCode::topic_exists;
                if (answer.code == KafkaCode::none) make_topic(question.wanted);
                break;
            case To::limits:
                answer.code = kafka_.limits_code;
                if (there) answer.message_bytes_max = found->second.message_bytes_max;
                break;
        }
        return answer;
    }
    void make_topic(const KafkaNewTopic& wanted) {
        FakeKafkaTopic& made = kafka_.topics[wanted.name];
        made.partitions = kafka_.new_partitions > 0 ? kafka_.new_partitions : wanted.partitions;
        made.config = wanted.config;
        for (const auto& [name, value] : wanted.config) {
            if (name == "max.message.bytes") made.message_bytes_max = std::stoul(value);
        }
    }

    FakeKafka& kafka_;
    FakeKafkaProducer** current_ = nullptr;
    Wake wake_;
    std::map<std::string, std::unique_ptr<std::string>> handles_;
    std::deque<Lent> lent_;
    std::deque<Question> questions_;
    KafkaReports ready_;
    bool dead_ = false;
    bool in_transaction_ = false;
    std::uint64_t epoch_ = 0;
    std::optional<Step> asked_;
    std::vector<std::pair<std::string, FakeKafkaRecord>> uncommitted_;  // by topic
};

// Makes them, and knows the one that is alive.
class FakeKafkaProducers final : public KafkaProducers {
public:
    explicit FakeKafkaProducers(FakeKafka& kafka) : kafka_(kafka) {}

    Result<std::unique_ptr<KafkaProducer>> make(std::size_t batch_bytes) override {
        if (kafka_.no_producer) return std::unexpected(*kafka_.no_producer);
        ++kafka_.producers;
        kafka_.batch_bytes = batch_bytes;
        auto made = std::make_unique<FakeKafkaProducer>(kafka_);
        made->known_as(&now);
        return made;
    }
    void retire(std::unique_ptr<KafkaProducer> producer, std::vector<RecordBatch> lent) override {
        ++kafka_.retired;
        kafka_.retired_lent += lent.size();
        // Up to the last moment librdkafka may read what it was lent.
        auto& ours = static_cast<FakeKafkaProducer&>(*producer);
        ours.write_unreported(ours.lent());
        if (kafka_.late_commits_arrive) ours.commit_unreported();
        producer.reset();
        lent.clear();
    }

    FakeKafkaProducer* now = nullptr;

private:
    FakeKafka& kafka_;
};

}  // namespace pgc::test
