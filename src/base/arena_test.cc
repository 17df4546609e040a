#include "base/arena.h"

#include <gtest/gtest.h>

#include <cstring>
#include <string>
#include <vector>

namespace pgc {
namespace {

TEST(ArenaTest, WhatItHandsOutStaysWhereItIs) {
    Arena arena;
    std::vector<std::string_view> copies;
    for (int i = 0; i < 5000; ++i) {
        copies.push_back(
            arena.copy(std::string(static_cast<std::size_t>(i % 90), 'x') + std::to_string(i)));
    }
    for (int i = 0; i < 5000; ++i) {
        EXPECT_TRUE(copies[static_cast<std::size_t>(i)].ends_with(std::to_string(i)));
    }
}

TEST(ArenaTest, AlignsWhatNeedsIt) {
    Arena arena;
    for (int i = 0; i < 100; ++i) {
        (void)arena.allocate<char>(1);
        const auto place = reinterpret_cast<std::uintptr_t>(arena.allocate<std::uint64_t>(1));
        EXPECT_EQ(place % alignof(std::uint64_t), 0U);
    }
}

TEST(ArenaTest, TakesWhatIsLargerThanAChunk) {
    Arena arena;
    const std::string large(3 * Arena::kChunk, 'L');
    EXPECT_EQ(arena.copy(large), large);
    EXPECT_EQ(arena.copy("small"), "small");
}

TEST(ArenaTest, AnEmptyCopyTakesNothing) {
    Arena arena;
    EXPECT_TRUE(arena.copy("").empty());
    EXPECT_EQ(arena.capacity(), 0U);
}

TEST(ArenaTest, KeepsItsMemoryForTheNextRound) {
    Arena arena;
    for (int i = 0; i < 10; ++i) (void)arena.allocate<char>(Arena::kChunk);
    const std::size_t before = arena.capacity();
    arena.clear();
    EXPECT_EQ(arena.capacity(), before);
    for (int i = 0; i < 10; ++i) (void)arena.allocate<char>(Arena::kChunk);
    EXPECT_EQ(arena.capacity(), before) << "a steady state allocates nothing";
}

TEST(ArenaTest, GivesBackWhatIsBeyondItsLimit) {
    Arena arena(2 * Arena::kChunk);
    for (int i = 0; i < 10; ++i) (void)arena.allocate<char>(Arena::kChunk);
    arena.clear();
    EXPECT_LE(arena.capacity(), 2 * Arena::kChunk);
    EXPECT_EQ(arena.copy("still usable"), "still usable");
}

TEST(ArenaTest, AppendsWithoutKnowingTheLength) {
    Arena arena;
    char* out = arena.reserve(8);
    ASSERT_GE(arena.reserved(), 8U);
    std::memcpy(out, "abc", 3);
    arena.commit(3);
    EXPECT_EQ(arena.copy("next"), "next");
    EXPECT_EQ(std::string_view(out, 3), "abc");
}

TEST(ArenaTest, GrowingKeepsWhatWasWritten) {
    Arena arena;
    char* out = arena.reserve(4);
    std::size_t written = 0;
    std::string expected;
    while (written < 5 * Arena::kChunk) {
        if (written == arena.reserved()) out = arena.grow(written, 2 * written);
        const char c = static_cast<char>('a' + written % 26);
        out[written++] = c;
        expected += c;
    }
    arena.commit(written);
    EXPECT_EQ(std::string_view(out, written), expected);
}

TEST(ArenaTest, AMovedArenaOwnsItsMemory) {
    Arena first;
    const auto text = first.copy("carried over");
    const Arena second = std::move(first);
    EXPECT_EQ(text, "carried over");
    EXPECT_GT(second.capacity(), 0U);
}

}  // namespace
}  // namespace pgc
