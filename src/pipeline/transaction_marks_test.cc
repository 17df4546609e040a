#include "pipeline/transaction_marks.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "support/changes.h"
#include "support/fake_parts.h"

namespace pgc {
namespace {

using test::Changes;
using testing::ElementsAre;
using testing::IsEmpty;

class TransactionMarksTest : public testing::Test {
protected:
    // The records of the batch with their marks, as "TABLE ordinal" and as FakeFormat writes marks.
    std::vector<std::string> marked(Batch& batch, std::optional<Position> sealed = {}) {
        RecordBatch records;
        fake::FakeFormat format{writing_};
        EXPECT_TRUE(format.encode(batch, 0, records));
        if (change_records) change_records(records);
        marks_.plan(batch, records, sealed);
        std::erase_if(records.records, [&](const Record& record) {
            return record.destination == Destination::none ||
                   (sealed && Position{record.commit_lsn, record.ordinal} <= *sealed);
        });
        waits = 0;
        for (auto done = marks_.write(format, records); !done || !*done;
             done = marks_.write(format, records)) {
            EXPECT_TRUE(done);
            ++waits;
        }
        std::vector<std::string> all;
        for (const Record& record : records.records) {
            const bool mark = record.destination == Destination::transactions;
            all.push_back(mark ? std::string{record.value} + " #" + std::to_string(record.ordinal)
                               : record.relation->name + " " + std::to_string(record.ordinal));
        }
        return all;
    }
    static void insert(Changes& changes, const Relation& relation) {
        changes.insert(relation, {changes.text("1"), Changes::null()});
    }

    const Relation users_ = test::users();
    const Relation orders_ = [] {
        Relation relation = test::users();
        relation.oid = Oid{99};
        relation.slot = 1;
        relation.name = "orders";
        return relation;
    }();
    fake::Writing writing_;
    TransactionMarks marks_;
    std::function<void(RecordBatch&)> change_records;
    int waits = 0;
};

TEST_F(TransactionMarksTest, ATransactionStandsBetweenItsMarks) {
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    insert(changes, orders_);
    insert(changes, users_);
    changes.begin(8, Lsn{200});
    insert(changes, orders_);
    EXPECT_THAT(marked(changes.batch()),
                ElementsAre("begin #1", "users 1", "orders 2", "users 3", "end users 2 orders 1 #4",
                            "begin #1", "orders 1", "end orders 1 #2"));
}

TEST_F(TransactionMarksTest, CountsGoOnInTheNextBatch) {
    Changes first;
    first.begin(7, Lsn{100});
    insert(first, users_);
    first.batch().transactions.back().ends = false;
    EXPECT_THAT(marked(first.batch()), ElementsAre("begin #1", "users 1"));
    Changes middle;
    middle.begin(7, Lsn{100});
    middle.batch().transactions.back().ends = false;
    EXPECT_THAT(marked(middle.batch()), IsEmpty());
    Changes last;
    last.begin(7, Lsn{100});
    insert(last, users_);
    last.batch().changes.back().ordinal = 2;
    EXPECT_THAT(marked(last.batch()), ElementsAre("users 2", "end users 2 #3"));
}

TEST_F(TransactionMarksTest, WhatIsSealedIsCountedAndNotMarkedAgain) {
    Changes changes;
    changes.begin(7, Lsn{100});
    for (int i = 0; i < 4; ++i) insert(changes, users_);
    EXPECT_THAT(marked(changes.batch(), Position{Lsn{100}, 3}),
                ElementsAre("users 4", "end users 4 #5"));
    EXPECT_THAT(marked(changes.batch(), Position{Lsn{100}, 4}), ElementsAre("end users 8 #5"))
        << "the same transaction, in another batch";
}

TEST_F(TransactionMarksTest, WhereOnlyWhatIsLeftOutWasSealedTheBeginIsStillToCome) {
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    changes.batch().changes.back().ordinal = 6;
    EXPECT_THAT(marked(changes.batch(), Position{Lsn{100}, 5}),
                ElementsAre("begin #6", "users 6", "end users 1 #7"));
}

TEST_F(TransactionMarksTest, WithoutRecordsThereAreNoMarks) {
    Changes changes;
    changes.begin(7, Lsn{100});
    changes.message("filtered", "", true);  // FakeFormat leaves it out
    changes.begin(8, Lsn{200});
    EXPECT_THAT(marked(changes.batch()), IsEmpty());
}

TEST_F(TransactionMarksTest, WhatBelongsToNoTransactionHasNone) {
    Changes changes;
    changes.begin(0, Lsn{100});
    insert(changes, users_);
    EXPECT_THAT(marked(changes.batch()), ElementsAre("users 1"));
}

TEST_F(TransactionMarksTest, ATombstoneAfterItsDeletionAndADeadLetterAreNotCounted) {
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    insert(changes, users_);
    change_records = [](RecordBatch& records) {
        records.records[0].destination = Destination::dead_letters;
        records.records.push_back(records.records[1]);
        records.records[2].has_value = false;
    };
    EXPECT_THAT(marked(changes.batch()),
                ElementsAre("users 1", "begin #2", "users 2", "users 2", "end users 1 #3"));
}

TEST_F(TransactionMarksTest, ADeletionThatIsButATombstoneIsCounted) {
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    change_records = [](RecordBatch& records) { records.records[0].has_value = false; };
    EXPECT_THAT(marked(changes.batch()), ElementsAre("begin #1", "users 1", "end users 1 #2"));
}

TEST_F(TransactionMarksTest, WhatAFormatLeavesOutMayBeCounted) {
    Changes changes;
    changes.begin(7, Lsn{100});
    for (int i = 0; i < 3; ++i) insert(changes, users_);
    changes.begin(8, Lsn{200});
    insert(changes, orders_);
    change_records = [](RecordBatch& records) {
        records.records[0].destination = Destination::none;
        records.records[2].destination = Destination::none;
        records.records[3].destination = Destination::none;
    };
    EXPECT_THAT(marked(changes.batch()), ElementsAre("begin #1", "users 2", "end users 3 #4",
                                                     "begin #1", "end orders 1 #2"));
}

TEST_F(TransactionMarksTest, ATableThatWasAlteredMeanwhileIsOne) {
    Relation altered = users_;
    altered.slot = 5;
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    insert(changes, altered);
    EXPECT_THAT(marked(changes.batch()),
                ElementsAre("begin #1", "users 1", "users 2", "end users 2 #3"));
}

TEST_F(TransactionMarksTest, ATableThatWasRenamedMeanwhileIsTwo) {
    Relation renamed = users_;
    renamed.slot = 5;
    renamed.name = "people";
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    insert(changes, renamed);
    EXPECT_THAT(marked(changes.batch()),
                ElementsAre("begin #1", "users 1", "people 2", "end users 1 people 1 #3"))
        << "as their topics are";
}

TEST_F(TransactionMarksTest, AFormatMayWait) {
    Changes changes;
    changes.begin(7, Lsn{100});
    insert(changes, users_);
    writing_.waits_with_mark = true;
    EXPECT_THAT(marked(changes.batch()), ElementsAre("begin #1", "users 1", "end users 1 #2"));
    EXPECT_EQ(waits, 1);
}

}  // namespace
}  // namespace pgc
