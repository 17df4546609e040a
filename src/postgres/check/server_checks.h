// The checks that need no table: server, settings, role, slot. Each appends its findings.
#pragma once

#include <optional>
#include <string_view>

#include "base/error.h"
#include "observe/findings.h"
#include "pgclient/blocking.h"
#include "postgres/options.h"
#include "postgres/setup/server_facts.h"
#include "postgres/setup/slot.h"

namespace pgc {

// Asked once; `replication` counts managed services' substitutes for the attribute too.
[[nodiscard]] Result<ServerFacts> ask_server(BlockingLink& link);

void check_version(const ServerFacts& facts, Findings& findings);
// `followed`: our slot is being read by an instance of ours, which has its place already.
void check_settings(const ServerFacts& facts, bool followed, Findings& findings);
void check_role(const ServerFacts& facts, Findings& findings);
// Nothing without source.two_phase.
[[nodiscard]] Result<void> check_two_phase(BlockingLink& link, const PostgresConfig& config,
                                           const ServerFacts& facts, Findings& findings);
// Nothing when there is no such slot.
[[nodiscard]] Result<std::optional<SlotState>> ask_slot(BlockingLink& link,
                                                        const PostgresConfig& config,
                                                        const ServerFacts& facts);
// The slot, and whether the server has room for it if it is not there yet. `instance`: as in
// check_postgres().
void check_slot(const std::optional<SlotState>& slot, const PostgresConfig& config,
                const ServerFacts& facts, std::string_view instance, Findings& findings);

}  // namespace pgc
