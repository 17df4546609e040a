#include "core/topic_characters.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

TEST(TopicCharactersTest, WhatATopicCanHoldStays) {
    EXPECT_EQ(plain_topic_name("shop.public.Order_Details-2"), "shop.public.Order_Details-2");
}

TEST(TopicCharactersTest, EachOtherUnitOfUtf16IsAnUnderscore) {
    EXPECT_EQ(plain_topic_name("a b/$\"\\"), "a_b____");
    EXPECT_EQ(plain_topic_name("\u00fcn\u00ef\u4e2d"), "_n__");
    EXPECT_EQ(plain_topic_name("x\U0001F600y"), "x__y");
}

TEST(TopicCharactersTest, WhatIsTooLongIsCutAndDotsAreNoName) {
    EXPECT_EQ(plain_topic_name(std::string(300, 'a')), std::string(kTopicName_max, 'a'));
    EXPECT_EQ(plain_topic_name("."), "_");
    EXPECT_EQ(plain_topic_name(".."), "__");
}

}  // namespace
}  // namespace pgc
