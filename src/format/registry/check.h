// The schema registry's side of `pg-capture check`: whether its addresses answer as a registry does
// and accept who we are. It is only looked at: nothing is registered.
#pragma once

#include "base/wait.h"
#include "format/registry/config.h"
#include "format/registry/http_port.h"
#include "observe/findings.h"

namespace pgc {

// Requires: nothing is in flight. One address that answers is enough to start; the others are
// warnings then.
Findings check_registry(const RegistryConfig& config, RegistryHttp& http, Waiter& waiter);

}  // namespace pgc
