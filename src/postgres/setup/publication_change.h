// What our publications are to be changed by, and what a server means that refuses it.
//
// Pure. Threads: any.
#pragma once

#include <string>
#include <string_view>

#include "postgres/options.h"
#include "postgres/setup/publication_findings.h"

namespace pgc {

// What makes and alters both, or as many as there are to be, into what is wanted; empty: nothing.
std::string publication_change_sql(int server_version, const PostgresConfig& config,
                                   const PublicationFindings& found);

// Somebody else has made or changed one of them since they were looked at.
bool collided(std::string_view sqlstate, const PublicationFindings& found) noexcept;

// A lock that somebody holds, a deadlock, a server out of something: another time it goes.
bool change_may_pass(std::string_view sqlstate) noexcept;

}  // namespace pgc
