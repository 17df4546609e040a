#include "pipeline/dead_letter.h"

#include <memory>
#include <string>

namespace pgc {

void add_dead_letter(RecordBatch& to, const Change& change, Lsn commit_lsn, const Error& error) {
    constexpr std::uint32_t headers_max = 2;
    auto* const headers = to.arena.allocate<RecordHeader>(headers_max);
    std::uint32_t count = 0;
    std::construct_at(&headers[count++], RecordHeader{"pgc.reason", to.arena.copy(error.what)});
    if (change.relation != nullptr) {
        const std::string table = qualified_name(*change.relation);
        std::construct_at(&headers[count++], RecordHeader{"pgc.table", to.arena.copy(table)});
    }
    Record record;
    record.relation = change.relation;
    record.destination = Destination::dead_letters;
    record.operation = change.operation;
    record.header_count = count;
    record.value = to.arena.copy(describe(error));
    record.first_header = headers;
    record.commit_lsn = commit_lsn;
    record.ordinal = change.ordinal;
    to.records.push_back(record);
}

}  // namespace pgc
