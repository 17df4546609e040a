#include "format/native/partition_keys.h"

#include <gtest/gtest.h>

#include <string>

#include "format/native/native_format.h"
#include "support/changes.h"
#include "support/encode.h"

namespace pgc {
namespace {

using test::Changes;
using test::column;
using test::users;

class PartitionKeysTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(567, Lsn{0x1634FF0}); }

    void by(std::string_view table, std::vector<std::string> columns) {
        columns_ = {{*NamePattern::parse(table, 2), std::move(columns)}};
    }
    Result<void> write() {
        NativeFormat format{{}, {}};
        out_.clear();
        EXPECT_TRUE(test::encode_all(format, changes_.batch(), out_));
        NativePartitionKeys keys{{}, columns_};
        return keys.write(changes_.batch(), out_, 0);
    }
    Error failure() {
        const auto written = write();
        EXPECT_FALSE(written);
        return written ? Error{} : written.error();
    }
    std::string_view key(std::size_t record) const { return out_.records.at(record).partition_by; }

    std::vector<PartitionColumns> columns_;
    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(PartitionKeysTest, TheColumnsComeWithEachRow) {
    users_.identity = ReplicaIdentity::full;
    by("public.u*", {"name", "id"});
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    changes_
        .update(users_, {changes_.text("1"), changes_.text("a")},
                {changes_.text("1"), Changes::unchanged()})
        .before_is_full = true;
    changes_.remove(users_, {changes_.text("1"), changes_.text("b")}).before_is_full = true;
    changes_.truncate(users_);
    changes_.message("p", "c", false);
    ASSERT_TRUE(write());
    EXPECT_EQ(key(0), R"({"name":"a","id":1})");
    EXPECT_EQ(key(1), R"({"name":"a","id":1})");
    EXPECT_EQ(key(2), R"({"name":"b","id":1})");
    EXPECT_TRUE(key(3).empty());
    EXPECT_TRUE(key(4).empty());
    EXPECT_EQ(out_.records[0].key, R"({"id":1})") << "the key stays what it is";
}

TEST_F(PartitionKeysTest, OtherTablesHaveNone) {
    by("audit.*", {"nothing"});
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    ASSERT_TRUE(write());
    EXPECT_TRUE(key(0).empty());
}

TEST_F(PartitionKeysTest, WhatIsThereBeforeIsLeftAlone) {
    by("*.*", {"id"});
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    changes_.insert(users_, {changes_.text("2"), changes_.text("a")});
    NativeFormat format{{}, {}};
    ASSERT_TRUE(test::encode_all(format, changes_.batch(), out_));
    NativePartitionKeys keys{{}, columns_};
    ASSERT_TRUE(keys.write(changes_.batch(), out_, 1));
    EXPECT_TRUE(key(0).empty());
    EXPECT_EQ(key(1), R"({"id":2})");
}

TEST_F(PartitionKeysTest, AColumnMustBeThereAndComeWithDeletes) {
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    by("*.*", {"region"});
    EXPECT_EQ(failure().what, "there is no captured column region to partition by");
    EXPECT_EQ(failure().where, "table public.users");
    EXPECT_EQ(failure().category, Error::Category::configuration);
    by("*.*", {"name"});
    EXPECT_EQ(failure().what, "a DELETE does not bring the column name to partition by");
    EXPECT_EQ(failure().hint,
              "ALTER TABLE public.users REPLICA IDENTITY FULL, or change kafka.partition_columns");
}

TEST_F(PartitionKeysTest, WhatIsWrittenNowhereNeedsNoPartition) {
    changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    by("*.*", {"name"});
    EXPECT_EQ(failure().what, "a DELETE does not bring the column name to partition by");
    for (Record& record : out_.records) record.destination = Destination::none;
    NativePartitionKeys keys{{}, columns_};
    EXPECT_TRUE(keys.write(changes_.batch(), out_, 0));
}

TEST_F(PartitionKeysTest, ManyVersionsOfATableAreFine) {
    by("*.*", {"id"});
    NativeFormat format{{}, {}};
    NativePartitionKeys keys{{}, columns_};
    for (std::uint32_t slot = 0; slot < 5000; ++slot) {
        Relation relation = users_;
        relation.slot = slot;
        Changes changes;
        changes.begin(1, Lsn{slot + 1});
        changes.insert(relation, {changes.text("1"), Changes::null()});
        RecordBatch out;
        ASSERT_TRUE(test::encode_all(format, changes.batch(), out));
        ASSERT_TRUE(keys.write(changes.batch(), out, 0));
        ASSERT_EQ(out.records[0].partition_by, R"({"id":1})");
    }
}

}  // namespace
}  // namespace pgc
