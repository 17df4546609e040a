// What `check` finds of `sink: file`: the root, and the registry in its database. Nothing is made
// in either.
#pragma once

#include "cli/program.h"
#include "cli/sql_session.h"
#include "observe/findings.h"

namespace pgc {

void check_files(Deps& deps, SqlSession& session, Findings& findings);

}  // namespace pgc
