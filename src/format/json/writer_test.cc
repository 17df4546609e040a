#include "format/json/writer.h"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

namespace pgc {
namespace {

TEST(JsonWriterTest, TextsStandOneBehindTheOtherAndStay) {
    Arena arena;
    Writer out;
    out.begin(arena);
    out.text("key");
    const std::string_view key = out.finish();
    out.begin(arena);
    out.text("val");
    out.byte('!');
    const std::string_view value = out.finish();
    EXPECT_EQ(key, "key");
    EXPECT_EQ(value, "val!");
    EXPECT_EQ(value.data(), key.data() + key.size());
}

TEST(JsonWriterTest, GrowsBeyondAChunkAndKeepsWhatWasWritten) {
    Arena arena;
    Writer out;
    out.begin(arena);
    std::string expected;
    for (int i = 0; i < 50'000; ++i) {
        out.text("0123456789");
        expected += "0123456789";
    }
    EXPECT_EQ(out.finish(), expected);
}

TEST(JsonWriterTest, ATextThatIsNotFinishedLeavesNothingBehind) {
    Arena arena;
    Writer out;
    out.begin(arena);
    out.text("given up");
    out.begin(arena);
    out.text("kept");
    EXPECT_EQ(out.finish(), "kept");
}

TEST(JsonWriterTest, RewindsToAnEarlierSize) {
    Arena arena;
    Writer out;
    out.begin(arena);
    out.text("ab");
    const std::size_t size = out.size();
    out.text("cd");
    EXPECT_EQ(out.since(size), "cd");
    out.rewind(size);
    out.text("e");
    EXPECT_EQ(out.finish(), "abe");
}

TEST(JsonWriterTest, AByteIsReplacedAndAGapOpenedInWhatWasWritten) {
    Arena arena;
    Writer out;
    out.begin(arena);
    out.text("abc");
    out.replace(0, 'x');
    out.open_gap(1, 2);
    out.replace(1, '1');
    out.replace(2, '2');
    out.byte('d');
    EXPECT_EQ(out.finish(), "x12bcd");
}

TEST(JsonWriterTest, AGapThatNeedsMoreRoomKeepsWhatWasWritten) {
    Arena arena;
    Writer out;
    out.begin(arena);
    const std::string text(Arena::kChunk, 'a');
    out.text(text);
    out.open_gap(0, 3);
    for (std::size_t at = 0; at < 3; ++at) out.replace(at, 'b');
    EXPECT_EQ(out.finish(), "bbb" + text);
}

}  // namespace
}  // namespace pgc
