// The assembler with tables it knows, for its tests.
#pragma once

#include <gtest/gtest.h>

#include <list>
#include <optional>
#include <string>

#include "postgres/stream/assembler.h"
#include "support/walsender_messages.h"

namespace pgc {

using testing::kNull;
using testing::kUnchanged;
using testing::kUsers;
using testing::Sent;
using testing::SentRow;
using Taken = Assembler::Taken;

inline constexpr std::uint32_t kOrders = 16390;
inline constexpr std::uint32_t kAudit = 16396;  // not captured

inline constexpr Lsn kCommit{0x1000};
inline constexpr Lsn kEnd{0x1030};
inline constexpr Lsn kRow{0x800};

class AssemblerTest : public ::testing::Test {
protected:
    AssemblerTest() { start(false); }

    void start(bool reselect, StreamedTransactions* streamed = nullptr,
               PreparedTransactions* prepared = nullptr, Lsn wanted_from = {}) {
        assembler_.reset();
        relations_.emplace(
            types_,
            Selection{[](std::string_view, std::string_view table) { return table != "audit"; },
                      [](std::string_view, std::string_view, std::string_view) { return true; }},
            false, carry_over_, nullptr);
        assembler_.emplace(*relations_, reselect, Lsn{}, streamed, prepared, wanted_from);
        assembler_->enter(batch_);
    }

    // Gives one message, kept as an exact copy for as long as the test runs.
    Result<Taken> give(std::string_view message) {
        messages_.emplace_back(message);
        return assembler_->take(messages_.back().view(), batch_);
    }
    // The same for a message that must be taken; the catalog's question is answered.
    Taken feed(std::string_view message) {
        auto taken = give(message);
        if (taken && *taken == Taken::catalog) {
            const auto question = relations_->question();
            EXPECT_TRUE(relations_->answer(
                *question, {.primary_key = {"id"}, .identity_index = {}, .types = {}}));
            taken = give(message);
        }
        EXPECT_TRUE(taken) << describe(taken.error());
        return taken.value_or(Taken::done);
    }
    Error refused(std::string_view message) {
        const auto taken = give(message);
        EXPECT_FALSE(taken);
        return taken ? Error{} : taken.error();
    }

    void next_batch() {
        batch_.clear();
        assembler_->enter(batch_);
    }

    void declare_users(char identity = 'd') {
        feed(testing::relation(
            kUsers, "public", "users", identity,
            {{"id", 23, true}, {"name", 25, identity == 'f'}, {"bio", 25, identity == 'f'}}));
    }
    void declare_orders() {
        feed(testing::relation(kOrders, "public", "orders", 'd', {{"id", 23, true}}));
    }
    void declare_audit() {
        feed(testing::relation(kAudit, "public", "audit", 'd', {{"id", 23, true}}));
    }
    // A table known from an earlier transaction, which is out of the way.
    void with_users(char identity = 'd') {
        feed(testing::begin(Lsn{0x100}, 1));
        declare_users(identity);
        feed(testing::commit(Lsn{0x100}, Lsn{0x110}));
        next_batch();
    }

    static SentRow user(const char* id, Sent name = "Jane", Sent bio = "x") {
        return {id, std::move(name), std::move(bio)};
    }
    static std::string text(const Cell& cell) { return std::string{cell.bytes()}; }

    TypeMap types_;
    SourceCarryOver carry_over_;
    std::list<testing::ExactCopy> messages_;  // outlive the batch
    Batch batch_;
    std::optional<Relations> relations_;
    std::optional<Assembler> assembler_;
};

}  // namespace pgc
