#include "pgclient/quote.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

TEST(QuoteTest, NamesAreQuotedWhateverTheyAre) {
    EXPECT_EQ(quote_name("users"), "\"users\"");
    EXPECT_EQ(quote_name("We\"ird; DROP"), "\"We\"\"ird; DROP\"");
    EXPECT_EQ(quote_name("a", "b.c"), "\"a\".\"b.c\"");
}

TEST(QuoteTest, TextsMeanTheSameWithoutStandardConformingStrings) {
    EXPECT_EQ(quote_text("it's"), "'it''s'");
    EXPECT_EQ(quote_text("a\\'b"), "E'a\\\\''b'");
}

TEST(QuoteTest, ReplicationCommandsKnowOnlyTheDoubledQuote) {
    EXPECT_EQ(quote_replication_text("a\\'b"), "'a\\''b'");
}

}  // namespace
}  // namespace pgc
