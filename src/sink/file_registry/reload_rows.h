// Reloads as rows of cdc_registry.reload_operation: how they are bound, and what is read of them.
// Pure.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/answer.h"
#include "sink/file_registry/registry.h"

namespace pgc {

// The parameters of commit_query() for them, twelve columns of rows.
void add_reloads(std::vector<std::optional<std::string>>& to,
                 const std::vector<ReloadOperation>& reloads);

// A row of content_query() that is one which is not over.
[[nodiscard]] Result<ReloadOperation> read_open_reload(Answer& row);

// By table and who ordered them, as bytes: the database has an order of its own.
void sort_reloads(std::vector<ReloadOperation>& reloads);

}  // namespace pgc
