#include "format/native/mark.h"

#include <fmt/format.h>

#include <iterator>
#include <string>

#include "format/native/value.h"

namespace pgc {
namespace {

void append_tables(std::string& text, const TransactionMark& mark) {
    fmt::format_to(std::back_inserter(text), R"(,"events":{},"tables":[)", mark.events);
    const char* between = "";
    for (const TransactionMark::Table& table : mark.tables) {
        fmt::format_to(std::back_inserter(text), R"({}{{"schema":{},"table":{},"events":{}}})",
                       between, json_string(table.schema), json_string(table.name), table.events);
        between = ",";
    }
    text += ']';
}

}  // namespace

void append_native_mark(const TransactionMark& mark, const FormatContext& about, RecordBatch& out) {
    const bool ends = mark.kind == TransactionMark::Kind::end;
    const std::string id =
        fmt::format(R"("lsn":"{}","xid":{}}})", to_string(mark.commit_lsn), mark.xid.value);
    std::string value = fmt::format(R"({{"op":"{}","ts_ms":{})", ends ? "END" : "BEGIN",
                                    mark.handled_at.unix_us / 1000);
    if (ends) append_tables(value, mark);
    fmt::format_to(std::back_inserter(value),
                   R"(,"source":{{"version":{},"connector":{},"ts_ms":{},"db":{},{}}})",
                   json_string(about.version), json_string(about.connector),
                   mark.committed_at.unix_us / 1000, json_string(about.database), id);
    Record record;
    record.destination = Destination::transactions;
    record.operation = Operation::message;
    record.has_key = true;
    record.key = out.arena.copy('{' + id);
    record.value = out.arena.copy(value);
    record.commit_lsn = mark.commit_lsn;
    record.ordinal = mark.ordinal;
    out.records.push_back(record);
}

}  // namespace pgc
