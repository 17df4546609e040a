// Logical messages that are meant for pg-capture itself, by their prefixes. A sink that acts on
// them gets them as they came (RecordBatch::messages), beside the records that formats make of all
// messages.
//
// Every role of the database may emit a message: what one says is a claim.
#pragma once

#include <string_view>

namespace pgc {

// Of the event trigger that `pg-capture init --ddl` installs: a statement that changed a
// definition.
inline constexpr std::string_view kDdlMessages = "pg_capture.ddl";

constexpr bool is_own_message(std::string_view prefix) noexcept {
    return prefix.starts_with("pg_capture.") || prefix.starts_with("pg-capture.");
}

}  // namespace pgc
