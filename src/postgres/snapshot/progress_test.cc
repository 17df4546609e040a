#include "postgres/snapshot/progress.h"

#include <gtest/gtest.h>

namespace pgc {
namespace {

std::vector<SnapshotJob> some_jobs() {
    return {{.request = {.id = "initial", .tables = {}},
             .paused = false,
             .begun = true,
             .done = {Oid{16384}, Oid{16387}, Oid{4'000'000'000}},
             .open = {{Oid{16402},
                       {.shown = Oid{16400},
                        .key = {"id:20", "a name:25"},
                        .left = {{.after = {"1", "a,b %"}, .upto = {}},
                                 {.after = {}, .upto = {"-"}},
                                 {.after = {""}, .upto = {"\n", ""}},
                                 {.after = {}, .upto = {"7", "x"}, .alone = true}},
                        .begun = true,
                        .schema = "public",
                        .name = "a table",
                        .columns = {.last = 5, .sum = 1'311'768'467}}},
                      {Oid{16403}, {.shown = Oid{16403}, .key = {"id:23"}}}}},
            {.request = {.id = "s-1", .tables = {"public.orders", "shop.*"}, .where = "a > 'ä'"},
             .paused = true,
             .pending = {Oid{16402}, Oid{16409}}}};
}

TEST(SnapshotProgressTest, WhatIsWrittenIsReadBack) {
    const auto jobs = some_jobs();
    EXPECT_EQ(read_progress(write_progress(jobs)).value(), jobs);
}

TEST(SnapshotProgressTest, AllIsOneRequestOfEverything) {
    const auto jobs = read_progress(kWholeSnapshot).value();
    ASSERT_EQ(jobs.size(), 1U);
    EXPECT_TRUE(jobs[0].all());
    EXPECT_EQ(jobs[0].request.id, kWholeSnapshotId);
    EXPECT_EQ(read_progress(write_progress(jobs)).value(), jobs);
}

TEST(SnapshotProgressTest, NoJobIsNoText) {
    EXPECT_EQ(write_progress({}), "");
    EXPECT_TRUE(read_progress("")->empty());
}

TEST(SnapshotProgressTest, ItIsOneLineAFact) {
    EXPECT_EQ(write_progress({some_jobs()[0]}),
              "snapshot 1\n"
              "request initial all\n"
              "begun\n"
              "done 16384 3 3999983613\n"
              "open 16402 16400 id:20 a%20name:25\n"
              "begun\n"
              "called public a%20table\n"
              "columns 5 1311768467\n"
              "left 1,a%2Cb%20%25 -\n"
              "left - %2D\n"
              "left % %0A,%\n"
              "alone 7,x\n"
              "open 16403 16403 id:23");
}

TEST(SnapshotProgressTest, TablesThatAreMeantAreOneLine) {
    EXPECT_EQ(write_progress({{.request = {.id = "s", .tables = {"public.t"}},
                               .pending = {Oid{16402}, Oid{16409}},
                               .done = {Oid{3}}}}),
              "snapshot 1\nrequest s\ntable public.t\nmeant 16402 7\ndone 3");
}

TEST(SnapshotProgressTest, AReloadSaysHowAndWhereItWasOrdered) {
    const std::vector<SnapshotJob> jobs{
        {.request = {.id = "s",
                     .tables = {"public.t"},
                     .reload = ReloadOrder{.by = "EXPORT_START", .at = Lsn{0x1634FA0}}}},
        {.request = {.id = "r", .tables = {"public.u"}, .reload = ReloadOrder{.by = "request"}}}};
    EXPECT_EQ(write_progress(jobs),
              "snapshot 1\nrequest s\ntable public.t\nreload EXPORT_START 0/1634FA0"
              "\nrequest r\ntable public.u\nreload request 0/0");
    EXPECT_EQ(read_progress(write_progress(jobs)), jobs);
}

TEST(SnapshotProgressTest, EveryPrefixThatEndsInsideALineOrARequestIsRefusedOrLess) {
    const std::string text = write_progress(some_jobs());
    for (std::size_t n = 1; n < text.size(); ++n) {
        const auto read = read_progress(text.substr(0, n));
        if (read) {
            EXPECT_NE(*read, some_jobs()) << n;
        }
    }
}

TEST(SnapshotProgressTest, WhatOrdersATableNamesItsColumn) {
    const std::string word = ordering_word(
        {.column = "a:b", .type = Oid{25}, .unusual = "7.100", .version = "16390.742"});
    EXPECT_EQ(word, "a:b:25:7.100:16390.742");
    EXPECT_EQ(ordered_column(word), "a:b");
    for (const char* other : {"", "id", "id:20", "id:20:7.100"}) {
        EXPECT_EQ(ordered_column(other), "") << "of an earlier version: it is read again";
    }
}

TEST(SnapshotProgressTest, ARelationHasTheKeyThatOrdersATableOrAnother) {
    const OpenTable open{.shown = Oid{7},
                         .key = {ordering_word({.column = "b", .type = Oid{20}}),
                                 ordering_word({.column = "a", .type = Oid{20}})}};
    Relation relation;
    relation.columns = {{.name = "a", .type = {}}, {.name = "b", .type = {}}};
    relation.key = {1, 0};
    EXPECT_TRUE(has_key_of(relation, open));
    for (const auto& other : {std::vector<std::uint32_t>{0, 1}, {1}, {}}) {
        relation.key = other;
        EXPECT_FALSE(has_key_of(relation, open));
    }
}

TEST(SnapshotProgressTest, WhatCantBeIsRefused) {
    for (const char* text : {"some",
                             "snapshot 2",
                             "snapshot 1 ",
                             "snapshot 1\n",
                             "snapshot 1\ndone 5",
                             "snapshot 1\nrequest a",
                             "snapshot 1\nrequest a b",
                             "snapshot 1\nrequest a/b all",
                             "snapshot 1\nrequest a all\ntable t",
                             "snapshot 1\nrequest a\ntable s.t\nreload x",
                             "snapshot 1\nrequest a\ntable s.t\nreload x 0/0 y",
                             "snapshot 1\nrequest a\ntable s.t\nreload x here",
                             "snapshot 1\nrequest a all\ndone",
                             "snapshot 1\nrequest a all\ndone 0",
                             "snapshot 1\nrequest a all\ndone 4294967295 1",
                             "snapshot 1\nrequest a all\nleft - -",
                             "snapshot 1\nrequest a all\nopen x",
                             "snapshot 1\nrequest a all\nopen 1",
                             "snapshot 1\nrequest a all\nopen 1 1 k\nleft %4 -",
                             "snapshot 1\nrequest a all\nopen 1 1 k\nleft -",
                             "snapshot 1\nrequest a all\nopen 1 1 k\nalone -",
                             "snapshot 1\nrequest a all\nwhat",
                             "snapshot 1\nrequest a all\nmeant 1",
                             "snapshot 1\nrequest a\ntable t\nmeant",
                             "snapshot 1\nrequest a\ntable t\nmeant 0",
                             "snapshot 1\nmeant 1"}) {
        EXPECT_FALSE(read_progress(text)) << text;
    }
}

TEST(SnapshotProgressTest, RowsThatMoveWithoutEndAreNotRememberedWithoutEnd) {
    OpenTable open{.shown = Oid{7}, .key = {"id:20"}, .left = {{.after = {"5"}, .upto = {}}}};
    for (int i = 0; i < 100'000; ++i) add_moved(open, Key{std::to_string(i % 400)});
    EXPECT_EQ(open.left.size(), 401U) << "each once";
    for (int i = 0; i < 100'000; ++i) add_moved(open, Key{std::to_string(i)});
    EXPECT_EQ(open.left, std::vector<KeyRange>(1)) << "the table is read again";
}

TEST(SnapshotProgressTest, WhatIsStoredIsSmallHoweverLongKeysAre) {
    std::vector<SnapshotJob> jobs{{.request = {.id = "initial", .tables = {}}}};
    for (std::uint32_t table = 1; table <= 100; ++table) {
        OpenTable& open = jobs[0].open[Oid{table}];
        open = {.shown = Oid{table}, .key = {"k:25"}};
        for (std::uint32_t i = 0; i < (table == 50 ? 1U : 300U); ++i) {
            add_moved(open, Key{std::string(2'000, 'k') + std::to_string(i)});
        }
    }
    EXPECT_GT(write_progress(jobs).size(), std::size_t{16} << 20);
    const auto small = bounded(jobs);
    EXPECT_LE(write_progress(small).size(), kProgressBytes_max);
    ASSERT_EQ(small.size(), 1U);
    EXPECT_EQ(small[0].open.size(), 100U);
    EXPECT_EQ(small[0].open.at(Oid{1}).left, std::vector<KeyRange>(1)) << "read again";
    EXPECT_EQ(small[0].open.at(Oid{50}), jobs[0].open.at(Oid{50})) << "it is short";
    EXPECT_EQ(bounded(small), small);
}

}  // namespace
}  // namespace pgc
