// What core/source.h promises, asked of every source.
//
// A new source: a line in kServers.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <optional>
#include <ostream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/byte_cursor.h"
#include "postgres/source/postgres_source.h"
#include "support/fake_parts.h"
#include "support/fake_stream.h"
#include "support/forwarding.h"
#include "support/healthy_server.h"
#include "support/manual_clock.h"
#include "support/walsender_messages.h"

namespace pgc {
namespace {

using testing::kUsers;

constexpr Lsn kFrom{0x200};

// A server with a source that follows it.
struct Rig {
    Rig() = default;
    Rig(const Rig&) = delete;
    Rig& operator=(const Rig&) = delete;
    virtual ~Rig() = default;

    // Arrives at the source; the transaction ends after its commit.
    virtual void commits(Lsn commit, std::uint64_t rows) = 0;
    virtual Lsn end_of(Lsn commit) const = 0;
    // There is nothing before `at` that was not sent.
    virtual void is_idle_at(Lsn at) = 0;
    virtual void breaks() = 0;
    // What it was last reported to forget; none: nothing.
    virtual Lsn confirmed() const = 0;
    // Before open() is asked again.
    virtual void wait() {}

    std::unique_ptr<Source> source;
};

class FakeRig : public Rig {
public:
    FakeRig() {
        server_.identity.slot_confirmed = kFrom;
        source = std::make_unique<fake::FakeSource>(server_, true);
    }
    ~FakeRig() override { source.reset(); }

    void commits(Lsn commit, std::uint64_t rows) override {
        server_.log.push_back({.commit = commit.value, .rows = rows});
    }
    Lsn end_of(Lsn commit) const override { return {commit.value + 5}; }
    void is_idle_at(Lsn at) override { server_.idle = at; }
    void breaks() override {
        for (auto* errors : {&server_.read_errors, &server_.service_errors}) {
            errors->push_back(retry(Error::Category::connection, "the connection is gone"));
        }
    }
    Lsn confirmed() const override {
        return server_.confirmed.empty() ? Lsn{} : server_.confirmed.back();
    }

private:
    fake::Server server_;
};

class ForwardedRig final : public FakeRig {
public:
    ForwardedRig() { source = std::make_unique<test::ForwardingSource>(std::move(source)); }
    ~ForwardedRig() override { source.reset(); }
};

class PostgresRig final : public Rig {
public:
    PostgresRig() {
        config_.manage_publication = false;
        lay_out();
        source = std::make_unique<PostgresSource>(PostgresSource::Deps{.config = config_,
                                                                       .links = links_,
                                                                       .clock = clock_,
                                                                       .metrics = metrics_,
                                                                       .logger = {},
                                                                       .carry_over = carry_over_});
    }
    ~PostgresRig() override { source.reset(); }

    void commits(Lsn commit, std::uint64_t rows) override {
        stream_.sends(pgc::testing::begin(commit, 2));
        stream_.sends(pgc::testing::relation(kUsers, "public", "users", 'd',
                                             {{"id", 23, true}, {"bio", 25}}));
        for (std::uint64_t row = 1; row <= rows; ++row) {
            stream_.sends(pgc::testing::insert(commit, kUsers, {std::to_string(row), "x"}));
        }
        stream_.sends(pgc::testing::commit(commit, end_of(commit)));
    }
    Lsn end_of(Lsn commit) const override { return {commit.value + 8}; }
    void is_idle_at(Lsn at) override { stream_.sends(pgc::testing::keepalive(at)); }
    void breaks() override {
        stream_.breaks = retry(Error::Category::connection, "the connection is gone");
    }
    // Feedback: written, flushed, applied.
    Lsn confirmed() const override {
        if (stream_.reported.empty()) return {};
        ByteCursor in{stream_.reported.back()};
        in.take(1 + sizeof(std::uint64_t));
        return Lsn{in.read<std::uint64_t>()};
    }
    void wait() override { clock_.advance(std::chrono::milliseconds{100}); }

private:
    void lay_out() {
        server_.local = false;
        is_healthy(server_, "users");
        server_.answers("pg-capture: slot health */", fake_slot_health());
        server_.answers("pg-capture: table facts */", fake_id_key());
    }

    ManualClock clock_;
    FakeServer server_;
    FakeStream stream_;
    FakeStreamLinks links_{server_, stream_};
    PostgresConfig config_ = shop_config();
    Metrics metrics_{"1.0"};
    SourceCarryOver carry_over_;
};

struct Place {
    std::string_view name;
    std::unique_ptr<Rig> (*make)();

    friend void PrintTo(const Place& place, std::ostream* out) { *out << place.name; }
};

template <typename Made>
std::unique_ptr<Rig> make() {
    return std::make_unique<Made>();
}

const Place kServers[] = {
    {"fake", make<FakeRig>},
    {"fake_forwarded", make<ForwardedRig>},
    {"postgres", make<PostgresRig>},
};

class SourceConformanceTest : public ::testing::TestWithParam<Place> {
protected:
    void SetUp() override { rig_ = GetParam().make(); }
    void TearDown() override { batch_.clear(); }

    Source& source() { return *rig_->source; }
    void open() {
        for (int i = 0; i < 1000; ++i) {
            const auto done = source().open();
            ASSERT_TRUE(done) << describe(done.error());
            if (*done) return;
            rig_->wait();
        }
        FAIL() << "it never opens";
    }
    void start() {
        ASSERT_NO_FATAL_FAILURE(open());
        source().recall({});
        const auto started = source().start(kFrom, {});
        ASSERT_TRUE(started) << describe(started.error());
        for (int i = 0; i < 3; ++i) round();
        ASSERT_TRUE(batch_.empty());
    }
    // As the pipeline does: into batch_, which is empty before.
    Source::Read round(std::size_t max_changes = 1000) {
        batch_.clear();
        const auto serviced = source().service();
        EXPECT_TRUE(serviced) << describe(serviced.error());
        const auto read = source().read(batch_, max_changes, 1 << 20);
        EXPECT_TRUE(read) << describe(read.error());
        if (!batch_.empty()) check_batch();
        return read.value_or(Source::Read::caught_up);
    }
    void rounds(std::size_t max_changes = 1000, int times = 20) {
        for (int i = 0; i < times; ++i) round(max_changes);
    }
    void check_batch() {
        std::size_t next = 0;
        for (const Transaction& part : batch_.transactions) {
            EXPECT_EQ(part.first, next) << "changes belong to the transactions in their order";
            next += part.count;
            EXPECT_EQ(static_cast<bool>(part.end_lsn), part.ends);
            for (std::size_t i = part.first; i < next; ++i) {
                const Position at{part.commit_lsn, batch_.changes[i].ordinal};
                EXPECT_TRUE(seen_.empty() || seen_.back() < at);
                seen_.push_back(at);
            }
            if (part.ends) resume_at_ = part.end_lsn;
            EXPECT_TRUE(part.ends || &part == &batch_.transactions.back());
        }
        EXPECT_EQ(next, batch_.changes.size());
        const Transaction& last = batch_.transactions.back();
        EXPECT_EQ(batch_.end.commit, last.commit_lsn);
        EXPECT_EQ(batch_.end.ordinal == Position::kWhole, last.ends);
        EXPECT_GT(batch_.end, end_);
        end_ = batch_.end;
        const bool ends_one = std::ranges::any_of(batch_.transactions, &Transaction::ends);
        EXPECT_EQ(batch_.resume_at, ends_one ? resume_at_ : Lsn{});
        EXPECT_EQ(batch_.lane, kStreamLane);
    }

    std::unique_ptr<Rig> rig_;
    Batch batch_;
    std::vector<Position> seen_;
    Position end_;
    Lsn resume_at_;
};

TEST_P(SourceConformanceTest, OnceOpenedItSaysWhomItTalksTo) {
    ASSERT_NO_FATAL_FAILURE(open());
    const SourceIdentity& identity = source().identity();
    EXPECT_NE(identity.system, "");
    EXPECT_NE(identity.database, "");
    EXPECT_NE(identity.slot, "");
    EXPECT_EQ(identity.slot_confirmed, kFrom);
    EXPECT_GE(source().server_end(), identity.slot_confirmed);
}

TEST_P(SourceConformanceTest, NothingThatArrivedIsAnEmptyBatch) {
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_EQ(round(), Source::Read::caught_up);
    EXPECT_TRUE(batch_.empty());
}

TEST_P(SourceConformanceTest, ChangesComeInTheOrderOfTheirCommits) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 2);
    rig_->commits(Lsn{0x400}, 1);
    rounds();
    EXPECT_THAT(seen_, ::testing::ElementsAre(Position{Lsn{0x300}, 1}, Position{Lsn{0x300}, 2},
                                              Position{Lsn{0x400}, 1}));
    EXPECT_EQ(end_, Position::whole(Lsn{0x400}));
    EXPECT_EQ(resume_at_, rig_->end_of(Lsn{0x400}));
}

TEST_P(SourceConformanceTest, ABatchMayBeginAndEndInsideATransaction) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 5);
    rig_->commits(Lsn{0x400}, 3);
    rounds(2);
    EXPECT_EQ(seen_.size(), 8U);
    EXPECT_EQ(resume_at_, rig_->end_of(Lsn{0x400}));
}

TEST_P(SourceConformanceTest, ATransactionWithoutRowsHasItsPlace) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 0);
    rounds();
    EXPECT_TRUE(seen_.empty());
    EXPECT_EQ(end_, Position::whole(Lsn{0x300}));
    EXPECT_EQ(resume_at_, rig_->end_of(Lsn{0x300}));
}

TEST_P(SourceConformanceTest, NoMoreChangesComeThanWereAskedFor) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 9);
    for (int i = 0; i < 20; ++i) {
        round(3);
        EXPECT_LE(batch_.changes.size(), 3U);
    }
    EXPECT_EQ(seen_.size(), 9U);
}

TEST_P(SourceConformanceTest, AskedToItEndsABatchWithACommit) {
    ASSERT_NO_FATAL_FAILURE(start());
    for (std::uint64_t i = 0; i < 4; ++i) rig_->commits(Lsn{0x300 + 0x100 * i}, 3);
    source().end_at_commit(true);
    for (int i = 0; i < 20 && seen_.size() < 6; ++i) {
        round(5);
        EXPECT_LE(batch_.transactions.size(), 1U);
    }
    EXPECT_EQ(seen_.size(), 6U);
    source().end_at_commit(false);
    rounds();
    EXPECT_EQ(seen_.size(), 12U);
    EXPECT_EQ(end_, Position::whole(Lsn{0x600}));
}

TEST_P(SourceConformanceTest, IdleItSaysWhere) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 1);
    rig_->is_idle_at(Lsn{0x900});
    rounds();
    EXPECT_EQ(source().idle_at(), Lsn{0x900});
    EXPECT_GE(source().server_end(), Lsn{0x900});
}

TEST_P(SourceConformanceTest, InsideATransactionItIsNotIdle) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->is_idle_at(Lsn{0x250});
    rig_->commits(Lsn{0x300}, 3);
    int inside = 0;
    for (int i = 0; i < 20; ++i) {
        round(1);
        if (batch_.empty() || batch_.transactions.back().ends) continue;
        ++inside;
        EXPECT_EQ(source().idle_at(), std::nullopt);
    }
    EXPECT_GT(inside, 0);
}

TEST_P(SourceConformanceTest, TheServerIsToldWhatIsConfirmedAndNoMore) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->commits(Lsn{0x300}, 1);
    rig_->commits(Lsn{0x400}, 1);
    rounds();
    EXPECT_LE(rig_->confirmed(), kFrom);
    source().confirm(rig_->end_of(Lsn{0x300}), true);
    rounds();
    EXPECT_EQ(rig_->confirmed(), rig_->end_of(Lsn{0x300}));
}

TEST_P(SourceConformanceTest, ABrokenConnectionIsAnErrorThatMayPass) {
    ASSERT_NO_FATAL_FAILURE(start());
    rig_->breaks();
    std::optional<Error> error;
    for (int i = 0; i < 20 && !error; ++i) {
        if (auto serviced = source().service(); !serviced) error = serviced.error();
        if (error) break;
        if (auto read = source().read(batch_, 10, 1000); !read) error = read.error();
    }
    ASSERT_TRUE(error);
    EXPECT_EQ(error->next, Error::Next::retry);
}

TEST_P(SourceConformanceTest, WithoutASnapshotNothingIsLeftOfOne) {
    ASSERT_NO_FATAL_FAILURE(start());
    if (SnapshotSource* snapshots = source().snapshots()) {
        EXPECT_FALSE(snapshots->left());
        EXPECT_EQ(snapshots->progress(), "");
        EXPECT_EQ(snapshots->revision(), 0U);
        EXPECT_FALSE(snapshots->is_due());
        EXPECT_TRUE(snapshots->report().requests.empty());
        EXPECT_EQ(source().snapshots(), snapshots) << "it stays the same";
    }
}

TEST_P(SourceConformanceTest, WhatItRemembersChangesWithItsRevision) {
    ASSERT_NO_FATAL_FAILURE(start());
    const auto revision = source().memory_revision();
    const std::string carry_over = source().memory();
    rig_->commits(Lsn{0x300}, 1);
    rounds();
    EXPECT_TRUE(source().memory_revision() != revision || source().memory() == carry_over);
}

TEST_P(SourceConformanceTest, WhatIsCertainIsNotBeforeTheStart) {
    ASSERT_NO_FATAL_FAILURE(start());
    EXPECT_GE(source().certain_until().value_or(kFrom), kFrom);
}

TEST_P(SourceConformanceTest, TheConversationCanBeEnded) {
    ASSERT_NO_FATAL_FAILURE(start());
    for (int i = 0; i < 100; ++i) {
        const auto closed = source().close();
        ASSERT_TRUE(closed) << describe(closed.error());
        if (*closed) return;
        rig_->wait();
    }
    FAIL() << "it never ends";
}

INSTANTIATE_TEST_SUITE_P(Sources, SourceConformanceTest, ::testing::ValuesIn(kServers),
                         [](const auto& place) { return std::string{place.param.name}; });

}  // namespace
}  // namespace pgc
