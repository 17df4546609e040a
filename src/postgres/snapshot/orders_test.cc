#include "postgres/snapshot/orders.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using Command = SnapshotOrder::Command;

TEST(SnapshotOrdersTest, AMessageOrdersOneSnapshot) {
    const auto order = order_of_message(R"({"command":"start","id":"a","tables":["s.t"]})");
    ASSERT_TRUE(order);
    EXPECT_EQ(order->command, Command::start);
    EXPECT_EQ(order->request, (SnapshotRequest{.id = "a", .tables = {"s.t"}}));
    EXPECT_EQ(order_of_message(R"({"id":"a","tables":["s.t","s.u"]})")->request.tables.size(), 2U);
    EXPECT_EQ(order_of_message(R"({"command":"cancel","id":"a"})")->command, Command::cancel);
}

TEST(SnapshotOrdersTest, WhatAMessageLacksIsSaid) {
    for (const char* content :
         {"", "start", "[]", R"({"id":"a"})", R"({"id":"a b","tables":["s.t"]})",
          R"({"command":"burn","id":"a"})", R"({"id":"a","tables":["s.t"],"where":"true"})"}) {
        EXPECT_FALSE(order_of_message(content)) << content;
    }
}

TEST(SnapshotOrdersTest, ASignalIsDebeziums) {
    const auto orders = orders_of_signal(
        "x", "execute-snapshot",
        R"({"type":"incremental","data-collections":["s.t","s.u","s.v"],)"
        R"("additional-conditions":[{"data-collection":"s.u","filter":"n = 1"}]})");
    ASSERT_TRUE(orders);
    ASSERT_EQ(orders->size(), 2U);
    EXPECT_EQ((*orders)[0].request,
              (SnapshotRequest{.id = "x-1", .tables = {"s.u"}, .where = "n = 1"}));
    EXPECT_EQ((*orders)[1].request, (SnapshotRequest{.id = "x", .tables = {"s.t", "s.v"}}));
}

TEST(SnapshotOrdersTest, ASignalStopsAndPauses) {
    EXPECT_EQ(orders_of_signal("x", "stop-snapshot", "")->front().command, Command::cancel);
    EXPECT_EQ(orders_of_signal("x", "pause-snapshot", "")->front().command, Command::pause);
    EXPECT_EQ(orders_of_signal("x", "resume-snapshot", "")->front().command, Command::resume);
    const auto some = orders_of_signal("x y", "stop-snapshot", R"({"data-collections":["s.t"]})");
    EXPECT_EQ(some->front().request, (SnapshotRequest{.id = "", .tables = {"s.t"}}));
}

TEST(SnapshotOrdersTest, SignalsForOthersAreNone) {
    EXPECT_TRUE(orders_of_signal("x", "log", "{}")->empty());
    EXPECT_FALSE(orders_of_signal("x", "execute-snapshot", "{}"));
    EXPECT_FALSE(orders_of_signal("", "execute-snapshot", R"({"data-collections":["s.t"]})"));
}

}  // namespace
}  // namespace pgc
