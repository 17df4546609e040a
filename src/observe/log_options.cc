#include "observe/log_options.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace pgc {
namespace {

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

bool is_module_name(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '.';
    });
}

// Takes one element of the list into `levels`; what is wrong with it, or nothing.
std::string take_element(std::string_view element, LogLevels& levels) {
    const auto equals = element.find('=');
    const bool for_module = equals != std::string_view::npos;
    const auto module = trim(element.substr(0, for_module ? equals : 0));
    const auto word = trim(element.substr(for_module ? equals + 1 : 0));
    const auto level = parse_log_level(word);
    if (!level) {
        return fmt::format("\"{}\" is not a log level", word);
    }
    if (!for_module) {
        levels.level = *level;
        return {};
    }
    if (!is_module_name(module)) {
        return fmt::format("\"{}\" is not a module name", module);
    }
    levels.modules.insert_or_assign(std::string{module}, *level);
    return {};
}

}  // namespace

LogLevel LogLevels::of(std::string_view module) const noexcept {
    for (;;) {
        if (const auto found = modules.find(module); found != modules.end()) {
            return found->second;
        }
        const auto dot = module.rfind('.');
        if (dot == std::string_view::npos) {
            return level;
        }
        module = module.substr(0, dot);
    }
}

std::string_view name(LogLevel level) noexcept {
    return kLogLevels.word(level);
}

std::optional<LogLevel> parse_log_level(std::string_view text) noexcept {
    return kLogLevels.find(text == "warn" ? "warning" : text);
}

Result<LogLevels> parse_log_levels(std::string_view text, LogLevels defaults) {
    std::string wrong;
    for (std::size_t at = 0; at <= text.size();) {
        const auto comma = std::min(text.find(',', at), text.size());
        const auto element = trim(text.substr(at, comma - at));
        at = comma + 1;
        if (element.empty()) {
            continue;
        }
        if (const auto mistake = take_element(element, defaults); !mistake.empty()) {
            wrong += (wrong.empty() ? "" : "; ") + mistake;
        }
    }
    if (!wrong.empty()) {
        return std::unexpected(
            stop(Error::Category::configuration, wrong)
                .with_hint("write level and module=level separated by commas, as in "
                           "info,postgres=debug; levels are trace, debug, info, warning, error"));
    }
    return defaults;
}

}  // namespace pgc
