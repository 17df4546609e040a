#include "format/native/native_format.h"

#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <string>
#include <vector>

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

class NativeFormatTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(567, Lsn{0x1634FF0}); }

    // Encodes all changes; the records' texts stay in out_.
    std::vector<Record>& encode() {
        NativeFormat format{options_, kContext};
        out_.clear();
        const auto done = encode_all(format, changes_.batch(), out_);
        EXPECT_TRUE(done) << describe(done.error());
        return out_.records;
    }
    Error failure() {
        NativeFormat format{options_, kContext};
        const auto done = encode_all(format, changes_.batch(), out_);
        return done ? stop(Error::Category::internal, "no failure") : done.error();
    }
    json value(std::size_t i = 0) { return json::parse(out_.records.at(i).value); }
    std::string key(std::size_t i = 0) { return std::string{out_.records.at(i).key}; }

    FormatOptions options_;
    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(NativeFormatTest, AnInsertIsTheContractsMessageByteForByte) {
    changes_.insert(users_, {changes_.text("123"), changes_.text("Jane Roe")});
    encode();
    EXPECT_EQ(out_.records.at(0).value,
              R"({"schema":"public","table":"users","op":"INSERT","ts_ms":1634567890123,)"
              R"("before":null,"after":{"id":123,"name":"Jane Roe"},)"
              R"("source":{"version":"0.1.0","connector":"pg-capture","ts_ms":1634567890100,)"
              R"("db":"mydb","schema":"public","table":"users","lsn":"0/1634FA0","xid":567}})");
    EXPECT_EQ(key(), R"({"id":123})");
}

TEST_F(NativeFormatTest, ABigintIsTheSameStringInKeyAndRow) {
    options_.bigint = BigintText::string;
    changes_.insert(users_, {changes_.text("123"), Changes::null()});
    encode();
    EXPECT_EQ(key(), R"({"id":"123"})");
    EXPECT_EQ(value()["after"]["id"], "123");
}

TEST_F(NativeFormatTest, RecordsCarryTheirPositionAndTable) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.insert(users_, {changes_.text("2"), Changes::null()});
    encode();
    EXPECT_EQ(out_.records.at(1).commit_lsn, Lsn{0x1634FF0});
    EXPECT_EQ(out_.records.at(1).ordinal, 2U);
    EXPECT_EQ(out_.records.at(1).relation, &users_);
    EXPECT_TRUE(out_.records.at(1).has_key);
    EXPECT_TRUE(out_.records.at(1).has_value);
}

TEST_F(NativeFormatTest, NullIsNotAbsent) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    encode();
    EXPECT_EQ(value()["after"], (json{{"id", 1}, {"name", nullptr}}));
}

TEST_F(NativeFormatTest, AnUpdateWithoutOldRowHasNoBefore) {
    changes_.update(users_, {changes_.text("1"), changes_.text("b")});
    encode();
    EXPECT_EQ(value()["op"], "UPDATE");
    EXPECT_EQ(value()["before"], nullptr);
}

TEST_F(NativeFormatTest, AFullOldRowIsShownWhole) {
    changes_
        .update(users_, {changes_.text("1"), changes_.text("a")},
                {changes_.text("1"), changes_.text("b")})
        .before_is_full = true;
    ASSERT_EQ(encode().size(), 1U);
    EXPECT_EQ(value()["before"], (json{{"id", 1}, {"name", "a"}}));
    EXPECT_EQ(value()["after"], (json{{"id", 1}, {"name", "b"}}));
}

TEST_F(NativeFormatTest, ADeleteIsKeyedByItsOldRowAndShowsWhatWasSent) {
    changes_.remove(users_, {changes_.text("1"), Changes::absent()});
    encode();
    EXPECT_EQ(value()["op"], "DELETE");
    EXPECT_EQ(value()["before"], (json{{"id", 1}}));
    EXPECT_EQ(value()["after"], nullptr);
    EXPECT_EQ(key(), R"({"id":1})");
}

TEST_F(NativeFormatTest, AnUnchangedToastValueIsLeftOutAndNamed) {
    changes_.update(users_, {changes_.text("1"), Changes::unchanged()});
    encode();
    EXPECT_EQ(value()["after"], (json{{"id", 1}}));
    EXPECT_EQ(value()["source"]["unchanged"], json::array({"name"}));
}

TEST_F(NativeFormatTest, AnUnchangedToastValueIsTakenFromTheOldRow) {
    changes_
        .update(users_, {changes_.text("1"), changes_.text("long")},
                {changes_.text("1"), Changes::unchanged()})
        .before_is_full = true;
    encode();
    EXPECT_EQ(value()["after"], (json{{"id", 1}, {"name", "long"}}));
    EXPECT_FALSE(value()["source"].contains("unchanged"));
}

TEST_F(NativeFormatTest, AnUnchangedToastValueCanBeAPlaceholder) {
    options_.unsent_toast = UnsentToast::placeholder;
    options_.toast_placeholder = "\"?\"";
    changes_.update(users_, {changes_.text("1"), Changes::unchanged()});
    encode();
    EXPECT_EQ(value()["after"], (json{{"id", 1}, {"name", "\"?\""}}));
    EXPECT_EQ(value()["source"]["unchanged"], json::array({"name"}));
}

TEST_F(NativeFormatTest, AKeyPartThatWasNotSentIsTakenFromTheOldRow) {
    changes_.update(users_, {changes_.text("1"), Changes::absent()},
                    {Changes::unchanged(), changes_.text("b")});
    ASSERT_EQ(encode().size(), 1U);
    EXPECT_EQ(key(), R"({"id":1})");
    EXPECT_EQ(value()["after"], (json{{"id", 1}, {"name", "b"}}));
}

TEST_F(NativeFormatTest, AKeyThatIsNowhereIsAnError) {
    changes_.update(users_, {Changes::unchanged(), changes_.text("b")});
    EXPECT_EQ(failure().what, "the server did not send the key of a changed row");
}

TEST_F(NativeFormatTest, AReselectedValueIsNamed) {
    Cell now = changes_.text("now");
    now.reselected = true;
    changes_.update(users_, {changes_.text("1"), now});
    encode();
    EXPECT_EQ(value()["source"]["reselected"], json::array({"name"}));
    EXPECT_EQ(value()["after"]["name"], "now");
}

TEST_F(NativeFormatTest, ATruncateTellsItsOptions) {
    Change& change = changes_.truncate(users_);
    change.truncate_cascade = true;
    encode();
    EXPECT_EQ(value()["op"], "TRUNCATE");
    EXPECT_EQ(value()["before"], nullptr);
    EXPECT_EQ(value()["after"], nullptr);
    EXPECT_EQ(value()["truncate"], (json{{"cascade", true}, {"restart_identity", false}}));
    EXPECT_FALSE(out_.records[0].has_key);
    EXPECT_TRUE(out_.records[0].to_all_partitions);
}

TEST_F(NativeFormatTest, AMessageIsKeyedByItsPrefixAndCarriesBytes) {
    changes_.message("outbox", std::string_view{"\0\xFF", 2}, true);
    encode();
    EXPECT_EQ(value()["op"], "MESSAGE");
    EXPECT_EQ(value()["schema"], nullptr);
    EXPECT_EQ(value()["source"]["table"], nullptr);
    EXPECT_EQ(value()["message"],
              (json{{"prefix", "outbox"}, {"content", "AP8="}, {"transactional", true}}));
    EXPECT_EQ(key(), R"({"prefix":"outbox"})");
    EXPECT_EQ(out_.records[0].relation, nullptr);
}

TEST_F(NativeFormatTest, ASnapshotRowBelongsToNoTransaction) {
    Changes snapshot;
    snapshot.begin(0, Lsn{0x10});
    snapshot.read(users_, {snapshot.text("1"), Changes::null()});
    NativeFormat format{options_, kContext};
    ASSERT_TRUE(encode_all(format, snapshot.batch(), out_));
    EXPECT_EQ(value()["op"], "READ");
    EXPECT_EQ(value()["source"]["xid"], nullptr);
}

TEST_F(NativeFormatTest, ATableWithoutKeyMakesRecordsWithoutKey) {
    users_.key.clear();
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    encode();
    EXPECT_FALSE(out_.records[0].has_key);
    EXPECT_EQ(out_.records[0].key, "");
}

TEST_F(NativeFormatTest, AKeyOfSeveralColumnsStandsInItsOrder) {
    users_.key = {1, 0};
    changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
    encode();
    EXPECT_EQ(key(), R"({"name":"a","id":1})");
}

TEST_F(NativeFormatTest, AColumnThatIsNotCapturedIsNeverShown) {
    users_.columns[1].captured = false;
    changes_.update(users_, {changes_.text("1"), changes_.text("hidden")},
                    {changes_.text("1"), Changes::unchanged()});
    encode();
    EXPECT_EQ(out_.records[0].value.find("hidden"), std::string_view::npos);
    EXPECT_EQ(out_.records[0].value.find("name"), std::string_view::npos);
}

TEST_F(NativeFormatTest, ATableWithoutColumnsHasEmptyRows) {
    users_.columns.clear();
    users_.key.clear();
    changes_.insert(users_, {});
    encode();
    EXPECT_EQ(value()["after"], json::object());
}

TEST_F(NativeFormatTest, SixteenHundredColumnsAreWritten) {
    users_.columns.clear();
    users_.key = {1599};
    Changes::Cells cells;
    for (int i = 0; i < 1600; ++i) {
        users_.columns.push_back(column("column_" + std::to_string(i), Kind::integer));
        cells.push_back(changes_.text(std::to_string(i)));
    }
    changes_.insert(users_, cells);
    encode();
    EXPECT_EQ(value()["after"].size(), 1600U);
    EXPECT_EQ(key(), R"({"column_1599":1599})");
}

TEST_F(NativeFormatTest, TransactionsTellTheirOwnTimeAndNumber) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.begin(568, Lsn{0x1635000}, {1'700'000'000'000'999});
    changes_.insert(users_, {changes_.text("2"), Changes::null()});
    encode();
    EXPECT_EQ(value(1)["source"]["xid"], 568);
    EXPECT_EQ(value(1)["source"]["ts_ms"], 1'700'000'000'000);
    EXPECT_EQ(value(1)["ts_ms"], 1'634'567'890'123);
    EXPECT_EQ(out_.records[1].commit_lsn, Lsn{0x1635000});
}

TEST_F(NativeFormatTest, AnEmptyTransactionMakesNoRecord) {
    EXPECT_TRUE(encode().empty());
}

TEST_F(NativeFormatTest, ItGoesOnInTheMiddleOfABatchWithTheTransactionThatIsThere) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.begin(568, Lsn{0x1635000}, {1'700'000'000'000'999});
    changes_.insert(users_, {changes_.text("2"), Changes::null()});
    changes_.insert(users_, {changes_.text("3"), Changes::null()});
    NativeFormat format{options_, kContext};
    const auto encoded = format.encode(changes_.batch(), 2, out_);
    ASSERT_TRUE(encoded);
    EXPECT_EQ(encoded->next, 3U);
    ASSERT_EQ(out_.records.size(), 1U);
    EXPECT_EQ(value()["after"]["id"], 3);
    EXPECT_EQ(value()["source"]["xid"], 568);
    EXPECT_EQ(out_.records[0].commit_lsn, Lsn{0x1635000});
    EXPECT_EQ(out_.records[0].change, 2U);
}

TEST_F(NativeFormatTest, BrokenTextIsAnErrorWithAnAddressAndWithoutTheValue) {
    changes_.insert(users_, {changes_.text("1"), changes_.text("secret\xFF")});
    const Error error = failure();
    NativeFormat format{options_, kContext};
    EXPECT_FALSE(format.encode(changes_.batch(), 0, out_)->text_would_do);
    EXPECT_EQ(error.category, Error::Category::data);
    EXPECT_EQ(error.next, Error::Next::stop);
    EXPECT_EQ(error.where, "table public.users, column name, LSN 0/1634FA0");
    EXPECT_EQ(error.hint, "set format.invalid_utf8 to base64 or replace");
    EXPECT_EQ(describe(error).find("secret"), std::string::npos);
}

TEST_F(NativeFormatTest, BrokenTextThatIsAllowedIsNamed) {
    options_.invalid_utf8 = InvalidUtf8::base64;
    changes_.insert(users_, {changes_.text("1"), changes_.text("\xFF")});
    encode();
    EXPECT_EQ(value()["after"]["name"], "/w==");
    EXPECT_EQ(value()["source"]["invalid_utf8"], json::array({"name"}));
}

TEST_F(NativeFormatTest, BrokenTextInAKeyIsNeverReplaced) {
    options_.invalid_utf8 = InvalidUtf8::replace;
    users_.key = {1};
    changes_.insert(users_, {changes_.text("1"), changes_.text("\xFF")});
    EXPECT_EQ(failure().hint, "set format.invalid_utf8 to base64");
}

TEST_F(NativeFormatTest, TextThatIsNotOfItsTypeIsShownAndNamed) {
    changes_.insert(users_, {changes_.text("seven"), Changes::null()});
    encode();
    EXPECT_EQ(value()["after"]["id"], "seven");
    EXPECT_EQ(value()["source"]["as_text"], json::array({"id"}));
}

TEST_F(NativeFormatTest, BytesThatAreNotOfTheirTypeAreAnError) {
    Cell broken = changes_.text("xyz");
    broken.state = Cell::State::binary;
    changes_.insert(users_, {broken, Changes::null()});
    EXPECT_EQ(failure().what, "a value does not have the binary form of its column's type");
    NativeFormat format{options_, kContext};
    const auto refused = format.encode(changes_.batch(), 0, out_);
    ASSERT_TRUE(refused);
    EXPECT_TRUE(refused->text_would_do);
}

TEST_F(NativeFormatTest, ATypeWithoutBinaryFormIsAnErrorInBinary) {
    Type unreadable = *users_.columns[1].type;
    unreadable.read_binary = nullptr;
    users_.columns[1].type = std::make_shared<const Type>(unreadable);
    changes_.insert(users_, {changes_.text("1"), changes_.value(Value{})});
    EXPECT_EQ(failure().where, "table public.users, column name, LSN 0/1634FA0");
}

TEST_F(NativeFormatTest, ANewVersionOfATableHasItsOwnPlan) {
    Relation wider = users_;
    wider.slot = 1;
    wider.columns.push_back(column("email"));
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.insert(wider, {changes_.text("2"), Changes::null(), changes_.text("x")});
    changes_.insert(users_, {changes_.text("3"), Changes::null()});
    encode();
    EXPECT_EQ(value(1)["after"].size(), 3U);
    EXPECT_EQ(value(2)["after"].size(), 2U);
}

TEST_F(NativeFormatTest, RelationsDerivedFromOneTableKeepTheirPlans) {
    Relation masked = users_;
    masked.slot = 1;
    masked.columns[1].captured = false;
    for (int i = 0; i < 3; ++i) {
        changes_.insert(users_, {changes_.text("1"), changes_.text("a")});
        changes_.insert(masked, {changes_.text("1"), changes_.text("a")});
    }
    encode();
    for (std::size_t i = 0; i < 6; ++i) EXPECT_EQ(value(i)["after"].size(), i % 2 == 0 ? 2U : 1U);
}

TEST_F(NativeFormatTest, PlansAreDroppedWhenThereAreTooManyAndComeBack) {
    NativeFormat format{options_, kContext};
    for (std::uint32_t slot = 0; slot < 5000; ++slot) {
        Relation relation = users_;
        relation.oid = Oid{slot + 1};
        relation.slot = slot;
        Changes changes;
        changes.begin(1, Lsn{slot + 1});
        changes.insert(relation, {changes.text("1"), Changes::null()});
        ASSERT_TRUE(encode_all(format, changes.batch(), out_));
    }
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    ASSERT_TRUE(encode_all(format, changes_.batch(), out_));
    EXPECT_EQ(out_.records.size(), 5001U);
}

TEST_F(NativeFormatTest, AMessageOfMegabytesIsWritten) {
    const std::string text(3'000'000, '\x01');
    changes_.insert(users_, {changes_.text("1"), changes_.text(text)});
    encode();
    EXPECT_EQ(value()["after"]["name"], text);
}

TEST_F(NativeFormatTest, BatchesAreAppended) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    NativeFormat format{options_, kContext};
    ASSERT_TRUE(encode_all(format, changes_.batch(), out_));
    ASSERT_TRUE(encode_all(format, changes_.batch(), out_));
    EXPECT_EQ(out_.records.size(), 2U);
    EXPECT_EQ(out_.records[0].value, out_.records[1].value);
}

TEST_F(NativeFormatTest, MarksSayWhereATransactionBeginsAndHowMuchItHad) {
    NativeFormat format{options_, kContext};
    const TransactionMark::Table tables[] = {{"public", "users", 2}, {"a\"b", "t", 1}};
    TransactionMark mark{.xid = Xid{567},
                         .commit_lsn = Lsn{0x16'B374'D848},
                         .committed_at = {1'634'567'890'100'000},
                         .handled_at = {1'634'567'890'123'000},
                         .ordinal = 1};
    ASSERT_TRUE(format.encode_mark(mark, out_));
    mark.kind = TransactionMark::Kind::end;
    mark.events = 4;
    mark.tables = tables;
    ASSERT_TRUE(format.encode_mark(mark, out_));
    const std::string source =
        R"("source":{"version":"0.1.0","connector":"pg-capture","ts_ms":1634567890100,)"
        R"("db":"mydb","lsn":"16/B374D848","xid":567}})";
    EXPECT_EQ(out_.records[0].key, R"({"lsn":"16/B374D848","xid":567})");
    EXPECT_EQ(out_.records[0].value, R"({"op":"BEGIN","ts_ms":1634567890123,)" + source);
    EXPECT_EQ(out_.records[1].value, R"({"op":"END","ts_ms":1634567890123,"events":4,"tables":[)"
                                     R"({"schema":"public","table":"users","events":2},)"
                                     R"({"schema":"a\"b","table":"t","events":1}],)" +
                                         source);
}

}  // namespace
}  // namespace pgc
