// The checks that need no table: server, settings, role, slot. Each appends its findings.
#pragma once

#include <string>

#include "postgres/check/findings.h"
#include "postgres/link/blocking.h"
#include "postgres/options.h"

namespace pgc {

// What the role is and may, asked once.
struct RoleFacts {
    std::string name;
    bool superuser = false;
    bool replication = false;  // or the managed services' substitute
    bool may_create = false;   // CREATE on the database
};

Result<RoleFacts> ask_role(BlockingLink& link);

void check_version(BlockingLink& link, Findings& findings);
Result<void> check_settings(BlockingLink& link, Findings& findings);
void check_role(const RoleFacts& role, Findings& findings);
Result<void> check_slot(BlockingLink& link, const PostgresConfig& config, Findings& findings);

}  // namespace pgc
