// The event trigger that reports DDL in logical messages (core/own_messages.h): how it is
// installed and removed, and what `check` says of it.
//
// pgoutput shows rows and no statements. So a function in the schema cdc_ddl is called at the
// end of each statement that may have changed a table or a type, and emits one transactional
// message for each of them: it comes in the stream at its place, and not at all if the transaction
// is rolled back. Before PostgreSQL 14 pgoutput sends no messages: there it is a row of the table
// cdc_ddl.statements, which comes in the stream if that table is captured.
//
//   {"command":"ALTER TABLE","object_type":"table","schema":"public","name":"orders",
//    "statement":"ALTER TABLE orders ADD note text"}
//
// `object_type` is table, table column or type. `comment` is the text of a COMMENT ON TABLE. The
// statement is all that the session sent, 8,000 characters at most (`cut`: there is more); it is
// left out where it may hold a password. Temporary tables, extensions' objects, and what only the
// server knows are never reported.
#pragma once

#include <string>
#include <string_view>

#include "base/error.h"
#include "observe/findings.h"
#include "pgclient/blocking.h"

namespace pgc {

// Rises with each change of the function.
inline constexpr int kDdlTriggerVersion = 1;
inline constexpr int kDdlMessagesSince = 140000;  // of the server's versions; before: the table
inline constexpr std::string_view kDdlTable = "cdc_ddl.statements";

// One statement each, for psql as for a simple query; done once more they change nothing. Event
// triggers are made by superusers, or by whom a managed service lets make them.
std::string ddl_trigger_statement();
std::string ddl_trigger_removal();

// Asked of the source's database.
[[nodiscard]] Result<Finding> check_ddl_trigger(BlockingLink& link);

}  // namespace pgc
