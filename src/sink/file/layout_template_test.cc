#include "sink/file/layout_template.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "sink/file/layout.h"

namespace pgc {
namespace {

using testing::HasSubstr;

LayoutTemplate::Batch orders_batch() {
    return {.database = "shop",
            .schema = "public",
            .folder = "orders",
            .name = "20261130T174500Z",
            .end_lsn = Lsn{0x1634FF0},
            .sequence = 17};
}

TEST(LayoutTemplateTest, EachVariableHasItsText) {
    EXPECT_EQ(LayoutTemplate{}.folder(orders_batch()), "orders/20261130T174500Z");
    EXPECT_EQ(LayoutTemplate{"{root}/{database}/{schema}/{table}/dt={date}/{time}"}.folder(
                  orders_batch()),
              "shop/public/orders/dt=2026-11-30/174500");
    EXPECT_EQ(LayoutTemplate{"cdc/{schema}.{table}/{end_lsn}-{sequence}"}.folder(orders_batch()),
              "cdc/public.orders/0000000001634FF0-000000000017");
}

TEST(LayoutTemplateTest, HostileNamesStayInTheirFolder) {
    auto hostile = orders_batch();
    hostile.schema = "../..";
    hostile.database = "a/b";
    EXPECT_EQ(LayoutTemplate{"{database}/{schema}/{table}/{sequence}"}.folder(hostile),
              "a%2Fb/%2E.%2F../orders/000000000017");
}

TEST(LayoutTemplateTest, NoFolderIsInThePlaceOfTheCheckpoint) {
    auto batch = orders_batch();
    batch.schema = "checkpoint.json";
    EXPECT_EQ(LayoutTemplate{"{schema}/{table}/{timestamp}"}.folder(batch),
              "%63heckpoint.json/orders/20261130T174500Z");
    EXPECT_EQ(LayoutTemplate{"checkpoint.json/{table}/{sequence}"}.folder(batch),
              "%63heckpoint.json/orders/000000000017");
}

TEST(LayoutTemplateTest, AFolderWhoseNameIsTooLongIsCutAndStaysDifferent) {
    auto one = orders_batch();
    auto other = orders_batch();
    const std::string schema(190, 's');
    const std::string first = std::string(190, 't') + "1";
    const std::string second = std::string(190, 't') + "2";
    one.schema = other.schema = schema;
    one.folder = first;
    other.folder = second;
    const LayoutTemplate layout{"{schema}.{table}/{timestamp}"};
    EXPECT_NE(layout.folder(one), layout.folder(other));
    EXPECT_LE(layout.folder(one).find('/'), 250U);
}

TEST(LayoutTemplateTest, WhatCanNotBeUsedIsSaid) {
    EXPECT_EQ(layout_fault(kDefaultLayout), "");
    EXPECT_EQ(layout_fault("{root}/{table}/{timestamp}"), "");
    EXPECT_EQ(layout_fault("{table}-{sequence}"), "");
    EXPECT_EQ(layout_fault("dt={date}/{table}/{time}"), "");
    EXPECT_THAT(layout_fault("{tabel}/{timestamp}"), HasSubstr("{tabel}"));
    EXPECT_THAT(layout_fault("{timestamp}"), HasSubstr("{table}"));
    EXPECT_THAT(layout_fault("{table}"), HasSubstr("{timestamp}"));
    EXPECT_THAT(layout_fault("{table}/{date}"), HasSubstr("{time}"));
    EXPECT_THAT(layout_fault("{table}/{end_lsn}"), HasSubstr("{sequence}"));
    EXPECT_THAT(layout_fault("/{table}/{timestamp}"), HasSubstr("begin with /"));
    EXPECT_THAT(layout_fault("{table}/{timestamp}/"), HasSubstr("end with /"));
    EXPECT_THAT(layout_fault("{table}//{timestamp}"), HasSubstr("without a name"));
    EXPECT_THAT(layout_fault("../{table}/{timestamp}"), HasSubstr("dot"));
    EXPECT_THAT(layout_fault(".pg-capture/{table}/{timestamp}"), HasSubstr("dot"));
    EXPECT_THAT(layout_fault("{table}/{timestamp"), HasSubstr("brace"));
    EXPECT_THAT(layout_fault("{table}/a b{timestamp}"), HasSubstr("' '"));
    EXPECT_THAT(layout_fault(""), HasSubstr("empty"));
}

TEST(TableFoldersTest, TheFirstOfANameHasItAndTheOthersAreNamedBySchema) {
    TableFolders folders{LayoutTemplate{}};
    EXPECT_EQ(folders.of({"public", "t"}), "t");
    EXPECT_EQ(folders.of({"other", "t"}), "other.t");
    EXPECT_EQ(folders.of({"public", "other.t"}), "public.other.t");
    EXPECT_EQ(folders.of({"public", "t"}), "t") << "it stays";
    EXPECT_EQ(folders.take_new().size(), 3U);
}

TEST(TableFoldersTest, WhereTheSchemaIsAFolderNamesDoNotMeet) {
    TableFolders folders{LayoutTemplate{"{schema}/{table}/{timestamp}"}};
    EXPECT_EQ(folders.of({"public", "t"}), "t");
    EXPECT_EQ(folders.of({"other", "t"}), "t");
}

TEST(TableFoldersTest, NamesThatTouchDoNotMeetEither) {
    const LayoutTemplate layout{"{schema}.{table}/{timestamp}"};
    TableFolders folders{layout};
    const std::string first = layout.place("a", folders.of({"a", "b.c"}));
    const std::string second = layout.place("a.b", folders.of({"a.b", "c"}));
    EXPECT_EQ(first, "a.b.c/{timestamp}");
    EXPECT_NE(first, second);
}

// What was one folder each with another layout would be one for both with this.
TEST(TableFoldersTest, AnotherLayoutGivesAnotherFolderWhereTwoWouldMeet) {
    TableFolders folders{LayoutTemplate{}};
    folders.restore({{{"other", "t"}, "t"}, {{"public", "t"}, "t"}, {{"public", "u"}, "u"}});
    EXPECT_EQ(folders.of({"other", "t"}), "t");
    EXPECT_EQ(folders.of({"public", "t"}), "public.t");
    EXPECT_EQ(folders.of({"public", "u"}), "u");
    EXPECT_EQ(folders.take_new().size(), 1U);
}

TEST(TableFoldersTest, NoTableIsCalledLikeTheCheckpoint) {
    TableFolders folders{LayoutTemplate{}};
    EXPECT_EQ(folders.of({"public", "checkpoint.json"}), "public.checkpoint.json");
}

}  // namespace
}  // namespace pgc
