#include "sink/file_registry/array_text.h"

#include <gtest/gtest.h>

#include <cstdint>
#include <string>

namespace pgc {
namespace {

TEST(ArrayTextTest, WithoutElementsItIsEmpty) {
    EXPECT_EQ(ArrayText{}.take(), "{}");
}

TEST(ArrayTextTest, WhateverStandsInATextItStaysOneElement) {
    ArrayText array;
    array.add("a");
    array.add("");
    array.add("NULL");
    array.add("\"},{\\ ,\n");
    EXPECT_EQ(std::move(array).take(), "{\"a\",\"\",\"NULL\",\"\\\"},{\\\\ ,\n\"}");
}

TEST(ArrayTextTest, NumbersAndNullsAreNotQuoted) {
    ArrayText array;
    array.add(std::uint64_t{5'000'000'000});
    array.add_null();
    array.add(-7);
    EXPECT_EQ(std::move(array).take(), "{5000000000,NULL,-7}");
}

}  // namespace
}  // namespace pgc
