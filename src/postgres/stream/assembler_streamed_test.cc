// Transactions that are streamed before they are committed: what comes of them is what would come
// of the same transactions sent after their commit.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <map>
#include <random>
#include <string>
#include <vector>

#include "support/assembler_fixture.h"

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::in_block;
using ::testing::IsEmpty;

// Everything that can be seen of a batch, one line a change and one an end.
std::vector<std::string> lines_of(const Batch& batch) {
    std::vector<std::string> lines;
    for (const Transaction& transaction : batch.transactions) {
        const std::string head = std::to_string(transaction.xid.value) + " " +
                                 to_string(transaction.commit_lsn) + " " +
                                 std::to_string(transaction.committed_at.unix_us);
        for (std::uint32_t i = 0; i < transaction.count; ++i) {
            const Change& change = batch.changes[transaction.first + i];
            std::string line = head + " " + std::string(name(change.operation)) + " " +
                               to_string(change.lsn) + " #" + std::to_string(change.ordinal);
            if (change.message != nullptr) line += " " + std::string(change.message->content);
            for (const Cell* row : {change.before, change.after}) {
                for (std::size_t c = 0; row != nullptr && c < change.relation->columns.size();
                     ++c) {
                    line +=
                        " " + change.relation->columns[c].name + "=" + std::string(row[c].bytes());
                }
            }
            lines.push_back(std::move(line));
        }
        if (transaction.ends) lines.push_back(head + " ends " + to_string(transaction.end_lsn));
    }
    return lines;
}

class AssemblerStreamedTest : public AssemblerTest {
protected:
    AssemblerStreamedTest() { start_streaming(); }

    void start_streaming() {
        streamed_.reset();
        streamed_.emplace(
            StreamedTransactions::Deps{.folder = folder_, .limit = std::uint64_t{1} << 30});
        start(false, &*streamed_);
    }

    void answer_catalog() {
        const auto question = relations_->question();
        ASSERT_TRUE(question);
        ASSERT_TRUE(relations_->answer(*question,
                                       {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
    }
    // Until the transaction has ended.
    void replay() {
        while (assembler_->replaying()) {
            const auto taken = assembler_->replay(batch_);
            ASSERT_TRUE(taken) << describe(taken.error());
            if (*taken == Taken::catalog) answer_catalog();
        }
    }
    void commit_streamed(std::uint32_t xid, Lsn commit) {
        ASSERT_EQ(feed(testing::stream_commit(xid, commit, Lsn{commit.value + 8})), Taken::replay);
        replay();
    }
    void block(std::uint32_t xid, bool first, const std::vector<std::string>& messages) {
        feed(testing::stream_start(xid, first));
        for (const std::string& message : messages) EXPECT_EQ(feed(message), Taken::done);
        feed(testing::stream_stop());
    }
    static std::string users(std::vector<testing::SentColumn> columns = {{"id", 23, true},
                                                                         {"name", 25}}) {
        return testing::relation(kUsers, "public", "users", 'd', columns);
    }
    static std::string row(const char* id, const char* name = "x") {
        return testing::insert(kRow, kUsers, {id, name});
    }
    std::vector<std::string> ids() const {
        std::vector<std::string> all;
        for (const Change& change : batch_.changes) all.push_back(text(change.after[0]));
        return all;
    }

    SimulatedSpillFolder folder_;
    std::optional<StreamedTransactions> streamed_;
};

TEST_F(AssemblerStreamedTest, NothingComesOfItBeforeItsCommit) {
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    EXPECT_TRUE(batch_.empty());
    EXPECT_FALSE(assembler_->in_transaction());
    block(7, false, {in_block(7, row("2"))});
    commit_streamed(7, kCommit);
    EXPECT_THAT(ids(), ElementsAre("1", "2"));
    ASSERT_EQ(batch_.transactions.size(), 1U);
    const Transaction& transaction = batch_.transactions[0];
    EXPECT_EQ(transaction.xid, Xid{7});
    EXPECT_EQ(transaction.commit_lsn, kCommit);
    EXPECT_TRUE(transaction.ends);
    EXPECT_EQ(batch_.end, Position::whole(kCommit));
    EXPECT_EQ(batch_.resume_at, Lsn{kCommit.value + 8});
    EXPECT_EQ(batch_.changes[1].ordinal, 2U);
    EXPECT_EQ(batch_.changes[1].lsn, kRow);
    EXPECT_THAT(folder_.files(), IsEmpty());
}

TEST_F(AssemblerStreamedTest, AnAbortedOneNeverWas) {
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    feed(testing::stream_abort(7, 7));
    EXPECT_TRUE(batch_.empty());
    EXPECT_THAT(folder_.files(), IsEmpty());
    const Error error = refused(testing::stream_commit(7, kCommit, kEnd));
    EXPECT_THAT(error.what, HasSubstr("commit of another transaction"));
}

// As an 18 sends it.
TEST_F(AssemblerStreamedTest, AnAbortThatNobodyAskedForIsNothing) {
    start(false);
    EXPECT_EQ(feed(testing::stream_abort(7, 7)), Taken::done);
    EXPECT_EQ(feed(testing::stream_abort(7, 8)), Taken::done);
    with_users();
    EXPECT_THAT(refused(testing::stream_start(7, true)).what,
                HasSubstr("a Stream Start message, which we did not ask for"));
}

TEST_F(AssemblerStreamedTest, OneWithoutRowsEntersTheBatchEmpty) {
    block(7, true, {});
    commit_streamed(7, kCommit);
    ASSERT_EQ(batch_.transactions.size(), 1U);
    EXPECT_EQ(batch_.transactions[0].count, 0U);
    EXPECT_TRUE(batch_.transactions[0].ends);
}

TEST_F(AssemblerStreamedTest, OthersCommitBetweenItsBlocks) {
    with_users();
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    feed(testing::begin(Lsn{0x500}, 3));
    feed(testing::insert(Lsn{0x480}, kUsers, user("9")));
    feed(testing::commit(Lsn{0x500}, Lsn{0x508}));
    block(8, true, {in_block(8, users()), in_block(8, row("5"))});
    block(7, false, {in_block(7, row("2"))});
    commit_streamed(8, Lsn{0x600});
    commit_streamed(7, Lsn{0x700});
    EXPECT_THAT(ids(), ElementsAre("9", "5", "1", "2"));
}

TEST_F(AssemblerStreamedTest, AReplayGoesOnInTheNextBatchWithTheSameOrdinals) {
    with_users();
    block(7, true,
          {in_block(7, users()), in_block(7, row("1")), in_block(7, row("2")),
           in_block(7, row("3"))});
    feed(testing::stream_commit(7, kCommit, kEnd));
    for (int i = 0; i < 3; ++i) {
        auto taken = assembler_->replay(batch_);
        ASSERT_TRUE(taken);
        if (*taken == Taken::catalog) answer_catalog(), --i;
    }
    EXPECT_EQ(batch_.changes.size(), 2U);
    EXPECT_FALSE(batch_.transactions.back().ends);
    EXPECT_EQ(batch_.end, (Position{kCommit, 2}));
    EXPECT_EQ(assembler_->idle_at(), std::nullopt);
    next_batch();
    replay();
    ASSERT_EQ(batch_.changes.size(), 1U);
    EXPECT_EQ(batch_.changes[0].ordinal, 3U);
    EXPECT_TRUE(batch_.transactions.back().ends);
}

TEST_F(AssemblerStreamedTest, InsideABlockNoPlaceIsIdle) {
    feed(testing::keepalive(Lsn{0x300}));
    EXPECT_EQ(assembler_->idle_at(), Lsn{0x300});
    feed(testing::stream_start(7, true));
    EXPECT_EQ(assembler_->idle_at(), std::nullopt);
    feed(testing::keepalive(Lsn{0x400}));
    EXPECT_EQ(assembler_->idle_at(), std::nullopt);
    EXPECT_EQ(assembler_->received(), Lsn{0x300});
    feed(testing::stream_stop());
    // As with any transaction that is open: its commit comes later, and the server keeps its log.
    EXPECT_EQ(assembler_->idle_at(), Lsn{0x300});
    feed(testing::keepalive(Lsn{0x500}));
    EXPECT_EQ(assembler_->idle_at(), Lsn{0x500});
}

TEST_F(AssemblerStreamedTest, OneThatCommitsAfterTheHoldIsHeldAndComesWhenThatIsGone) {
    with_users();
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    assembler_->hold_at(kCommit);
    const std::string commit = testing::stream_commit(7, kCommit, kEnd);
    EXPECT_EQ(give(commit), Taken::held);
    EXPECT_FALSE(assembler_->replaying());
    EXPECT_FALSE(assembler_->in_transaction());
    assembler_->hold_at(std::nullopt);
    EXPECT_EQ(give(commit), Taken::replay);
    replay();
    EXPECT_THAT(ids(), ElementsAre("1"));
}

TEST_F(AssemblerStreamedTest, AMessageInItIsAChangeOfIt) {
    block(7, true, {in_block(7, testing::logical_message(kRow, true, "p", "hello"))});
    commit_streamed(7, kCommit);
    ASSERT_EQ(batch_.changes.size(), 1U);
    EXPECT_EQ(batch_.changes[0].message->content, "hello");
    EXPECT_EQ(batch_.changes[0].lsn, kRow);
}

TEST_F(AssemblerStreamedTest, WhatItAnnouncedIsTheStreamsAfterItsCommit) {
    block(7, true, {in_block(7, users({{"id", 23, true}, {"mail", 25}})), in_block(7, row("1"))});
    commit_streamed(7, kCommit);
    feed(testing::begin(Lsn{0x2000}, 8));
    feed(row("2"));
    EXPECT_EQ(batch_.changes.at(1).relation->columns.at(1).name, "mail");
}

TEST_F(AssemblerStreamedTest, WhatAnAbortedOneAnnouncedIsNotTheStreams) {
    with_users();
    block(7, true, {in_block(7, users({{"id", 23, true}, {"mail", 25}})), in_block(7, row("1"))});
    feed(testing::stream_abort(7, 7));
    feed(testing::begin(kCommit, 8));
    feed(testing::insert(kRow, kUsers, user("2")));
    EXPECT_EQ(batch_.changes.at(0).relation->columns.at(1).name, "name");
}

TEST_F(AssemblerStreamedTest, ATableThatIsAlteredInItHasEachRowInItsOwnForm) {
    block(7, true,
          {in_block(7, users()), in_block(7, row("1")),
           in_block(7, users({{"id", 23, true}, {"mail", 25}})), in_block(7, row("2"))});
    commit_streamed(7, kCommit);
    EXPECT_EQ(batch_.changes.at(0).relation->columns.at(1).name, "name");
    EXPECT_EQ(batch_.changes.at(1).relation->columns.at(1).name, "mail");
}

TEST_F(AssemblerStreamedTest, ATableThatIsAlteredInAnAbortedPartIsAsBefore) {
    block(7, true,
          {in_block(7, users()), in_block(7, row("1")),
           in_block(8, users({{"id", 23, true}, {"mail", 25}})), in_block(8, row("2"))});
    feed(testing::stream_abort(7, 8));
    block(7, false, {in_block(7, users()), in_block(7, row("3"))});
    commit_streamed(7, kCommit);
    EXPECT_THAT(ids(), ElementsAre("1", "3"));
    EXPECT_EQ(batch_.changes.at(1).relation->columns.at(1).name, "name");
}

// As happens when a publication's list of columns is changed, which waits for nobody: the server
// has announced the table since, and does not do so again.
TEST_F(AssemblerStreamedTest, WhatWasAnnouncedAfterItsOwnIsInForceAgainAfterItsCommit) {
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    feed(testing::begin(Lsn{0x500}, 8));
    feed(users({{"id", 23, true}, {"mail", 25}, {"age", 25}}));
    feed(testing::insert(kRow, kUsers, {"2", "x", "y"}));
    feed(testing::commit(Lsn{0x500}, Lsn{0x508}));
    commit_streamed(7, kCommit);
    feed(testing::begin(Lsn{0x2000}, 9));
    feed(testing::insert(kRow, kUsers, {"3", "x", "y"}));
    EXPECT_THAT(ids(), ElementsAre("2", "1", "3"));
    EXPECT_EQ(batch_.changes.at(1).relation->columns.size(), 2U);
    EXPECT_EQ(batch_.changes.at(2).relation->columns.size(), 3U);
}

TEST_F(AssemblerStreamedTest, WhatItAnnouncedLastOfAllStays) {
    block(7, true, {in_block(7, users()), in_block(7, row("1"))});
    feed(testing::begin(Lsn{0x500}, 8));
    feed(users({{"id", 23, true}, {"mail", 25}, {"age", 25}}));
    feed(testing::commit(Lsn{0x500}, Lsn{0x508}));
    block(7, false, {in_block(7, users({{"id", 23, true}, {"tel", 25}})), in_block(7, row("2"))});
    commit_streamed(7, kCommit);
    feed(testing::begin(Lsn{0x2000}, 9));
    feed(row("3"));
    EXPECT_THAT(ids(), ElementsAre("1", "2", "3"));
    EXPECT_EQ(batch_.changes.at(2).relation->columns.at(1).name, "tel");
}

TEST_F(AssemblerStreamedTest, WhatDoesNotBelongThereIsRefused) {
    const auto error_of = [&](const std::vector<std::string>& messages) {
        start_streaming();
        for (std::size_t i = 0; i + 1 < messages.size(); ++i) feed(messages[i]);
        return refused(messages.back()).what;
    };
    using namespace testing;
    EXPECT_THAT(error_of({stream_start(7, true), begin(kCommit, 8)}),
                HasSubstr("a Begin message inside of a stream block"));
    EXPECT_THAT(error_of({stream_start(7, true), stream_start(8, true)}),
                HasSubstr("a Stream Start message inside of a stream block"));
    EXPECT_THAT(error_of({stream_start(7, true), stream_commit(7, kCommit, kEnd)}),
                HasSubstr("a Stream Commit message inside of a stream block"));
    EXPECT_THAT(error_of({begin(kCommit, 8), stream_start(7, true)}),
                HasSubstr("a stream block inside of a transaction"));
    EXPECT_THAT(error_of({stream_start(7, false)}), HasSubstr("that it never began"));
    EXPECT_THAT(error_of({stream_start(7, true), stream_stop(), stream_commit(8, kCommit, kEnd)}),
                HasSubstr("commit of another transaction"));
    EXPECT_THAT(
        error_of({stream_start(7, true), stream_stop(), stream_commit(7, kCommit, kCommit)}),
        HasSubstr("commit of another transaction"));
    EXPECT_THAT(error_of({stream_start(7, true), xlog_data({}, Wire{'I'}.int16(1))}),
                HasSubstr("can't decode"));
}

// ---- against the same transactions, sent after their commit

// A database whose transactions interleave, with savepoints that are released and rolled back, some
// nested; and both of what its server would send: blocks as they come, or transactions as they are
// committed.
class Workload {
public:
    explicit Workload(std::uint64_t seed) : random_(seed) {}

    void run(std::size_t steps) {
        for (std::size_t i = 0; i < steps; ++i) step();
        while (!open_.empty()) finish(open_.begin()->first, below(4) == 0);
    }
    std::vector<std::string> streamed, ordinary;

private:
    struct Sub {
        std::uint32_t xid = 0;             // 0: none assigned yet
        std::vector<std::uint32_t> below;  // released into it
    };
    struct Open {
        std::vector<Sub> stack;  // the first is the transaction itself
        std::vector<std::pair<std::uint32_t, std::string>> changes;  // all that is valid, by xid
        std::vector<std::pair<std::uint32_t, std::string>> pending;  // and not streamed yet
        bool began = false;                                          // to be streamed
        bool announced = false;                                      // in its blocks
        std::vector<std::uint32_t> sent;  // xids of which something was streamed
    };

    std::uint64_t below(std::uint64_t n) { return random_() % n; }
    Lsn lsn() { return Lsn{now_ += 16}; }
    std::uint32_t new_xid() {
        constexpr std::uint32_t first = 3;
        return next_xid_ = next_xid_ + 1 < first ? first : next_xid_ + 1;
    }

    void step() {
        if (open_.size() < 4 && below(6) == 0) {
            const std::uint32_t xid = new_xid();
            open_[xid].stack.push_back({xid, {}});
            return;
        }
        if (open_.empty()) return;
        auto at = open_.begin();
        std::advance(at, static_cast<std::ptrdiff_t>(below(open_.size())));
        auto& [top, open] = *at;
        switch (below(14)) {
            case 0: open.stack.push_back({}); return;
            case 1:
                if (open.stack.size() > 1) release(open);
                return;
            case 2:
                if (open.stack.size() > 1) roll_back(top, open);
                return;
            case 3:
            case 4: stream(top, open); return;
            case 5:
                if (below(3) == 0) finish(top, below(4) == 0);
                return;
            default: write(open); return;
        }
    }

    // A subtransaction is given its xid with its first change, its parents before it.
    void write(Open& open) {
        for (Sub& sub : open.stack) {
            if (sub.xid == 0) sub.xid = new_xid();
        }
        const std::string id = std::to_string(next_id_++);
        const std::string change =
            below(8) == 0 ? testing::remove(lsn(), kUsers, 'K', {id, kNull})
                          : testing::insert(lsn(), kUsers, {id, std::string(below(40), 'x')});
        open.changes.emplace_back(open.stack.back().xid, change);
        open.pending.emplace_back(open.stack.back().xid, change);
    }

    static void release(Open& open) {
        Sub sub = std::move(open.stack.back());
        open.stack.pop_back();
        if (sub.xid == 0) return;
        auto& below = open.stack.back().below;
        below.insert(below.end(), sub.below.begin(), sub.below.end());
        below.push_back(sub.xid);
    }

    void roll_back(std::uint32_t top, Open& open) {
        Sub sub = std::move(open.stack.back());
        open.stack.pop_back();
        if (sub.xid == 0) return;
        std::vector<std::uint32_t> all = sub.below;
        all.push_back(sub.xid);
        for (const std::uint32_t xid : all) {
            std::erase_if(open.changes, [&](const auto& change) { return change.first == xid; });
            std::erase_if(open.pending, [&](const auto& change) { return change.first == xid; });
            if (std::ranges::find(open.sent, xid) != open.sent.end()) {
                streamed.push_back(testing::stream_abort(top, xid));
                open.announced = false;
            }
        }
    }

    void stream(std::uint32_t top, Open& open) {
        streamed.push_back(testing::stream_start(top, !open.began));
        open.began = true;
        for (const auto& [xid, change] : open.pending) {
            if (!open.announced) streamed.push_back(in_block(xid, relation()));
            open.announced = true;
            open.sent.push_back(xid);
            streamed.push_back(in_block(xid, change));
        }
        open.pending.clear();
        streamed.push_back(testing::stream_stop());
    }

    void finish(std::uint32_t top, bool rolls_back) {
        Open& open = open_.at(top);
        if (rolls_back) {
            if (open.began) streamed.push_back(testing::stream_abort(top, top));
            open_.erase(top);
            return;
        }
        const Lsn commit = lsn();
        const Lsn end{commit.value + 8};
        std::vector<std::string> whole{testing::begin(commit, top), relation()};
        for (const auto& [xid, change] : open.changes) whole.push_back(change);
        whole.push_back(testing::commit(commit, end));
        ordinary.insert(ordinary.end(), whole.begin(), whole.end());
        if (open.began) {
            stream(top, open);
            streamed.push_back(testing::stream_commit(top, commit, end));
        } else {
            streamed.insert(streamed.end(), whole.begin(), whole.end());
        }
        open_.erase(top);
    }

    static std::string relation() {
        return testing::relation(kUsers, "public", "users", 'd', {{"id", 23, true}, {"name", 25}});
    }

    std::mt19937_64 random_;
    std::map<std::uint32_t, Open> open_;
    std::uint32_t next_xid_ = 0xFFFFFF00;  // goes round
    std::uint64_t next_id_ = 1;
    std::uint64_t now_ = 0x1000;
};

TEST_F(AssemblerStreamedTest, WhatComesOfThemIsWhatComesOfTheSameSentAfterTheirCommit) {
    std::size_t changes = 0;
    for (std::uint64_t seed = 1; seed <= 300; ++seed) {
        Workload workload(seed);
        workload.run(400);
        std::mt19937_64 random(seed);
        const auto lines = [&](const std::vector<std::string>& messages) {
            std::vector<std::string> all;
            start_streaming();
            next_batch();
            const auto drain = [&] {
                const auto more = lines_of(batch_);
                all.insert(all.end(), more.begin(), more.end());
                next_batch();
            };
            for (const std::string& message : messages) {
                feed(message);
                while (assembler_->replaying()) {
                    const auto taken = assembler_->replay(batch_);
                    EXPECT_TRUE(taken);
                    if (!taken) return all;
                    if (*taken == Taken::catalog) answer_catalog();
                    if (random() % 16 == 0) drain();
                }
                if (random() % 16 == 0) drain();
            }
            drain();
            return all;
        };
        const auto expected = lines(workload.ordinary);
        ASSERT_EQ(lines(workload.streamed), expected) << "seed " << seed;
        EXPECT_THAT(folder_.files(), IsEmpty()) << "seed " << seed;
        changes += expected.size();
        messages_.clear();
    }
    EXPECT_GT(changes, 10'000U);
}

}  // namespace
}  // namespace pgc
