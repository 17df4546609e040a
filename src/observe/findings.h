// What `pg-capture check` finds: one line a precondition, with the exact step that fixes it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace pgc {

struct Finding {
    enum class Level : std::uint8_t { ok, warning, blocking };
    std::string_view id{};  // stable, for programs: "wal_level"
    Level level = Level::ok;
    std::string subject{};  // what was looked at: a table, a role, a setting
    std::string message{};  // one sentence, no full stop
    std::string hint{};     // SQL, a command or a setting; empty when ok
};

using Findings = std::vector<Finding>;

constexpr std::string_view name(Finding::Level level) noexcept {
    switch (level) {
        case Finding::Level::ok: return "ok";
        case Finding::Level::warning: return "warning";
        case Finding::Level::blocking: return "blocking";
    }
    return {};
}

}  // namespace pgc
