#include "postgres/relations/lineages.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <utility>

namespace pgc {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const TableName kOrders{"public", "orders"};
const TableName kEu{"public", "orders_eu"};
const TableName kOld{"odd /.%", "a;b:c,d@\xC3\xA4"};
constexpr Oid kLeaf{16400};
constexpr Oid kOther{16402};

TableFilter only_orders() {
    return TableFilter{{*NamePattern::parse("public.orders", 2)}, {}};
}

// As another process reads it.
Lineages carried(const Lineages& from) {
    Lineages to;
    EXPECT_TRUE(to.read(from.text(only_orders()).text));
    return to;
}

TEST(LineagesTest, KnowsWhatATableIsAndWasBelow) {
    Lineages lineages;
    lineages.refresh({{kLeaf, {kEu, kOrders}}, {kOther, {}}});
    EXPECT_THAT(lineages.above(kLeaf), ElementsAre(kEu, kOrders));
    EXPECT_TRUE(lineages.knows(kOther));
    EXPECT_FALSE(lineages.knows(Oid{1}));
    lineages.saw(kLeaf, {kEu}, true, Lsn{50});
    EXPECT_THAT(lineages.above(kLeaf), ElementsAre(kEu, kOrders));
    lineages.saw(kLeaf, {}, false, Lsn{60});
    EXPECT_THAT(lineages.above(kLeaf), ElementsAre(kOrders, kEu));
}

TEST(LineagesTest, ForgetsWhatWasOnceAllBeforeItIsDurable) {
    Lineages lineages;
    lineages.refresh({{kLeaf, {kOrders}}, {kOther, {kOrders}}});
    lineages.saw(kLeaf, {kOld}, true, Lsn{50});
    EXPECT_THAT(lineages.forget(Lsn{49}), IsEmpty());
    EXPECT_THAT(lineages.forget(Lsn{50}), ElementsAre(kLeaf));
    EXPECT_THAT(lineages.above(kLeaf), ElementsAre(kOld));
    lineages.saw(kLeaf, {}, false, Lsn{70});
    EXPECT_THAT(lineages.forget(Lsn{70}), ElementsAre(kLeaf));
    EXPECT_FALSE(lineages.knows(kLeaf));
    EXPECT_THAT(lineages.above(kOther), ElementsAre(kOrders)) << "it still is";
}

TEST(LineagesTest, SinceWhenIsSettledByTheNextOneWhoKnows) {
    Lineages lineages;
    lineages.refresh({{kLeaf, {kOrders}}});
    lineages.refresh({});
    EXPECT_THAT(lineages.forget(Lsn{1000}), IsEmpty()) << "nobody knows when";
    lineages = carried(lineages);
    EXPECT_THAT(lineages.forget(Lsn{1000}), IsEmpty());
    lineages.settle(Lsn{90});
    EXPECT_THAT(lineages.forget(Lsn{89}), IsEmpty());
    EXPECT_THAT(lineages.forget(Lsn{90}), ElementsAre(kLeaf));
}

TEST(LineagesTest, TheLatestEndCounts) {
    Lineages lineages;
    lineages.refresh({{kLeaf, {kOrders}}});
    lineages.saw(kLeaf, {kEu}, true, Lsn{50});
    lineages.saw(kLeaf, {kOld}, true, Lsn{60});
    EXPECT_THAT(lineages.forget(Lsn{55}), IsEmpty());
    lineages.refresh({});
    EXPECT_THAT(lineages.forget(Lsn{1000}), IsEmpty()) << "that of the last one is not known";
    lineages.settle(Lsn{80});
    EXPECT_THAT(lineages.above(kLeaf), ElementsAre(kOrders, kEu, kOld));
    EXPECT_THAT(lineages.forget(Lsn{80}), ElementsAre(kLeaf));
}

TEST(LineagesTest, IsCarriedByItsText) {
    Lineages lineages;
    EXPECT_EQ(lineages.text(only_orders()).text, "");
    lineages.refresh(
        {{kLeaf, {kOrders}}, {kOther, {kOrders}}, {Oid{4'294'967'295}, {kOld}}, {Oid{7}, {}}});
    lineages.saw(kOther, {kOld, kEu}, true, Lsn{0x16'B374'D848});
    const auto [text, whole] = lineages.text(only_orders());
    EXPECT_TRUE(whole);
    EXPECT_EQ(text,
              "1;bpublic.orders@16B374D848:16402;npublic.orders:16400;n:7;"
              "nodd%20%2F%2E%25.a%3Bb%3Ac%2Cd%40\xC3\xA4:4294967295;"
              "nodd%20%2F%2E%25.a%3Bb%3Ac%2Cd%40\xC3\xA4/public.orders_eu:16402");
    Lineages other = carried(lineages);
    EXPECT_EQ(other.text(only_orders()).text, text);
    EXPECT_THAT(other.above(kOther), ElementsAre(kOld, kEu, kOrders));
    EXPECT_THAT(other.forget(Lsn{0x16'B374'D848}), ElementsAre(kOther));
    EXPECT_TRUE(other.knows(Oid{7}));
}

TEST(LineagesTest, ItsRevisionChangesWithIt) {
    Lineages lineages;
    auto before = lineages.revision();
    const auto changed = [&] {
        return lineages.revision() != std::exchange(before, lineages.revision());
    };
    lineages.refresh({{kLeaf, {kOrders}}});
    EXPECT_TRUE(changed());
    lineages.refresh({{kLeaf, {kOrders}}});
    lineages.saw(kLeaf, {kOrders}, true, Lsn{5});
    lineages.saw(kOther, {}, false, Lsn{5});
    lineages.settle(Lsn{6});
    EXPECT_TRUE(lineages.forget(Lsn{7}).empty());
    EXPECT_FALSE(changed());
    lineages.saw(kLeaf, {}, false, Lsn{5});
    EXPECT_TRUE(changed());
    EXPECT_FALSE(lineages.forget(Lsn{7}).empty());
    EXPECT_TRUE(changed());
}

TEST(LineagesTest, ALongTextIsCutAndThoseThatAreMeantComeFirst) {
    Lineages lineages;
    std::unordered_map<Oid, Lineage> all;
    for (std::uint32_t i = 0; i < 40'000; ++i) {
        all.emplace(Oid{100'000 + (2 * i)}, Lineage{kOrders});
        all.emplace(Oid{100'001 + (2 * i)}, Lineage{{"a", "first_by_name"}});
    }
    lineages.refresh(all);
    const auto [text, whole] = lineages.text(only_orders());
    EXPECT_FALSE(whole);
    EXPECT_LE(text.size(), Lineages::kText_max);
    EXPECT_GT(text.size(), Lineages::kText_max - 100);
    Lineages other;
    ASSERT_TRUE(other.read(text));
    for (std::uint32_t i = 0; i < 40'000; ++i) ASSERT_TRUE(other.knows(Oid{100'000 + (2 * i)}));
    EXPECT_TRUE(other.knows(Oid{100'001}));
    EXPECT_FALSE(other.knows(Oid{100'001 + (2 * 39'999)}));
}

TEST(LineagesTest, WhatATableWasBelowIsBounded) {
    Lineages lineages;
    for (std::uint32_t i = 0; i < 100; ++i) {
        lineages.saw(kLeaf, {{"public", fmt::format("t{}", i)}}, true, Lsn{i + 1});
    }
    EXPECT_EQ(lineages.above(kLeaf).size(), Lineages::kBefore_max + 1);
    EXPECT_EQ(lineages.above(kLeaf).back().name, "t98");
}

TEST(LineagesTest, RefusesWhatItHasNotWritten) {
    Lineages lineages;
    EXPECT_TRUE(lineages.read(""));
    EXPECT_THAT(lineages.read("2;whatever").error(), HasSubstr("another version"));
    for (const auto* const text :
         {"1;", "1;n", "1;n:", "1;x:5", "1;na:5", "1;na.:5", "1;n.b:5", "1;na.b:0", "1;na.b:5,0",
          "1;na.b:4294967295,1", "1;na.b@5:5", "1;ba.b@x:5", "1;na.b:5;", "1;na.b:5;;n:6",
          "1;na%2.b:5", "1;na%GG.b:5", "1;na.b:-5", "1;na.b:5 "}) {
        const std::string_view one{text};
        const bool empty_tail = one == "1;" || one == "1;na.b:5;";
        EXPECT_EQ(Lineages{}.read(one).has_value(), empty_tail) << one;
    }
}

}  // namespace
}  // namespace pgc
