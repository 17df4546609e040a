// What the user can say about flat messages: format.flat.*, under the names and values of
// Debezium's ExtractNewRecordState.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "config/option.h"
#include "config/settings.h"

namespace pgc {

// What becomes of a DELETE.
enum class FlatDeletes : std::uint8_t {
    drop,                    // nothing
    tombstone,               // its key without a value
    rewrite,                 // the row as it was, with __deleted: "true"
    rewrite_with_tombstone,  // that, and its key without a value
    delete_to_tombstone,     // its key without a value
};

// A field of the blocks that is written beside the row, or into a header.
struct FlatField {
    enum class Of : std::uint8_t { envelope, source, transaction, before, after };
    Of of = Of::envelope;
    std::string field;  // "op", "lsn", a column
    std::string name;   // it is written under
};

struct FlatOptions {
    FlatDeletes deletes = FlatDeletes::tombstone;
    std::vector<FlatField> fields;
    std::vector<FlatField> headers;
};

extern const OptionTable kFlatOptions;

// Of settings without faults.
FlatOptions flat_options(const Settings& settings);

}  // namespace pgc
