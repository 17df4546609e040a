// Any rows and any options: what is written is read back, by RFC 4180 alone, as what went in.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "format/csv/csv_format.h"
#include "support/changes.h"
#include "support/csv_lines.h"
#include "support/encode.h"

namespace pgc {
namespace {

using test::Changes;
using test::CsvLine;

std::string random_text(std::mt19937& random) {
    static constexpr std::string_view pieces[] = {
        ",", ";", "\t", "|", "\"", "\r\n", "\n", "\\", "\\.", "\\N", "é", "😀", " ", "a", "plain"};
    std::string text;
    for (std::size_t n = random() % 6; n > 0; --n) text += pieces[random() % std::size(pieces)];
    return text;
}

class RandomTable {
public:
    explicit RandomTable(std::uint32_t seed) : random_(seed) {
        options.delimiter = ",;\t|"[random_() % 4];
        options.null_text = random_() % 2 == 0 ? "" : "\\N";
        options.quote = random_() % 4 == 0 ? CsvQuote::all : CsvQuote::minimal;
        table_ = test::users();
        table_.key.clear();
        table_.columns.clear();
        for (std::size_t n = random_() % 6; n > 0; --n) {
            table_.columns.push_back(test::column(random_text(random_)));
        }
    }

    // Its rows as one file, and what has to be read of their own columns.
    std::string file() {
        Changes changes;
        changes.begin(567, Lsn{0x1634FF0});
        for (std::size_t n = random_() % 10; n > 0; --n) add_row(changes);
        CsvFormat format{options, {}};
        RecordBatch out;
        const auto done = test::encode_all(format, changes.batch(), out);
        EXPECT_TRUE(done) << describe(done.error());
        std::string text = format.heading(&table_) + '\n';
        for (const Record& record : out.records) text.append(record.value) += '\n';
        return text;
    }

    CsvLine names() const {
        CsvLine line;
        for (const Column& column : table_.columns) line.emplace_back(column.name);
        return line;
    }

    CsvOptions options;
    std::vector<CsvLine> rows;

private:
    void add_row(Changes& changes) {
        CsvLine& row = rows.emplace_back();
        Changes::Cells cells;
        for (std::size_t i = 0; i < table_.columns.size(); ++i) {
            if (random_() % 4 == 0) {
                row.emplace_back();
                cells.push_back(Changes::null());
            } else {
                row.emplace_back(random_text(random_));
                cells.push_back(changes.text(*row.back()));
            }
        }
        if (random_() % 2 == 0) {
            changes.insert(table_, cells);
        } else {
            changes.update(table_, cells, cells);
        }
    }

    std::mt19937 random_;
    Relation table_;
};

TEST(CsvRandomRowsTest, AreReadBackAsTheyWere) {
    constexpr std::size_t before = 6;
    constexpr std::size_t added = 9;
    std::size_t compared = 0;
    for (std::uint32_t seed = 1; seed <= 2000; ++seed) {
        RandomTable table{seed};
        const std::string file = table.file();
        const auto lines =
            test::csv_lines(file, {table.options.delimiter, table.options.null_text});
        ASSERT_TRUE(lines) << "seed " << seed;
        ASSERT_EQ(lines->size(), table.rows.size() + 1) << "seed " << seed;
        for (std::size_t i = 0; i < lines->size(); ++i) {
            const CsvLine& line = lines->at(i);
            const CsvLine& expected = i == 0 ? table.names() : table.rows[i - 1];
            ASSERT_EQ(line.size(), expected.size() + added) << "seed " << seed;
            const auto first = line.begin() + before;
            ASSERT_EQ((CsvLine{first, first + static_cast<std::ptrdiff_t>(expected.size())}),
                      expected)
                << "seed " << seed;
            ++compared;
        }
    }
    EXPECT_GT(compared, 5000U);
}

}  // namespace
}  // namespace pgc
