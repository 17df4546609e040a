// Types for places inside the server, shown as it prints them: pg_lsn "16/B374D848",
// tid "(0,1)", pg_snapshot and txid_snapshot "10:20:12,15", xid8 "4294967296".
#pragma once

#include <string_view>

#include "core/value.h"

namespace pgc::types {

bool read_lsn_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_tid_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_snapshot_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);
bool read_xid8_binary(const Type& type, std::string_view bytes, Scratch& scratch, Value& out);

}  // namespace pgc::types
