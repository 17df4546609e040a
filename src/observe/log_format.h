// How a line looks in the two formats; pure.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "observe/log.h"

namespace pgc {

struct LogLine {
    WallTime at;
    LogLevel level{};
    std::string_view module;
    std::string_view message;
    std::span<const LogField> fields;  // of two with one key the later counts
};

// The line with its newline.
std::string format_plain(const LogLine& line);
std::string format_json(const LogLine& line);

}  // namespace pgc
