// Statements that changed the definition of a table or a type, as the event trigger of
// `pg-capture init --ddl` reports them in logical messages: what a message says, and what stands
// in the ddl.sql of a batch.
//
// Every role may emit such a message, so one is a claim: its texts are bounded, without NUL, and
// stand where they can't be taken for anything else. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/lsn.h"
#include "core/record.h"
#include "observe/json_reader.h"
#include "sink/file_registry/registry.h"

namespace pgc {

inline constexpr std::string_view kDdlName = "ddl.sql";

struct DdlStatement {
    Lsn commit_lsn;
    std::uint64_t ordinal = 0;
    WallTime committed_at;
    std::string command;                     // "ALTER TABLE"
    std::string object_type;                 // "table", "table column", "type"
    TableId object;                          // of a column: its table
    std::optional<std::string> statement{};  // none: it might hold a secret, or is cut
    bool cut = false;  // of the statement only the beginning is known, or nothing
    bool operator==(const DdlStatement&) const = default;

    bool concerns_a_table() const noexcept { return object_type.starts_with("table"); }
    std::size_t bytes() const noexcept;  // as JSON
    void leave_out_text();
};

// Nothing if it isn't one that the event trigger writes.
std::optional<DdlStatement> read_ddl_message(const OwnMessage& message);

// As JSON, and read back.
void append_ddl(std::string& out, const DdlStatement& statement);
std::optional<DdlStatement> read_ddl(const Json& note);

DdlEvent ddl_event(const DdlStatement& statement);
// What ddl.sql says: before each statement a line of comment, which is JSON, with what is known of
// it. One that was sent once and altered the table several times stands there once.
std::string ddl_text(const std::vector<DdlStatement>& statements);
// That file, in the folder of `beside`, which may be it itself. Requires: there are statements.
CompleteFile ddl_file(CompleteFile beside, const std::vector<DdlStatement>& statements);

}  // namespace pgc
