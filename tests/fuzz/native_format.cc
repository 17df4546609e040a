// Any types, any values, any options: what the native format writes is one line of JSON.
//
// The bytes are the choices of tests/support/hostile_rows.h, one after the other, then,
// as a column of text and one of json, what they are.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <iostream>
#include <string_view>

#include "format/native/native_format.h"
#include "pipeline/key_changes.h"
#include "support/encode.h"
#include "support/hostile_rows.h"
#include "support/json_check.h"

namespace {

using namespace pgc;

void check(std::string_view text) {
    if (const std::string problem = test::message_problem(text); !problem.empty()) {
        std::cerr << problem << ": " << text << '\n';
        std::abort();
    }
}

void encode(NativeFormat& format, Batch& batch) {
    RecordBatch out;
    split_key_changes(batch);
    (void)test::encode_all(format, batch, out);
    for (const Record& record : out.records) {
        check(record.value);
        if (record.has_key) {
            check(record.key);
        }
    }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    std::size_t at = 0;
    test::HostileRows rows{[&]() -> std::uint32_t { return at < size ? data[at++] : 0; }};
    FormatOptions options;
    const auto numbers = rows.pick(6);
    options.decimal = static_cast<DecimalText>(numbers % 3);
    options.bigint = static_cast<BigintText>(numbers / 3);
    options.invalid_utf8 = static_cast<InvalidUtf8>(rows.pick(3));
    options.unsent_toast = static_cast<UnsentToast>(rows.pick(2));
    NativeFormat format{options, {.version = "0", .database = "fuzz"}};

    const Relation relation = rows.relation();
    test::Changes changes;
    changes.begin(1, Lsn{1});
    rows.change(changes, relation);
    encode(format, changes.batch());

    Relation plain = test::users();
    plain.slot = 1;
    plain.columns = {test::column("text"), test::column("document", Kind::json)};
    const std::string_view all{reinterpret_cast<const char*>(data), size};
    test::Changes texts;
    texts.begin(2, Lsn{2});
    texts.insert(plain, {texts.text(all), texts.text(all)});
    encode(format, texts.batch());
    return 0;
}
