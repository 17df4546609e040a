#include "pipeline/tombstones.h"

#include <algorithm>
#include <span>

namespace pgc {
namespace {

bool wants_one(const Record& record) noexcept {
    return record.operation == Operation::remove && record.has_key && record.has_value &&
           record.destination == Destination::own;
}

}  // namespace

void add_tombstones(RecordBatch& batch, std::size_t first) {
    auto& records = batch.records;
    const auto count = std::ranges::count_if(std::span{records}.subspan(first), wants_one);
    if (count == 0) return;
    std::size_t from = records.size();
    std::size_t to = from + static_cast<std::size_t>(count);
    records.resize(to);
    while (to > from) {
        const Record record = records[--from];
        if (wants_one(record)) {
            Record& tombstone = records[--to] = record;
            tombstone.has_value = false;
            tombstone.value = {};
        }
        records[--to] = record;
    }
}

}  // namespace pgc
