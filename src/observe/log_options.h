// What the user can say about logs, and how it is written:
//   logging.level, logging.format, logging.modules, and in one word
//   PG_CAPTURE_LOG=info,postgres=debug
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "base/error.h"
#include "base/words.h"

namespace pgc {

enum class LogLevel : std::uint8_t { trace, debug, info, warning, error };
enum class LogFormat : std::uint8_t { plain, json };

inline constexpr auto kLogLevels = words_for<LogLevel>({{"trace", LogLevel::trace},
                                                        {"debug", LogLevel::debug},
                                                        {"info", LogLevel::info},
                                                        {"warning", LogLevel::warning},
                                                        {"error", LogLevel::error}});
inline constexpr auto kLogFormats =
    words_for<LogFormat>({{"plain", LogFormat::plain}, {"json", LogFormat::json}});

// The level of a module is the one given for it, else for the nearest name above it
// ("postgres" for "postgres.stream"), else `level`.
struct LogLevels {
    LogLevel level = LogLevel::info;
    std::map<std::string, LogLevel, std::less<>> modules{};

    LogLevel of(std::string_view module) const noexcept;
    bool operator==(const LogLevels&) const = default;
};

struct LogOptions {
    LogLevels levels{};
    LogFormat format = LogFormat::plain;
    // Of lines with the same module and message; further ones are counted and reported later.
    std::uint32_t same_lines_per_second_max = 10;
};

std::string_view name(LogLevel level) noexcept;
std::optional<LogLevel> parse_log_level(std::string_view text) noexcept;  // also "warn"

// "level" and "module=level" in any order, separated by commas, over `defaults`.
// All mistakes of the text stand in one Error.
Result<LogLevels> parse_log_levels(std::string_view text, LogLevels defaults = {});

}  // namespace pgc
