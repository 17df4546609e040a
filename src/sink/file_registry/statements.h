// What is said to the database that holds the registry, and what its answers say. Pure.
//
// Everything is bound as a parameter. What has to be true together is one statement: so it is one
// transaction and one round trip, and nothing can come between.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "core/store.h"
#include "pgclient/answer.h"
#include "pgclient/link.h"
#include "pgclient/query_runner.h"
#include "sink/file_registry/registry.h"

namespace pgc {

// Which state of a pipeline's row is meant: any other instance, and any seal, changes it.
struct RegistryVersion {
    std::uint64_t generation = 0;
    std::uint64_t seal = 0;
    bool operator==(const RegistryVersion&) const = default;
};

// -- the position, for whoever does not write files -------------------------------------------

Query look_query(const std::string& pipeline);
struct RegistryLook {
    int schema_version = 0;
    std::optional<RegistryVersion> version;  // none: the pipeline is not known there
    std::optional<std::string> position;     // a text of core/position_text.h
};
[[nodiscard]] Result<RegistryLook> read_look(const Rows& rows);

// Answers with a row if `seen` is still what is there (none: nothing).
Query save_query(const StoredPosition& position, const std::optional<RegistryVersion>& seen);
[[nodiscard]] Result<RegistryVersion> read_version(const Rows& rows);
Query forget_query(const std::string& pipeline);

// -- for whoever writes files -----------------------------------------------------------------

// From the answer on, whoever had it before commits nothing more.
Query take_over_query(const std::string& pipeline);
struct RegistryTakeOver {
    RegistryVersion version;
    std::optional<std::string> position;
    std::string last_batch;
    std::uint64_t last_id = 0;
};
[[nodiscard]] Result<RegistryTakeOver> read_take_over(const Rows& rows);

// The open files and the tables, and whose they were at that moment.
Query content_query(const std::string& pipeline);
// A row of an open file: id, schema, name, type, bytes, row_count, checksum, first_lsn, last_lsn,
// opened_us, details.
[[nodiscard]] Result<OpenFile> read_open_file(Answer& row);
// Fills in `open`, `folders` and `modes`; the generation.
[[nodiscard]] Result<std::uint64_t> read_content(const Rows& rows, RegistryContent& content);

// Answers with a row if it was committed; with none if `last` is not what is there.
Query commit_query(const RegistrySeal& seal, const std::string& pipeline, RegistryVersion last);

}  // namespace pgc
