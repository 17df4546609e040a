// What somebody with more rights than we are given has to run beforehand.
#pragma once

#include <string>

#include "postgres/options.h"

namespace pgc {

// A script for psql, to be run in the database: the role, what it may read, the publication, the
// slot, in the order in which they find each other. It asks the server for its version and its
// tables by itself, so one text is right for PostgreSQL 10 to 18; run once more it adds what is
// missing and changes nothing else. The role gets REPLICATION and SELECT on what is published, no
// more; no password is in it.
std::string preparation_sql(const PostgresConfig& config);

}  // namespace pgc
