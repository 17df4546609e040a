#include "format/csv/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "format/options.h"
#include "support/options_fixture.h"

namespace pgc {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class CsvOptionsTest : public test::OptionsFixture {
protected:
    CsvOptionsTest()
        : OptionsFixture({kFormatOptions, kCsvOptions}, {{"PG_CAPTURE_FORMAT_TYPE", "csv"}}) {}
};

TEST_F(CsvOptionsTest, TheTableIsSound) {
    EXPECT_THAT(declarations.faults(), IsEmpty());
}

TEST_F(CsvOptionsTest, TheirDefaultsAreThoseOfTheStruct) {
    const CsvOptions options = made(csv_options);
    const CsvOptions plain;
    EXPECT_EQ(options.delimiter, plain.delimiter);
    EXPECT_EQ(options.quote, plain.quote);
    EXPECT_EQ(options.null_text, plain.null_text);
    EXPECT_EQ(options.header, plain.header);
    EXPECT_EQ(options.booleans, plain.booleans);
    EXPECT_EQ(options.binary, plain.binary);
    for (const CsvColumn& column : kCsvColumns) {
        EXPECT_EQ(options.columns.*column.name, plain.columns.*column.name) << column.option;
    }
}

TEST_F(CsvOptionsTest, ADelimiterIsOneCharacterOfWhichNoValueIsMade) {
    for (const char* good : {",", ";", "|", "\t", "\x01", "~"}) {
        give("format.csv.delimiter", good);
        EXPECT_EQ(made(csv_options).delimiter, *good);
    }
    give("format.csv.delimiter", "\\t");
    EXPECT_EQ(made(csv_options).delimiter, '\t');
    for (const char* bad :
         {"\"", "\n", "\r", "a", "Z", "0", "-", "+", ".", ":", " ", "\\", ",,", "", "é", "\xFF"}) {
        give("format.csv.delimiter", bad);
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.csv.delimiter"))) << bad;
    }
}

TEST_F(CsvOptionsTest, TheTextOfNullNeedsNoQuotes) {
    give("format.csv.null_text", "\\N");
    EXPECT_EQ(made(csv_options).null_text, "\\N");
    for (const char* bad : {",", "a,b", "\"\"", "a\nb"}) {
        give("format.csv.null_text", bad);
        EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.csv.null_text"))) << bad;
    }
    give("format.csv.null_text", "a,b");
    give("format.csv.delimiter", ";");
    EXPECT_THAT(errors(), IsEmpty());
}

TEST_F(CsvOptionsTest, TwoColumnsOfOneNameAreRefused) {
    give("format.csv.columns.lsn", "_commit_lsn");
    EXPECT_THAT(errors(), ElementsAre(AllOf(HasSubstr("two columns are called \"_commit_lsn\""),
                                            HasSubstr("format.csv.columns.lsn"))));
}

TEST_F(CsvOptionsTest, AllColumnsButTheOperationCanBeLeftOut) {
    for (const CsvColumn& column : kCsvColumns) {
        if (column.name != &CsvColumns::op) give(csv_column_option(column), "");
    }
    EXPECT_THAT(errors(), IsEmpty());
    EXPECT_EQ(made(csv_options).columns.before, "");
    give("format.csv.columns.op", "");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.csv.columns.op")));
}

TEST_F(CsvOptionsTest, TheyMeanNothingInAnotherFormat) {
    give("format.type", "native");
    give("format.csv.quote", "all");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.csv.quote")));
}

TEST_F(CsvOptionsTest, WhatIsNotForLinesIsRefused) {
    give("format.tombstones", "true");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.tombstones")));
    give("format.tombstones", "false");
    give("format.encoding", "avro");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.encoding")));
    give("format.encoding", "json");
    give("format.schemas_enable", "true");
    EXPECT_THAT(errors(), ElementsAre(HasSubstr("format.schemas_enable")));
}

}  // namespace
}  // namespace pgc
