#include "format/csv/csv_format.h"

#include <gtest/gtest.h>

#include <array>
#include <string>
#include <string_view>

#include "support/changes.h"
#include "support/csv_lines.h"
#include "support/encode.h"

namespace pgc {
namespace {

using test::Changes;
using test::column;
using test::encode_all;
using test::integer_value;
using test::text_value;
using test::type;
using test::users;

constexpr std::string_view kTime = "2021-10-18 14:38:10.1+00,";

class CsvFormatTest : public testing::Test {
protected:
    void SetUp() override { changes_.begin(567, Lsn{0x1634FF0}); }

    void encode() {
        CsvFormat format{options_, format_};
        out_.clear();
        const auto done = encode_all(format, changes_.batch(), out_);
        EXPECT_TRUE(done) << describe(done.error());
    }
    Error failure() {
        CsvFormat format{options_, format_};
        const auto done = encode_all(format, changes_.batch(), out_);
        return done ? stop(Error::Category::internal, "no failure") : done.error();
    }
    // What stands in the line after the columns that are alike in all.
    std::string rest(std::size_t i = 0) {
        const std::string_view line = out_.records.at(i).value;
        const std::size_t at = line.find(kTime);
        return at == std::string_view::npos ? "no time in " + std::string{line}
                                            : std::string{line.substr(at + kTime.size())};
    }
    // The line of a row of one column, without what is added.
    std::string value_of(const TypePtr& type, const Value& value) {
        Relation table = users_;
        table.slot = 9;
        table.columns = {{.name = "v", .type = type}};
        table.key.clear();
        Changes changes;
        changes.begin(1, Lsn{1});
        changes.insert(table, {changes.value(value)});
        CsvFormat format{options_, format_};
        RecordBatch out;
        const auto done = encode_all(format, changes.batch(), out);
        if (!done) return "refused";
        const std::string_view line = out.records.at(0).value;
        EXPECT_TRUE(line.ends_with(",,,")) << line;
        const std::size_t at = line.find(kTime) + kTime.size();
        return std::string{line.substr(at, line.size() - at - 3)};
    }
    std::string value_of(Kind kind, const Value& value) { return value_of(type(kind), value); }

    CsvOptions options_;
    FormatOptions format_;
    Relation users_ = users();
    Changes changes_;
    RecordBatch out_;
};

TEST_F(CsvFormatTest, AnInsertIsTheLineOfTheReferenceByteForByte) {
    changes_.insert(users_, {changes_.text("123"), changes_.text("Jane Roe")});
    encode();
    EXPECT_EQ(out_.records.at(0).value,
              "INSERT,0000000001634FF0,1,0000000001634FA0,567,2021-10-18 14:38:10.1+00,"
              "123,Jane Roe,,,");
    EXPECT_EQ(out_.records.at(0).key, "123");
    EXPECT_EQ(csv_header(&users_, options_),
              "_op,_commit_lsn,_seq,_lsn,_xid,_commit_ts,id,name,_before,_unchanged,_notes");
}

TEST_F(CsvFormatTest, AnUpdateHasTheOldRowWhereItWasSent) {
    changes_.update(users_, {changes_.text("7"), changes_.text("b")});
    changes_.update(users_, {changes_.text("7"), changes_.text("a\"")},
                    {changes_.text("7"), changes_.text("b")});
    encode();
    EXPECT_TRUE(out_.records.at(0).value.starts_with("UPDATE,"));
    EXPECT_EQ(rest(0), "7,b,,,");
    EXPECT_EQ(rest(1), R"(7,b,"{""id"":7,""name"":""a\""""}",,)");
}

TEST_F(CsvFormatTest, ADeleteHasWhatIsKnownInItsColumnsToo) {
    changes_.remove(users_, {changes_.text("7"), Changes::absent()});
    changes_.remove(users_, {changes_.text("8"), changes_.text("x")});
    encode();
    EXPECT_TRUE(out_.records.at(0).value.starts_with("DELETE,"));
    EXPECT_EQ(rest(0), R"(7,,"{""id"":7}",,)");
    EXPECT_EQ(rest(1), R"(8,x,"{""id"":8,""name"":""x""}",,)");
    EXPECT_EQ(out_.records.at(0).key, "7");
}

TEST_F(CsvFormatTest, NullIsNothingAndTheEmptyTextIsQuotes) {
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    changes_.insert(users_, {changes_.text("2"), changes_.text("")});
    encode();
    EXPECT_EQ(rest(0), "1,,,,");
    EXPECT_EQ(rest(1), R"(2,"",,,)");
    options_.null_text = "\\N";
    encode();
    EXPECT_EQ(rest(0), R"(1,\N,\N,\N,\N)");
    EXPECT_EQ(rest(1), R"(2,"",\N,\N,\N)");
}

TEST_F(CsvFormatTest, AllFieldsButNullAreQuotedOnRequest) {
    options_.quote = CsvQuote::all;
    changes_.insert(users_, {changes_.text("1"), Changes::null()});
    encode();
    EXPECT_EQ(out_.records.at(0).value,
              R"("INSERT","0000000001634FF0","1","0000000001634FA0","567",)"
              R"("2021-10-18 14:38:10.1+00","1",,,,)");
    EXPECT_EQ(out_.records.at(0).key, R"("1")");
    EXPECT_TRUE(csv_header(&users_, options_).starts_with(R"("_op","_commit_lsn",)"));
}

TEST_F(CsvFormatTest, AnUnchangedValueIsNamedWhateverStandsForIt) {
    changes_.update(users_, {changes_.text("7"), Changes::unchanged()});
    encode();
    EXPECT_EQ(rest(), R"(7,,,"[""name""]",)");
    format_.unsent_toast = UnsentToast::placeholder;
    encode();
    EXPECT_EQ(rest(), R"(7,__pg_capture_unavailable_value,,"[""name""]",)");
}

TEST_F(CsvFormatTest, AnUnchangedValueThatTheOldRowHoldsIsTakenFromThere) {
    changes_.update(users_, {changes_.text("7"), changes_.text("long")},
                    {changes_.text("7"), Changes::unchanged()});
    encode();
    EXPECT_EQ(rest(), R"(7,long,"{""id"":7,""name"":""long""}",,)");
}

TEST_F(CsvFormatTest, WhatElseMustBeKnownIsNoted) {
    format_.invalid_utf8 = InvalidUtf8::base64;
    Cell cell = changes_.text("now");
    cell.reselected = true;
    changes_.update(users_, {changes_.text("7"), cell});
    changes_.insert(users_, {changes_.text("7"), changes_.text("\xFF")});
    encode();
    EXPECT_EQ(rest(0), R"(7,now,,,"{""reselected"":[""name""]}")");
    EXPECT_EQ(rest(1), R"(7,/w==,,,"{""invalid_utf8"":[""name""]}")");
}

TEST_F(CsvFormatTest, WhatIsBrokenInTheOldRowIsNotedToo) {
    format_.invalid_utf8 = InvalidUtf8::base64;
    changes_.update(users_, {changes_.text("7"), changes_.text("\xFF")},
                    {changes_.text("7"), changes_.text("b")});
    encode();
    EXPECT_EQ(rest(), R"(7,b,"{""id"":7,""name"":""/w==""}",,"{""invalid_utf8"":[""name""]}")");
}

TEST_F(CsvFormatTest, TextThatIsNotUtf8IsRefusedAndNotShown) {
    changes_.insert(users_, {changes_.text("7"), changes_.text("secret\xFF")});
    const Error error = failure();
    EXPECT_NE(error.where.find("public.users, column name"), std::string::npos);
    EXPECT_EQ(describe(error).find("secret"), std::string::npos);
}

TEST_F(CsvFormatTest, ATruncateHasOnlyTheAddedColumns) {
    changes_.truncate(users_);
    Change& other = changes_.truncate(users_);
    other.truncate_cascade = other.truncate_restarts_identity = true;
    encode();
    EXPECT_TRUE(out_.records.at(0).value.starts_with("TRUNCATE,"));
    EXPECT_EQ(rest(0), ",,,,");
    EXPECT_EQ(rest(1), R"(,,,,"{""cascade"":true,""restart_identity"":true}")");
    EXPECT_FALSE(out_.records.at(0).has_key);
    EXPECT_TRUE(out_.records.at(0).to_all_partitions);
}

TEST_F(CsvFormatTest, AMessageHasColumnsOfItsOwn) {
    changes_.message("audit,x", std::string_view{"a\0\xFF", 3}, true);
    encode();
    EXPECT_TRUE(out_.records.at(0).value.starts_with("MESSAGE,"));
    EXPECT_EQ(rest(), R"("audit,x",\x6100ff,true,,,)");
    EXPECT_EQ(out_.records.at(0).key, R"("audit,x")");
    EXPECT_EQ(csv_header(nullptr, options_),
              "_op,_commit_lsn,_seq,_lsn,_xid,_commit_ts,prefix,content,transactional,"
              "_before,_unchanged,_notes");
}

TEST_F(CsvFormatTest, RowsOfASnapshotHaveNoTransaction) {
    Changes changes;
    changes.begin(0, Lsn{0x1634FF0});
    changes.read(users_, {changes.text("7"), Changes::null()});
    CsvFormat format{options_, format_};
    ASSERT_TRUE(encode_all(format, changes.batch(), out_));
    EXPECT_EQ(out_.records.at(0).value,
              "READ,0000000001634FF0,1,0000000001634FA0,,2021-10-18 14:38:10.1+00,7,,,,");
}

TEST_F(CsvFormatTest, MarksOfTransactionsAreLines) {
    CsvFormat format{options_, format_};
    const TransactionMark::Table table{"public", "users", 3};
    TransactionMark mark{.xid = Xid{567}, .commit_lsn = Lsn{0x1634FF0}, .lsn = Lsn{0x1634FA0}};
    mark.ordinal = 1;
    ASSERT_TRUE(format.encode_mark(mark, out_).value_or(false));
    mark.kind = TransactionMark::Kind::end;
    mark.events = 3;
    mark.tables = {&table, 1};
    ASSERT_TRUE(format.encode_mark(mark, out_).value_or(false));
    EXPECT_EQ(out_.records.at(0).value,
              "BEGIN,0000000001634FF0,1,0000000001634FA0,567,1970-01-01 00:00:00+00,,,,,");
    EXPECT_EQ(out_.records.at(1).value,
              "END,0000000001634FF0,1,0000000001634FA0,567,1970-01-01 00:00:00+00,3,"
              R"("[{""schema"":""public"",""table"":""users"",""events"":3}]",,,)");
    EXPECT_EQ(out_.records.at(0).key, "0000000001634FF0,567");
}

TEST_F(CsvFormatTest, ColumnsWithoutANameAreLeftOut) {
    options_.columns = {.op = "what",
                        .commit_lsn = "",
                        .seq = "",
                        .lsn = "",
                        .xid = "",
                        .commit_ts = "",
                        .before = "",
                        .unchanged = "",
                        .notes = ""};
    changes_.insert(users_, {changes_.text("7"), Changes::null()});
    encode();
    EXPECT_EQ(out_.records.at(0).value, "INSERT,7,");
    EXPECT_EQ(csv_header(&users_, options_), "what,id,name");
}

TEST_F(CsvFormatTest, WhatIsNotCapturedIsNotShown) {
    users_.columns[1].captured = false;
    changes_.update(users_, {changes_.text("7"), changes_.text("hidden")},
                    {changes_.text("7"), changes_.text("hidden")});
    encode();
    EXPECT_EQ(rest(), R"(7,"{""id"":7}",,)");
    EXPECT_EQ(csv_header(&users_, options_),
              "_op,_commit_lsn,_seq,_lsn,_xid,_commit_ts,id,_before,_unchanged,_notes");
}

TEST_F(CsvFormatTest, AColumnThatIsCalledAsAnAddedOneStopsWithTheOption) {
    users_.columns.push_back(column("_seq"));
    changes_.insert(users_, {changes_.text("7"), Changes::null(), Changes::null()});
    CsvFormat format{options_, format_};
    const auto encoded = format.encode(changes_.batch(), 0, out_);
    ASSERT_FALSE(encoded) << "it is not of one change";
    EXPECT_NE(encoded.error().where.find("public.users"), std::string::npos);
    EXPECT_NE(encoded.error().hint.find("format.csv.columns.seq"), std::string::npos);
    options_.columns.seq = "_number";
    encode();
    EXPECT_EQ(out_.records.size(), 1U);
    options_.columns.seq = "_seq";
    users_.columns.back().captured = false;
    encode();
    EXPECT_EQ(out_.records.size(), 1U);
}

TEST_F(CsvFormatTest, ATableWithoutColumnsHasTheAddedOnes) {
    users_.columns.clear();
    users_.key.clear();
    changes_.insert(users_, {});
    encode();
    EXPECT_EQ(rest(), ",,");
}

TEST_F(CsvFormatTest, NamesAreQuotedAsValuesAre) {
    users_.columns[1].name = "full, \"name\"";
    EXPECT_NE(csv_header(&users_, options_).find(R"(id,"full, ""name""",_before)"),
              std::string::npos);
}

TEST_F(CsvFormatTest, TheHeadingCanBeLeftOut) {
    EXPECT_EQ((CsvFormat{options_, format_}.heading(&users_)), csv_header(&users_, options_));
    options_.header = false;
    EXPECT_EQ((CsvFormat{options_, format_}.heading(&users_)), "");
}

TEST_F(CsvFormatTest, TextIsWrittenAsTheServerSentIt) {
    Relation table = users_;
    table.slot = 3;
    table.key.clear();
    table.columns = {column("t", Kind::timestamp_tz),
                     {.name = "a", .type = type(Kind::array, type(Kind::integer))},
                     column("j", Kind::json)};
    changes_.insert(table, {changes_.text("2024-01-01 00:00:00+00"), changes_.text("{1,NULL}"),
                            changes_.text("{\"a\":\n1}")});
    encode();
    EXPECT_EQ(rest(), "2024-01-01 00:00:00+00,\"{1,NULL}\",\"{\"\"a\"\":\n1}\",,,");
}

TEST_F(CsvFormatTest, BooleansAreWrittenAsConfigured) {
    EXPECT_EQ(value_of(Kind::boolean, integer_value(1)), "true");
    EXPECT_EQ(value_of(Kind::boolean, integer_value(0)), "false");
    options_.booleans = CsvBooleans::letters;
    EXPECT_EQ(value_of(Kind::boolean, integer_value(1)), "t");
    options_.booleans = CsvBooleans::digits;
    EXPECT_EQ(value_of(Kind::boolean, integer_value(0)), "0");
}

TEST_F(CsvFormatTest, BytesAreWrittenAsConfigured) {
    EXPECT_EQ(value_of(Kind::bytes, text_value("\x01\xFF")), "\\x01ff");
    EXPECT_EQ(value_of(Kind::bytes, text_value("")), "\\x");
    options_.binary = CsvBinary::base64;
    EXPECT_EQ(value_of(Kind::bytes, text_value("\x01\xFF")), "Af8=");
    EXPECT_EQ(value_of(Kind::bytes, text_value("")), R"("")");
}

TEST_F(CsvFormatTest, ValuesThatCameBinaryAreWrittenAsTheServerPrintsThem) {
    EXPECT_EQ(value_of(Kind::integer, integer_value(-7)), "-7");
    EXPECT_EQ(value_of(Kind::real64, test::real_value(1e21)), "1e+21");
    EXPECT_EQ(value_of(Kind::real32, test::real_value(0.5)), "0.5");
    EXPECT_EQ(value_of(Kind::real64, test::real_value(-1.0 / 0.0)), "-Infinity");
    EXPECT_EQ(value_of(Kind::decimal, text_value("12.50")), "12.50");
    EXPECT_EQ(value_of(Kind::date, integer_value(-746'117)), "0044-03-15 BC");
    EXPECT_EQ(value_of(Kind::time, integer_value(86'400'000'000)), "24:00:00");
    EXPECT_EQ(value_of(Kind::timestamp, integer_value(1'500'000)), "2000-01-01 00:00:01.5");
    EXPECT_EQ(value_of(Kind::timestamp_tz, integer_value(0)), "2000-01-01 00:00:00+00");
    EXPECT_EQ(value_of(Kind::timestamp_tz, integer_value(-kInfinity)), "-infinity");
    EXPECT_EQ(value_of(Kind::timestamp_tz, integer_value(-63'200'000'000'000'000)),
              "0004-04-09 12:26:40+00 BC");
    Value interval;
    interval.interval = {.months = 14, .days = -1, .microseconds = 1'000'000};
    EXPECT_EQ(value_of(Kind::interval, interval), "1 year 2 mons -1 days +00:00:01");
    EXPECT_EQ(value_of(Kind::time, integer_value(-1)), "refused");
}

TEST_F(CsvFormatTest, CompoundValuesAreWrittenAsTheServerPrintsThem) {
    const std::array<Value, 3> texts{text_value("a"), text_value("b \"c\""), test::null_value()};
    const std::array<Dimension, 1> three{{{3, 1}}};
    Value array;
    array.list = texts;
    array.dimensions = three;
    EXPECT_EQ(value_of(type(Kind::array, type(Kind::text)), array), R"("{a,""b \""c\"""",NULL}")");
    const std::array<Dimension, 1> lie{{{2'147'483'647, 1}}};
    array.dimensions = lie;
    EXPECT_EQ(value_of(type(Kind::array, type(Kind::text)), array), "refused");
    const std::array<Value, 2> bounds{integer_value(1), integer_value(10)};
    Value range;
    range.list = bounds;
    range.range_flags.lower_inclusive = true;
    EXPECT_EQ(value_of(type(Kind::range, type(Kind::integer)), range), R"~("[1,10)")~");
}

TEST_F(CsvFormatTest, ATextThatDoesNotHaveItsTypesFormIsShownAsItCame) {
    const TypePtr altered = [] {
        Type made = *type(Kind::boolean);
        made.read_text = [](const Type&, std::string_view, Scratch&, Value&) { return false; };
        return std::make_shared<const Type>(std::move(made));
    }();
    users_.columns[1].type = altered;
    changes_.insert(users_, {changes_.text("7"), changes_.text("happy")});
    encode();
    EXPECT_EQ(rest(), R"(7,happy,,,"{""as_text"":[""name""]}")");
}

}  // namespace
}  // namespace pgc
