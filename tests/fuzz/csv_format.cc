// Any types, any values, any options: what the csv format writes is one line of CSV with as many
// fields as its heading.
//
// The bytes are the choices of tests/support/hostile_rows.h, one after the other, then,
// as a column of text and one of json, what they are: these are read back as they were.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "format/csv/csv_format.h"
#include "format/json/string.h"
#include "support/csv_lines.h"
#include "support/encode.h"
#include "support/hostile_rows.h"

namespace {

using namespace pgc;

[[noreturn]] void fail(std::string_view problem, std::string_view text) {
    std::cerr << problem << ": " << text << '\n';
    std::abort();
}

std::vector<test::CsvLine> lines_of(std::string_view text, test::CsvDialect dialect) {
    if (!is_utf8(text)) fail("not UTF-8", text);
    auto lines = test::csv_lines(text, dialect);
    if (!lines) fail("not CSV", text);
    return *std::move(lines);
}

void encode(CsvFormat& format, const Relation& relation, const Batch& batch,
            test::CsvDialect dialect, std::string_view text) {
    RecordBatch out;
    (void)test::encode_all(format, batch, out);
    for (const Record& record : out.records) {
        std::string file = format.heading(record.relation);
        file.append("\n").append(record.value).append("\n");
        const auto lines = lines_of(file, dialect);
        if (lines.size() != 2) fail("not a line of a heading and one of a change", file);
        if (lines[0].size() != lines[1].size()) fail("another number of fields", file);
        if (record.has_key) (void)lines_of(record.key, dialect);
        if (record.relation == &relation && is_utf8(text) &&
            (lines[1][6] != text || lines[1][7] != text)) {
            fail("another text", file);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::size_t at = 0;
    test::HostileRows rows{[&]() -> std::uint32_t { return at < size ? data[at++] : 0; }};
    FormatOptions common;
    common.invalid_utf8 = static_cast<InvalidUtf8>(rows.pick(3));
    common.unsent_toast = static_cast<UnsentToast>(rows.pick(2));
    CsvOptions options;
    options.delimiter = ",;\t|"[rows.pick(4)];
    options.quote = static_cast<CsvQuote>(rows.pick(2));
    options.booleans = static_cast<CsvBooleans>(rows.pick(3));
    options.binary = static_cast<CsvBinary>(rows.pick(2));
    options.null_text = rows.pick(2) == 0 ? "" : "\\N";
    const test::CsvDialect dialect{options.delimiter, options.null_text};
    CsvFormat format{options, common};

    Relation plain = test::users();
    plain.slot = 1;
    plain.key = {0};
    plain.columns = {test::column("text"), test::column("document", Kind::json)};
    const std::string_view all{reinterpret_cast<const char*>(data), size};

    const Relation relation = rows.relation();
    test::Changes changes;
    changes.begin(1, Lsn{1});
    rows.change(changes, relation);
    encode(format, plain, changes.batch(), dialect, {});

    test::Changes texts;
    texts.begin(2, Lsn{2});
    texts.insert(plain, {texts.text(all), texts.text(all)});
    encode(format, plain, texts.batch(), dialect, all);
    return 0;
}
