#include "sink/file/record_counter.h"

#include <gtest/gtest.h>

#include <string>

namespace pgc {
namespace {

using Form = RecordCounter::Form;

std::uint64_t rows(Form form, std::string_view text, std::size_t step) {
    RecordCounter counter(form);
    for (; !text.empty(); text.remove_prefix(std::min(step, text.size()))) {
        counter.add(text.substr(0, step));
    }
    return counter.rows();
}

void expect_rows(std::uint64_t expected, Form form, std::string_view text) {
    for (const std::size_t step : {1UL, 3UL, 1000UL}) {
        EXPECT_EQ(rows(form, text, step), expected) << text;
    }
}

TEST(RecordCounterTest, TheHeadingIsNotARow) {
    expect_rows(0, Form::csv, "");
    expect_rows(0, Form::csv, "_op,id\n");
    expect_rows(2, Form::csv, "_op,id\nINSERT,1\nDELETE,2\n");
    expect_rows(1, Form::csv, "\"_op\";\"id\"\n\"READ\";\"1\"\n");
}

TEST(RecordCounterTest, WithoutAHeadingTheFirstLineIsARow) {
    expect_rows(2, Form::csv, "INSERT,1\nDELETE,2\n");
    expect_rows(1, Form::csv, "\"READ\"\t\"1\"\n");
}

TEST(RecordCounterTest, ALineEndWithinQuotesIsPartOfTheRecord) {
    expect_rows(2, Form::csv, "_op,v\nINSERT,\"a\nb\"\"\n\"\"c\"\nUPDATE,\"\"\n");
    expect_rows(1, Form::csv, "_op,v\nINSERT,\"\n\n\n\"\n");
}

TEST(RecordCounterTest, LinesAreRows) {
    expect_rows(2, Form::lines, "{\"v\":\"a\\nb\"}\n{\"v\":\"\\\"\"}\n");
}

TEST(RecordCounterTest, HalfARecordIsSeen) {
    RecordCounter counter(Form::csv);
    counter.add("_op,v\nINSERT,\"a\n");
    EXPECT_FALSE(counter.whole());
    counter.add("b\"\n");
    EXPECT_TRUE(counter.whole());
    RecordCounter lines(Form::lines);
    lines.add("{}\n{");
    EXPECT_FALSE(lines.whole());
}

TEST(RecordCounterTest, AFilesNameSaysItsForm) {
    EXPECT_EQ(record_form("streaming.csv.gz"), Form::csv);
    EXPECT_EQ(record_form("streaming.csv"), Form::csv);
    EXPECT_EQ(record_form("full_reload.jsonl.zst"), Form::lines);
}

}  // namespace
}  // namespace pgc
