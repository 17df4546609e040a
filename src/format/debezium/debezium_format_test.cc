#include "format/debezium/debezium_format.h"

#include <gtest/gtest.h>

#include <limits>
#include <memory>
#include <nlohmann/json.hpp>
#include <string>
#include <utility>
#include <vector>

#include "core/snapshot.h"
#include "support/changes.h"
#include "support/encode.h"
#include "support/format_context.h"

namespace pgc {
namespace {

using nlohmann::json;
using test::Changes;
using test::column;
using test::encode_all;
using test::kContext;
using test::users;

class DebeziumFormatTest : public testing::Test {
protected:
    void SetUp() override {
        users_.columns[0].nullable = false;
        changes_.begin(567, Lsn{0x1634FF0});
    }

    TableFormatDeps deps() {
        std::unique_ptr<MessageHeads> heads = std::make_unique<NoHeads>();
        if (options_.schemas) heads = std::make_unique<EnvelopeHeads>();
        return {.options = {},
                .debezium = options_,
                .about = kContext,
                .topics = {.of_table = [](auto, auto) { return std::string{"topic"}; },
                           .messages = "messages",
                           .transactions = "transactions"},
                .heads = std::move(heads)};
    }
    std::vector<Record>& encode() {
        DebeziumFormat<JsonEncoding> format{deps()};
        out_.clear();
        const auto done = encode_all(format, changes_.batch(), out_);
        EXPECT_TRUE(done) << describe(done.error());
        return out_.records;
    }
    json value(std::size_t i = 0) { return json::parse(out_.records.at(i).value); }
    json key(std::size_t i = 0) { return json::parse(out_.records.at(i).key); }
    std::string header(std::size_t i, std::string_view name) {
        for (const RecordHeader& header : out_.records.at(i).headers()) {
            if (header.name == name) return std::string{header.value};
        }
        return "none";
    }

    DebeziumOptions options_;
    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(DebeziumFormatTest, AnInsertIsTheConnectorsMessageByteForByte) {
    changes_.insert(users_, {changes_.text("123"), changes_.text("Jane \"R\"")});
    encode();
    EXPECT_EQ(out_.records.at(0).value,
              R"({"before":null,"after":{"id":123,"name":"Jane \"R\""},)"
              R"("source":{"version":"0.1.0","connector":"postgresql","name":"cdc",)"
              R"("ts_ms":1634567890100,"snapshot":"false","db":"mydb",)"
              R"("sequence":"[\"23285664\",\"23285664\"]",)"
              R"("ts_us":1634567890100000,"ts_ns":1634567890100000000,)"
              R"("schema":"public","table":"users","txId":567,"lsn":23285664,"xmin":null,)"
              R"("origin":null,"origin_lsn":null},)"
              R"("transaction":null,"op":"c",)"
              R"("ts_ms":1634567890123,"ts_us":1634567890123000,"ts_ns":1634567890123000000})");
    EXPECT_EQ(out_.records.at(0).key, R"({"id":123})");
    EXPECT_EQ(header(0, "__debezium.context.connectorLogicalName"), "cdc");
    EXPECT_EQ(header(0, "__debezium.context.runId"), "7");
}

TEST_F(DebeziumFormatTest, AKeyOnlyOldRowHasWhatStandsForWhatWasNotSent) {
    users_.columns.push_back(column("note"));
    users_.columns.back().nullable = false;
    changes_.remove(users_, {changes_.text("7"), Changes::absent(), Changes::absent()});
    encode();
    EXPECT_EQ(value()["before"], json::parse(R"({"id":7,"name":null,"note":""})"));
    EXPECT_EQ(value()["op"], "d");
}

TEST_F(DebeziumFormatTest, ANullInAColumnThatCantBeNullIsShownAsOne) {
    changes_.insert(users_, {changes_.text("7"), Changes::null()});
    users_.columns[1].nullable = false;
    encode();
    EXPECT_TRUE(value()["after"]["name"].is_null());
}

// What a message holds, its own schema has room for: a row from before NOT NULL is no reason to
// stop.
TEST_F(DebeziumFormatTest, ANullInAColumnThatCantBeNullHasASchemaInWhichItCan) {
    options_.schemas = true;
    options_.nested_arrays = false;
    users_.columns[1].nullable = false;
    changes_.insert(users_, {changes_.text("6"), changes_.text("Jo")});
    changes_.insert(users_, {changes_.text("7"), Changes::null()});
    changes_.insert(users_, {changes_.text("8"), changes_.text("Al")});
    encode();
    ASSERT_EQ(out_.records.size(), 3U);
    for (const std::size_t i : {0U, 1U, 2U}) {
        const json row = value(i)["schema"]["fields"][1];
        EXPECT_EQ(row["fields"][1]["field"], "name");
        EXPECT_EQ(row["fields"][1]["optional"], i > 0) << i;
        EXPECT_EQ(row["fields"][0]["optional"], false) << "the others are as they were";
    }
    EXPECT_TRUE(value(1)["payload"]["after"]["name"].is_null());
    EXPECT_EQ(value(2)["payload"]["after"]["name"], "Al");
}

TEST_F(DebeziumFormatTest, AChangedKeyIsADeletionAndACreationThatKnowEachOther) {
    // As pipeline/key_changes.h leaves it.
    changes_.remove(users_, {changes_.text("1"), Changes::absent()}).part = Change::Part::old_key;
    changes_.insert(users_, {changes_.text("2"), changes_.text("a")}).part = Change::Part::new_key;
    encode();
    ASSERT_EQ(out_.records.size(), 2U);
    EXPECT_EQ(key(0)["id"], 1);
    EXPECT_EQ(value(0)["op"], "d");
    EXPECT_EQ(header(0, "__debezium.newkey"), R"({"id":2})");
    EXPECT_EQ(key(1)["id"], 2);
    EXPECT_EQ(value(1)["op"], "c");
    EXPECT_EQ(header(1, "__debezium.oldkey"), R"({"id":1})");
}

TEST_F(DebeziumFormatTest, WhatDidNotChangeAndWasNotSentHasThePlaceholder) {
    changes_.update(users_, {changes_.text("1"), Changes::unchanged()});
    encode();
    EXPECT_EQ(value()["after"]["name"], "__debezium_unavailable_value");
}

TEST_F(DebeziumFormatTest, AMessageOfNoTransactionCountsAsCompleteWhereItIs) {
    auto& lone = changes_.message("outbox", "hello", false);
    lone.lsn = Lsn{0x1700000};
    Transaction& around = changes_.batch().transactions.back();
    around.xid = {};
    around.commit_lsn = Lsn{0x16FFFFF};
    around.end_lsn = lone.lsn;
    around.ends = true;
    encode();
    EXPECT_EQ(value()["source"]["sequence"], R"(["24117248","24117248"])");
    EXPECT_EQ(value()["source"]["txId"], nullptr);
}

TEST_F(DebeziumFormatTest, ARowOfASnapshotSaysWhichOneItIs) {
    using enum SnapshotMark;
    changes_.batch().lane = kSnapshotLane;
    for (const SnapshotMark mark : {first, within, within, last_of_table, first_of_table, last}) {
        auto& change = changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
        change.operation = Operation::read;
        change.mark = mark;
    }
    encode();
    std::vector<std::string> words;
    for (std::size_t i = 0; i < 6; ++i) {
        EXPECT_EQ(value(i)["op"], "r");
        EXPECT_EQ(value(i)["source"]["db"], "mydb");
        words.push_back(value(i)["source"]["snapshot"]);
    }
    EXPECT_EQ(words, (std::vector<std::string>{"first", "true", "true", "last_in_data_collection",
                                               "first_in_data_collection", "last"}));
}

TEST_F(DebeziumFormatTest, ARowOfASnapshotThatWasRequestedIsIncremental) {
    changes_.batch().lane = kSnapshotLane;
    auto& change = changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    change.operation = Operation::read;
    change.mark = SnapshotMark::requested;
    encode();
    EXPECT_EQ(value()["source"]["snapshot"], "incremental");
}

TEST_F(DebeziumFormatTest, TruncatesAreSkippedUnlessTheyAreAskedFor) {
    options_.skipped[static_cast<std::size_t>(Operation::truncate)] = true;
    changes_.truncate(users_);
    EXPECT_TRUE(encode().empty());
    options_.skipped[static_cast<std::size_t>(Operation::truncate)] = false;
    ASSERT_EQ(encode().size(), 1U);
    EXPECT_FALSE(out_.records[0].has_key);
    EXPECT_EQ(value()["op"], "t");
}

TEST_F(DebeziumFormatTest, RecordsOfATransactionAreCountedInAllAndByTable) {
    options_.transaction_metadata = true;
    Relation other = users();
    other.slot = 1;
    other.oid = Oid{2};
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.insert(other, {changes_.text("2"), Changes::null()});
    changes_.insert(users_, {changes_.text("3"), Changes::null()});
    encode();
    EXPECT_EQ(value(0)["transaction"]["id"], "567:23285664");
    EXPECT_EQ(value(2)["transaction"]["total_order"], 3);
    EXPECT_EQ(value(1)["transaction"]["data_collection_order"], 1);
    EXPECT_EQ(value(2)["transaction"]["data_collection_order"], 2);
}

TEST_F(DebeziumFormatTest, WithSchemasEachMessageHasItsOwn) {
    options_.schemas = true;
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    encode();
    EXPECT_EQ(value()["schema"]["name"], "cdc.public.users.Envelope");
    EXPECT_EQ(value()["schema"]["fields"][1]["name"], "cdc.public.users.Value");
    EXPECT_EQ(value()["payload"]["after"]["id"], 1);
    EXPECT_EQ(key()["schema"]["name"], "cdc.public.users.Key");
    EXPECT_EQ(key()["payload"]["id"], 1);
}

TEST_F(DebeziumFormatTest, ANumberThatIsNoneIsRefusedWhereOnlyNumbersCanBeWritten) {
    users_.columns.push_back(column("amount", Kind::decimal));
    changes_.insert(users_, {changes_.text("1"), Changes::null(), changes_.text("NaN")});
    DebeziumFormat<JsonEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_FALSE(done);
    EXPECT_NE(describe(done.error()).find("decimal_handling_mode"), std::string::npos);
    EXPECT_NE(done.error().where.find("column amount"), std::string::npos);

    options_.decimal = DecimalHandling::string;
    encode();
    EXPECT_EQ(value()["after"]["amount"], "NAN");
}

// An interval may have more hours than a field of 32 bits.
TEST_F(DebeziumFormatTest, AStructuredIntervalThatItsFieldsDoNotHoldIsRefused) {
    options_.time_precision = TimePrecision::structured;
    users_.columns[1].type = test::type(Kind::interval);
    Value value;
    value.interval.microseconds = std::numeric_limits<std::int32_t>::max() * 3'600'000'000;
    changes_.insert(users_, {changes_.text("1"), changes_.value(value)});
    encode();
    EXPECT_EQ(this->value()["after"]["name"]["hours"], 2'147'483'647);

    value.interval.microseconds += 3'600'000'000;
    changes_.insert(users_, {changes_.text("2"), changes_.value(value)});
    DebeziumFormat<JsonEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_FALSE(done);
    EXPECT_NE(describe(done.error()).find("too far away"), std::string::npos);
}

// Its type was altered since it was logged.
TEST_F(DebeziumFormatTest, AValueThatCantBeReadIsShownAsTextWhereTextMayStand) {
    users_.columns.push_back(column("age", Kind::integer));
    changes_.insert(users_, {changes_.text("1"), Changes::null(), changes_.text("(old,form)")});
    encode();
    EXPECT_EQ(value()["after"]["age"], "(old,form)");

    options_.schemas = true;
    options_.nested_arrays = false;
    DebeziumFormat<JsonEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_FALSE(done);
    EXPECT_NE(describe(done.error()).find("column age"), std::string::npos);
    EXPECT_NE(describe(done.error()).find("altered"), std::string::npos);
}

TEST_F(DebeziumFormatTest, AMessageHasItsPrefixForAKey) {
    changes_.message("outbox", "hello", true);
    encode();
    EXPECT_EQ(key(), json::parse(R"({"prefix":"outbox"})"));
    EXPECT_EQ(value()["message"], json::parse(R"({"prefix":"outbox","content":"aGVsbG8="})"));
    EXPECT_EQ(value()["source"]["table"], "");
    EXPECT_TRUE(out_.records[0].headers().empty());
}

TEST_F(DebeziumFormatTest, TwoColumnsThatWouldBeOneFieldAreRefused) {
    users_.columns.push_back(column("na me"));
    users_.columns.push_back(column("na_me"));
    changes_.insert(users_,
                    {changes_.text("1"), Changes::null(), changes_.text("a"), changes_.text("b")});
    encode();
    EXPECT_EQ(value()["after"]["na me"], "a");
    EXPECT_EQ(value()["after"]["na_me"], "b");

    options_.field_names = NameAdjustment::avro;
    DebeziumFormat<JsonEncoding> format{deps()};
    const auto done = encode_all(format, changes_.batch(), out_);
    ASSERT_FALSE(done);
    EXPECT_NE(done.error().what.find("\"na_me\""), std::string::npos);
    EXPECT_NE(done.error().where.find("users"), std::string::npos);
}

}  // namespace
}  // namespace pgc
