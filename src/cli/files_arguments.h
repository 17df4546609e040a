// What `pg-capture files` is given on its command line. Pure.
#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "config/flags.h"
#include "core/name_pattern.h"
#include "sink/file/retention.h"

namespace pgc {

// "90s", "30m", "12h", "7d". Nothing for anything else.
std::optional<Duration> parse_age(std::string_view text);

// A time: "2026-11-30", "2026-11-30T17:45:00Z"; or an age, which is that long before `now`.
std::optional<WallTime> parse_since(std::string_view text, WallTime now);

// The tables that are named; what is wrong with them, as a sentence without a full stop.
std::expected<std::vector<NamePattern>, std::string> given_tables(const CommandLine& line);

// What may be removed: as the flags say, or, where none of them says anything, as is configured;
// with --unregistered alone, nothing that is registered.
std::expected<RetentionRule, std::string> given_rule(const CommandLine& line,
                                                     const FileRetentionConfig& configured,
                                                     WallTime now);
// For the audit: "files clean: older than 7d; loaded".
std::string rule_text(const CommandLine& line, const FileRetentionConfig& configured);

}  // namespace pgc
