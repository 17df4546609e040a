// What FileIndex says to the database that holds the registry, and what its answers say. Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "base/error.h"
#include "pgclient/link.h"
#include "pgclient/query_runner.h"
#include "sink/file_registry/file_index.h"

namespace pgc {

Query index_state_query(const std::string& pipeline);
struct IndexStateAnswer {
    int schema_version = 0;
    IndexState state;
};
[[nodiscard]] Result<IndexStateAnswer> read_index_state(const Rows& rows);

Query index_files_query(const std::string& pipeline, std::uint64_t after, std::size_t most);
[[nodiscard]] Result<std::vector<IndexedFile>> read_index_files(const Rows& rows);

// Answers when no removal is under way any more.
Query removals_settled_query(const std::string& pipeline);
Query registered_query(const std::string& pipeline, const std::vector<std::string>& paths);
[[nodiscard]] Result<std::vector<std::string>> read_registered(const Rows& rows);

Query removable_query(const std::string& pipeline, const RetentionRule& rule, std::size_t most);
[[nodiscard]] Result<std::vector<OldBatch>> read_removable(const Rows& rows);

Query remove_query(const std::string& pipeline, const std::vector<std::string>& paths,
                   bool only_loaded, const std::string& why);

}  // namespace pgc
