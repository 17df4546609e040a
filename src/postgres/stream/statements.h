// Every command and query of the running stream, in one place: so that a fake server can
// recognise them. What is asked of the catalog: catalog/table_facts.h.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/lsn.h"
#include "core/relation.h"
#include "postgres/setup/source_setup.h"

namespace pgc {

// START_REPLICATION SLOT "s" LOGICAL 16/B374D848 (proto_version '1', …)
std::string start_replication(const StreamPlan& plan, Lsn from);

// $1 the slot, $2 and $3 publications, which may be the same; one row of the columns below,
// whatever the version.
//   slot_exists, active, restart_lsn, confirmed_flush_lsn, wal_status, safe_wal_size,
//   invalidation, publication_exists, server_end, retained_bytes
std::string slot_health_query(int server_version);

// The named columns of one row: $1 … are the key's columns, in its order.
// `in_recovery`, `replayed`: how far a standby has got; no row from a server without `slot`, or, if
// that is to be `in_use`, where nobody reads from it.
std::string replayed_query(std::string_view slot, bool in_use);

std::string reselect_query(const Relation& relation, std::span<const std::uint32_t> columns);

}  // namespace pgc
