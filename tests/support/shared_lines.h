// Log lines in memory, of as many threads as there are.
#pragma once

#include <mutex>
#include <string>
#include <string_view>

#include "observe/log_lines.h"

namespace pgc {

class SharedLines final : public LogLines {
public:
    void write(std::string_view line) noexcept override {
        const std::lock_guard lock(mutex_);
        text_ += line;
    }
    std::string text() const {
        const std::lock_guard lock(mutex_);
        return text_;
    }

private:
    mutable std::mutex mutex_;
    std::string text_;  // protected by mutex_
};

}  // namespace pgc
