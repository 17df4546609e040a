#include "simulation/kafka.h"

#include <fmt/core.h>

#include <algorithm>
#include <functional>
#include <iterator>
#include <set>
#include <utility>

#include "sink/kafka/config.h"

namespace pgc::sim {

using namespace std::chrono_literals;

namespace {

const std::string kPositionTopic = KafkaConfig{}.state_topic;

}  // namespace

class FakeClusterProducer final : public KafkaProducer {
public:
    FakeClusterProducer(FakeCluster& cluster, std::size_t batch_bytes)
        : cluster_(cluster),
          world_(cluster.world_),
          instance_(world_.instance()),
          batch_bytes_(batch_bytes),
          fd_(world_.open_descriptor([this] { return news() ? world_.clock.now() : kNever; })) {}
    ~FakeClusterProducer() override {
        *alive_ = false;
        world_.close_descriptor(fd_);
    }

    KafkaTopic* topic(const std::string& name) override {
        auto& known = names_[name];
        if (!known) known = std::make_unique<Name>(Name{name, names_.size()});
        return reinterpret_cast<KafkaTopic*>(known.get());
    }
    Taken produce(std::span<const KafkaOutgoing> records, bool) override;
    KafkaCode produce(const KafkaOutgoing& record, std::span<const RecordHeader>) override {
        const Taken taken = produce({&record, 1}, true);
        return taken.refused;
    }
    void initialise() override;
    KafkaCode begin() override;
    void commit() override;
    void look_up(std::span<const std::string> topics) override {
        for (const std::string& name : topics) ask({.to = To::look_up, .topic = name});
    }
    void create(std::span<const KafkaNewTopic> topics) override {
        for (const KafkaNewTopic& wanted : topics) {
            ask({.to = To::create, .topic = wanted.name});
        }
    }
    void limits(std::span<const std::string> topics) override {
        for (const std::string& name : topics) ask({.to = To::limits, .topic = name});
    }
    void collect(KafkaReports& into) override;
    int wake_fd() const noexcept override { return fd_; }

    // Part of what it has arrives; values are read where they were lent.
    void go();

private:
    using To = KafkaReports::Answer::To;
    struct Lent {
        std::string key;
        const char* value;
        std::size_t bytes;
        KafkaTag tag;
        std::size_t number;  // of all that were produced
    };
    struct Partition {
        KafkaTopic* topic = nullptr;
        std::int32_t number = 0;
        std::deque<Lent> queue;
        bool busy = false;  // a request is on its way
    };
    struct Purged {
        const Partition* partition = nullptr;
        std::deque<Lent> queue;
    };
    // All that were produced, in that order.
    struct Produced {
        Lsn commit;
        std::uint64_t ordinal = 0;
        std::string key;
        std::string value;
        bool written = false;
        std::int32_t of_partitions = 0;  // goes to all of so many; 0: to one
        std::int32_t partition = 0;
        bool is_position = false;
        bool is_mark = false;
        bool is_heartbeat = false;
    };

    struct Name {
        std::string text;
        std::size_t number = 0;
    };

    static const Name& known_as(KafkaTopic* topic) { return *reinterpret_cast<Name*>(topic); }
    static const std::string& name_of(KafkaTopic* topic) { return known_as(topic).text; }
    bool news() const noexcept {
        return !ready_.written.empty() || !ready_.failed.empty() || !ready_.answers.empty() ||
               ready_.transaction || ready_.fatal;
    }
    // When the cluster is there; `action` is dropped when this producer has gone.
    void later(std::function<void()> action);
    void ask(KafkaReports::Answer question);
    void answer(KafkaReports::Answer question);
    void make_topic(const std::string& name, bool by_others);
    KafkaCode refusal(const KafkaOutgoing& out) const;
    void take(const KafkaOutgoing& out);
    void begin(Partition& partition);
    void finish(Partition& partition);
    std::vector<Lent> next_request(Partition& partition);
    void write(const Lent& lent);
    void fail(Partition& partition, std::vector<Lent> request, KafkaCode code);
    void fail_for_good(const Partition& partition, const std::vector<Lent>& request);
    std::vector<Purged> purge();
    void report_purged(const std::vector<Purged>& purged);
    void report_failed(const Partition& partition, const Lent& lent, KafkaCode code);
    void report_to_oracle();
    void tell_oracle(const Produced& next);
    void answer_transaction(KafkaReports::Transaction::Step step, std::optional<Error> failed);
    bool arrive();
    bool is_there(const std::string& topic) const;

    FakeCluster& cluster_;
    World& world_;
    const std::size_t instance_;  // of ours, whose it is
    const std::size_t batch_bytes_;
    const std::shared_ptr<bool> alive_ = std::make_shared<bool>(true);
    std::map<std::string, std::unique_ptr<Name>> names_;
    std::map<std::pair<std::size_t, std::int32_t>, Partition> partitions_;  // by topic's number
    std::vector<Produced> produced_;
    std::size_t reported_ = 0;       // off the front of produced_
    std::set<std::int32_t> copies_;  // partitions that have the record being told
    std::size_t lent_ = 0;
    KafkaReports ready_;
    bool dead_ = false;
    std::uint64_t epoch_ = 0;  // 0: not initialised
    bool in_transaction_ = false;
    bool committing_ = false;
    const int fd_;
};

void FakeClusterProducer::later(std::function<void()> action) {
    const Duration delay = world_.between(0ns, cluster_.habits_.delay_max);
    world_.after(delay, [this, alive = alive_, action = std::move(action)] {
        if (!*alive) return;
        if (world_.clock.now() < cluster_.away_until_) {
            world_.after(cluster_.away_until_ - world_.clock.now(), [alive, action] {
                if (*alive) action();
            });
        } else {
            action();
        }
    });
}

void FakeClusterProducer::ask(KafkaReports::Answer question) {
    world_.step("a question to the cluster");
    later([this, question = std::move(question)] { answer(question); });
}

void FakeClusterProducer::answer(KafkaReports::Answer question) {
    if (world_.random.below(10'000) < cluster_.habits_.failures_per_10000) {
        question.code = KafkaCode::local_timed_out;
        ready_.answers.push_back(std::move(question));
        return;
    }
    const auto found = cluster_.topics_.find(question.topic);
    const bool there = found != cluster_.topics_.end();
    switch (question.to) {
        case To::look_up:
            question.code = there ? KafkaCode::none : KafkaCode::unknown_topic;
            question.partitions = there ? found->second.partitions : 0;
            if (!there && cluster_.habits_.others_make_topics && world_.random.chance(50)) {
                world_.note("others make the topic ", question.topic);
                make_topic(question.topic, true);
            }
            break;
        case To::create:
            question.code = there ? KafkaCode::topic_exists : KafkaCode::none;
            // It is known only a while after it was made.
            later([this, name = question.topic] { make_topic(name, false); });
            break;
        case To::limits:
            question.code = there ? KafkaCode::none : KafkaCode::unknown_topic;
            question.message_bytes_max = there ? found->second.message_bytes_max : 0;
            break;
    }
    ready_.answers.push_back(std::move(question));
}

void FakeClusterProducer::make_topic(const std::string& name, bool by_others) {
    cluster_.topics_.try_emplace(name, FakeCluster::Topic{cluster_.partitions_of(name, by_others),
                                                          cluster_.habits_.message_bytes_max});
}

// A topic that was deleted comes back with as many: else keys would have to move.
std::int32_t FakeCluster::partitions_of(const std::string& topic, bool by_others) {
    const std::int32_t wanted = habits_.partitions + (by_others ? 1 : 0);
    return partitions_.try_emplace(topic, wanted).first->second;
}

// -- transactions -----------------------------------------------------------------------------

void FakeClusterProducer::answer_transaction(KafkaReports::Transaction::Step step,
                                             std::optional<Error> failed) {
    ready_.transaction = KafkaReports::Transaction{.step = step, .failed = std::move(failed)};
}

void FakeClusterProducer::initialise() {
    using Step = KafkaReports::Transaction::Step;
    world_.step("transactions are taken over");
    later([this] {
        epoch_ = ++cluster_.epoch_;
        world_.note("the producer of epoch ", std::to_string(epoch_));
        later([this] {
            std::optional<Error> failed;
            if (world_.random.below(10'000) < cluster_.habits_.failures_per_10000) {
                failed = retry(Error::Category::sink, "no coordinator");
            }
            answer_transaction(Step::initialised, std::move(failed));
        });
    });
}

KafkaCode FakeClusterProducer::begin() {
    world_.step("a transaction is begun");
    if (dead_) return KafkaCode::local_fatal;
    if (in_transaction_) world_.fail("a transaction is begun within another");
    if (epoch_ == 0) world_.fail("a transaction is begun before the one before was fenced");
    in_transaction_ = true;
    return KafkaCode::none;
}

void FakeClusterProducer::commit() {
    using Step = KafkaReports::Transaction::Step;
    world_.step("a transaction is to be committed");
    if (!in_transaction_ || lent_ > 0) world_.fail("a commit while records are on their way");
    committing_ = true;
    later([this] {
        const bool fails = world_.random.below(10'000) < cluster_.habits_.failures_per_10000;
        if (fails && world_.random.chance(50)) {
            world_.note("a commit is lost");
            committing_ = false;
            return answer_transaction(Step::committed,
                                      retry(Error::Category::sink, "the outcome is unknown"));
        }
        const bool ours = arrive();
        later([this, fails, ours] {
            std::optional<Error> failed;
            if (fails) failed = retry(Error::Category::sink, "the outcome is unknown");
            if (!ours) failed = retry(Error::Category::position, "fenced by another producer");
            answer_transaction(Step::committed, std::move(failed));
        });
    });
}

// Commits; false when another producer was initialised since.
bool FakeClusterProducer::arrive() {
    committing_ = in_transaction_ = false;
    if (epoch_ != cluster_.epoch_ && cluster_.mutation_ != Mutation::kafka_fences_nobody) {
        world_.note("a commit of a producer that is fenced");
        return false;
    }
    world_.note("a transaction is committed");
    std::optional<std::string> position;
    for (; reported_ < produced_.size(); ++reported_) {
        const Produced& next = produced_[reported_];
        if (next.is_position) {
            position = next.value;
        } else {
            tell_oracle(next);
        }
    }
    cluster_.oracle_.committed(instance_);
    if (!position) {
        world_.fail("a transaction is committed without a position");
    } else if (cluster_.mutation_ != Mutation::kafka_forgets_the_position) {
        cluster_.positions_.take(*position);
    }
    return true;
}

bool FakeClusterProducer::is_there(const std::string& topic) const {
    return topic == kPositionTopic ? cluster_.positions_.exists()
                                   : cluster_.topics_.contains(topic);
}

KafkaCode FakeClusterProducer::refusal(const KafkaOutgoing& out) const {
    if (dead_) return KafkaCode::local_fatal;
    if (cluster_.habits_.transactions && !in_transaction_) {
        world_.fail("a record outside of a transaction");
    }
    if (name_of(out.topic) == kPositionTopic) {
        return is_there(kPositionTopic) ? KafkaCode::none : KafkaCode::local_unknown_topic;
    }
    if (lent_ >= cluster_.habits_.queue_max) return KafkaCode::local_queue_full;
    const auto found = cluster_.topics_.find(name_of(out.topic));
    if (found == cluster_.topics_.end()) return KafkaCode::local_unknown_topic;
    const bool there = out.partition >= 0 && out.partition < found->second.partitions;
    return there ? KafkaCode::none : KafkaCode::local_unknown_partition;
}

KafkaProducer::Taken FakeClusterProducer::produce(std::span<const KafkaOutgoing> records, bool) {
    world_.step("produce");
    std::vector<KafkaOutgoing> all{records.begin(), records.end()};
    if (cluster_.mutation_ == Mutation::kafka_swaps_two_records && all.size() > 1) {
        std::swap(all[0], all[1]);
    }
    Taken taken;
    for (const KafkaOutgoing& out : all) {
        taken.refused = refusal(out);
        if (taken.refused != KafkaCode::none) break;
        if (cluster_.mutation_ == Mutation::kafka_truncates_one_partition &&
            out.record->to_all_partitions && out.partition > 0) {
            ready_.written.push_back({out.tag.batch, 1});
        } else {
            take(out);
        }
        ++taken.records;
    }
    return taken;
}

void FakeClusterProducer::take(const KafkaOutgoing& out) {
    const Record& record = *out.record;
    const std::string key{record.key};
    const auto home =
        cluster_.homes_.try_emplace({name_of(out.topic), key}, out.partition).first->second;
    if (record.has_key && home != out.partition) {
        world_.fail(fmt::format("key {} of {} moved from partition {} to {}", key,
                                name_of(out.topic), home, out.partition));
    }
    Partition& partition = partitions_[{known_as(out.topic).number, out.partition}];
    partition.topic = out.topic;
    partition.number = out.partition;
    partition.queue.push_back(
        {key, record.value.data(), record.value.size(), out.tag, produced_.size()});
    const auto known = cluster_.topics_.find(name_of(out.topic));
    produced_.push_back({.commit = record.commit_lsn,
                         .ordinal = record.ordinal,
                         .key = key,
                         .value = {},
                         .written = false,
                         .of_partitions = record.to_all_partitions ? known->second.partitions : 0,
                         .partition = out.partition,
                         .is_position = name_of(out.topic) == kPositionTopic,
                         .is_mark = name_of(out.topic) == kMarkTopic,
                         .is_heartbeat = record.destination == Destination::heartbeats});
    ++lent_;
    if (!partition.busy) begin(partition);
}

void FakeClusterProducer::begin(Partition& partition) {
    partition.busy = true;
    later([this, &partition] {
        partition.busy = false;
        finish(partition);
        if (!partition.queue.empty() && !partition.busy) begin(partition);
    });
}

// As many as go into one batch, the first whatever its size.
std::vector<FakeClusterProducer::Lent> FakeClusterProducer::next_request(Partition& partition) {
    std::vector<Lent> request;
    std::size_t bytes = 0;
    while (!partition.queue.empty() && request.size() < cluster_.habits_.request_records) {
        bytes += partition.queue.front().bytes;
        if (!request.empty() && bytes > batch_bytes_) break;
        request.push_back(std::move(partition.queue.front()));
        partition.queue.pop_front();
    }
    return request;
}

void FakeClusterProducer::finish(Partition& partition) {
    if (partition.queue.empty()) return;
    const auto topic = cluster_.topics_.find(name_of(partition.topic));
    std::vector<Lent> request = next_request(partition);
    if (!is_there(name_of(partition.topic))) {
        return fail(partition, std::move(request), KafkaCode::unknown_topic);
    }
    std::size_t bytes = 0;
    for (const Lent& lent : request) bytes += lent.bytes;
    if (topic != cluster_.topics_.end() && bytes > topic->second.message_bytes_max) {
        return fail(partition, std::move(request), KafkaCode::message_too_large);
    }
    if (world_.random.below(10'000) < cluster_.habits_.fatal_per_10000) {
        return fail_for_good(partition, request);
    }
    if (world_.random.below(10'000) < cluster_.habits_.failures_per_10000) {
        return fail(partition, std::move(request), KafkaCode::out_of_order);
    }
    for (const Lent& lent : request) write(lent);
    report_to_oracle();
    std::vector<KafkaReports::Written> written;
    for (const Lent& lent : request) {
        if (written.empty() || written.back().batch != lent.tag.batch) {
            written.push_back({lent.tag.batch, 0});
        }
        ++written.back().records;
    }
    later([this, written = std::move(written)] {
        for (const auto& report : written) lent_ -= report.records;
        std::ranges::copy(written, std::back_inserter(ready_.written));
    });
}

void FakeClusterProducer::write(const Lent& lent) {
    Produced& record = produced_[lent.number];
    record.value.assign(lent.value, lent.bytes);
    record.written = true;
}

// With transactions that is arrive()'s.
void FakeClusterProducer::report_to_oracle() {
    if (cluster_.habits_.transactions) return;
    for (; reported_ < produced_.size() && produced_[reported_].written; ++reported_) {
        tell_oracle(produced_[reported_]);
    }
}

void FakeClusterProducer::tell_oracle(const Produced& next) {
    if (next.of_partitions == 0 && !copies_.empty()) {
        world_.fail(fmt::format("a TRUNCATE went to {} partitions only", copies_.size()));
    }
    if (next.of_partitions > 0) {
        if (!copies_.insert(next.partition).second) {
            world_.fail("a TRUNCATE went to one partition twice");
        }
        if (copies_.size() < static_cast<std::size_t>(next.of_partitions)) return;
        copies_.clear();
    }
    if (next.is_heartbeat) return;  // about no change
    const Record record{.has_key = true,
                        .key = next.key,
                        .value = next.value,
                        .commit_lsn = next.commit,
                        .ordinal = next.ordinal};
    if (next.is_mark) {
        cluster_.oracle_.marked(record, instance_);
    } else {
        cluster_.oracle_.durable(record, instance_);
    }
}

void FakeClusterProducer::report_failed(const Partition& partition, const Lent& lent,
                                        KafkaCode code) {
    --lent_;
    ready_.failed.push_back(
        {.tag = lent.tag, .code = code, .partition = partition.number, .topic = partition.topic});
}

void FakeClusterProducer::fail(Partition& partition, std::vector<Lent> request, KafkaCode code) {
    world_.note("the cluster refuses ", std::to_string(request.size()), " records");
    std::vector<Purged> purged;
    if (cluster_.habits_.gapless && cluster_.mutation_ != Mutation::kafka_failure_counts) {
        ready_.fatal = retry(Error::Category::sink, "a gap");
        dead_ = true;
        purged = purge();
    }
    later([this, &partition, request = std::move(request), code, purged = std::move(purged)] {
        for (const Lent& lent : request) report_failed(partition, lent, code);
        report_purged(purged);
    });
}

void FakeClusterProducer::fail_for_good(const Partition& partition,
                                        const std::vector<Lent>& request) {
    world_.note("the producer is done for");
    ready_.fatal = retry(Error::Category::sink, "done for");
    dead_ = true;
    for (const Lent& lent : request) {
        report_failed(partition, lent, KafkaCode::local_purged_inflight);
    }
    report_purged(purge());
}

// What it has not sent yet, and never will.
std::vector<FakeClusterProducer::Purged> FakeClusterProducer::purge() {
    std::vector<Purged> purged;
    for (auto& [which, partition] : partitions_) {
        purged.push_back({&partition, std::exchange(partition.queue, {})});
    }
    return purged;
}

void FakeClusterProducer::report_purged(const std::vector<Purged>& purged) {
    for (const auto& [partition, queue] : purged) {
        for (const Lent& lent : queue) {
            report_failed(*partition, lent, KafkaCode::local_purged_queue);
        }
    }
}

void FakeClusterProducer::collect(KafkaReports& into) {
    world_.step("collect");
    if (cluster_.mutation_ == Mutation::kafka_failure_counts) {
        for (const auto& failed : ready_.failed) ready_.written.push_back({failed.tag.batch, 1});
        ready_.failed.clear();
    }
    if (cluster_.mutation_ == Mutation::kafka_reports_early) {
        for (auto& [which, partition] : partitions_) {
            for (Lent& lent : partition.queue) {
                ready_.written.push_back({lent.tag.batch, 1});
            }
            lent_ -= partition.queue.size();
            partition.queue.clear();
        }
    }
    std::ranges::move(ready_.written, std::back_inserter(into.written));
    std::ranges::move(ready_.failed, std::back_inserter(into.failed));
    std::ranges::move(ready_.answers, std::back_inserter(into.answers));
    if (ready_.transaction) into.transaction = std::move(ready_.transaction);
    if (ready_.fatal) into.fatal = std::move(ready_.fatal);
    ready_.clear();
}

void FakeClusterProducer::go() {
    if (committing_ && world_.random.chance(50)) (void)arrive();
    for (auto& [which, partition] : partitions_) {
        for (std::size_t some = world_.random.below(partition.queue.size() + 1); some > 0; --some) {
            write(partition.queue.front());
            partition.queue.pop_front();
        }
    }
    report_to_oracle();
}

Result<std::unique_ptr<KafkaProducer>> FakeCluster::make(std::size_t batch_bytes) {
    world_.step("a producer is made");
    return std::make_unique<FakeClusterProducer>(*this, batch_bytes);
}

void FakeCluster::retire(std::unique_ptr<KafkaProducer> producer, std::vector<RecordBatch> lent) {
    static_cast<FakeClusterProducer&>(*producer).go();
    producer.reset();
    lent.clear();
}

void FakeCluster::go_away(Duration time) {
    world_.note("the cluster is away");
    away_until_ = std::max(away_until_, world_.clock.now() + time);
    oracle_.store_is_away(away_until_);  // what is sent again is not durable before
}

}  // namespace pgc::sim
