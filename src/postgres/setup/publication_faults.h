// Why a publication can't be made or used, with what a person can do about it.
//
// Pure. Threads: any.
#pragma once

#include <string_view>

#include "base/error.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"

namespace pgc {

// It is not there, and there is a slot: decoding can't find one that is younger.
Error missing_publication(std::string_view name);
// The name of the second one is taken by somebody else's.
Error taken_publication(std::string_view name);

// source.publish_via_partition_root, on a server that can't do it.
[[nodiscard]] Result<void> require_via_root(const PostgresConfig& config, int version);
// We may create it. `sql` is what somebody else would run instead.
[[nodiscard]] Result<void> require_create(const PostgresConfig& config, const ServerFacts& facts,
                                          std::string_view sql);

}  // namespace pgc
