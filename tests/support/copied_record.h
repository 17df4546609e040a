// A record with all that it points to.
#pragma once

#include <cstddef>

#include "base/arena.h"
#include "core/record.h"

namespace pgc::test {

inline Record copied(const Record& from, Arena& arena) {
    Record record = from;
    record.key = arena.copy(from.key);
    record.value = arena.copy(from.value);
    auto* headers = arena.allocate<RecordHeader>(from.header_count);
    for (std::size_t i = 0; i < from.header_count; ++i) {
        headers[i] = {arena.copy(from.first_header[i].name),
                      arena.copy(from.first_header[i].value)};
    }
    record.first_header = headers;
    return record;
}

}  // namespace pgc::test
