// A log's lines as one text, for a test of one thread.
#pragma once

#include <string>
#include <string_view>

#include "observe/log_lines.h"

namespace pgc {

struct LogText final : LogLines {
    void write(std::string_view line) noexcept override { text += line; }
    std::string text;
};

}  // namespace pgc
