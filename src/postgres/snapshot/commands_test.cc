#include "postgres/snapshot/commands.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

using Verb = SnapshotCommand::Verb;

TEST(SnapshotCommandsTest, AMessageRequestsOneSnapshot) {
    const auto command = command_of_message(R"({"command":"start","id":"a","tables":["s.t"]})");
    ASSERT_TRUE(command);
    EXPECT_EQ(command->verb, Verb::start);
    EXPECT_EQ(command->request, (SnapshotRequest{.id = "a", .tables = {"s.t"}}));
    EXPECT_EQ(command_of_message(R"({"id":"a","tables":["s.t","s.u"]})")->request.tables.size(),
              2U);
    EXPECT_EQ(command_of_message(R"({"command":"cancel","id":"a"})")->verb, Verb::cancel);
}

TEST(SnapshotCommandsTest, WhatAMessageLacksIsSaid) {
    for (const char* content :
         {"", "start", "[]", R"({"id":"a"})", R"({"id":"a b","tables":["s.t"]})",
          R"({"command":"burn","id":"a"})", R"({"id":"a","tables":["s.t"],"where":"true"})"}) {
        EXPECT_FALSE(command_of_message(content)) << content;
    }
}

TEST(SnapshotCommandsTest, ASignalIsDebeziums) {
    const auto commands = commands_of_signal(
        "x", "execute-snapshot",
        R"({"type":"incremental","data-collections":["s.t","s.u","s.v"],)"
        R"("additional-conditions":[{"data-collection":"s.u","filter":"n = 1"}]})");
    ASSERT_TRUE(commands);
    ASSERT_EQ(commands->size(), 2U);
    EXPECT_EQ((*commands)[0].request,
              (SnapshotRequest{.id = "x-1", .tables = {"s.u"}, .where = "n = 1"}));
    EXPECT_EQ((*commands)[1].request, (SnapshotRequest{.id = "x", .tables = {"s.t", "s.v"}}));
}

TEST(SnapshotCommandsTest, ASignalStopsAndPauses) {
    EXPECT_EQ(commands_of_signal("x", "stop-snapshot", "")->front().verb, Verb::cancel);
    EXPECT_EQ(commands_of_signal("x", "pause-snapshot", "")->front().verb, Verb::pause);
    EXPECT_EQ(commands_of_signal("x", "resume-snapshot", "")->front().verb, Verb::resume);
    const auto some = commands_of_signal("x y", "stop-snapshot", R"({"data-collections":["s.t"]})");
    EXPECT_EQ(some->front().request, (SnapshotRequest{.id = "", .tables = {"s.t"}}));
}

TEST(SnapshotCommandsTest, SignalsForOthersAreNone) {
    EXPECT_TRUE(commands_of_signal("x", "log", "{}")->empty());
    EXPECT_FALSE(commands_of_signal("x", "execute-snapshot", "{}"));
    EXPECT_FALSE(commands_of_signal("", "execute-snapshot", R"({"data-collections":["s.t"]})"));
}

}  // namespace
}  // namespace pgc
