#include "format/registry/schema_cache.h"

#include <gtest/gtest.h>

#include <set>

namespace pgc {
namespace {

TEST(SchemaCacheTest, RemembersIds) {
    SchemaCache cache;
    EXPECT_EQ(cache.find("a"), std::nullopt);
    cache.insert("a", SchemaId{7});
    cache.insert("b", SchemaId{8});
    cache.insert("a", SchemaId{9});
    EXPECT_EQ(cache.find("a"), SchemaId{9});
    EXPECT_EQ(cache.find("b"), SchemaId{8});
    EXPECT_EQ(cache.size(), 2U);
}

TEST(SchemaCacheTest, WhatWasNotAskedForLongestGoesFirst) {
    SchemaCache cache(3 * 256);
    const auto key = [](char c) { return std::string(100, c); };
    for (const char c : {'a', 'b', 'c'}) cache.insert(key(c), SchemaId{c});
    EXPECT_TRUE(cache.find(key('a')));
    cache.insert(key('d'), SchemaId{'d'});
    EXPECT_FALSE(cache.find(key('b')));
    for (const char c : {'a', 'c', 'd'}) EXPECT_EQ(cache.find(key(c)), SchemaId{c});
    cache.insert(std::string(10'000, 'e'), SchemaId{1});
    EXPECT_EQ(cache.size(), 1U) << "the last one stays, however large";
}

TEST(SchemaCacheTest, DifferentSchemasHaveDifferentKeys) {
    const SchemaReference reference{"other.proto", "other", 1};
    const std::set<std::string> keys{
        schema_key({"s"}, {SchemaType::avro, "x"}),
        schema_key({"s"}, {SchemaType::json, "x"}),
        schema_key({"t"}, {SchemaType::avro, "x"}),
        schema_key({"s"}, {SchemaType::avro, "y"}),
        schema_key({"s"}, {SchemaType::avro, "x", {reference}}),
        schema_key({"s"}, {SchemaType::avro, "x", {{"other.proto", "other", 2}}}),
        schema_key({"s AVRO 1:x"}, {SchemaType::avro, "x"}),
        schema_key({"s"}, {SchemaType::avro, "x 11:other.proto 5:other 1"}),
    };
    EXPECT_EQ(keys.size(), 8U);
    EXPECT_EQ(schema_key({"s", SchemaOf::key}, {SchemaType::avro, "x"}),
              schema_key({"s", SchemaOf::value}, {SchemaType::avro, "x"}));
}

}  // namespace
}  // namespace pgc
