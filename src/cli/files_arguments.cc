#include "cli/files_arguments.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include "observe/wall_text.h"

namespace pgc {
namespace {

// A hundred years are as good as for ever.
constexpr std::uint64_t kSeconds_max = std::uint64_t{100} * 365 * 24 * 3600;

std::optional<std::uint64_t> parse_count(std::string_view text) {
    std::uint64_t count = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), count);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return count;
}

bool any_given(const CommandLine& line) {
    return line.has("older-than") || line.has("keep") || line.has("loaded");
}

}  // namespace

std::optional<Duration> parse_age(std::string_view text) {
    if (text.size() < 2) return std::nullopt;
    std::uint64_t unit = 0;
    switch (text.back()) {
        case 's': unit = 1; break;
        case 'm': unit = 60; break;
        case 'h': unit = 3600; break;
        case 'd': unit = std::uint64_t{24} * 3600; break;
        default: return std::nullopt;
    }
    const auto count = parse_count(text.substr(0, text.size() - 1));
    if (!count || *count > kSeconds_max / unit) return std::nullopt;
    return std::chrono::seconds{*count * unit};
}

std::optional<WallTime> parse_since(std::string_view text, WallTime now) {
    if (const auto age = parse_age(text)) {
        return WallTime{now.unix_us -
                        std::chrono::duration_cast<std::chrono::microseconds>(*age).count()};
    }
    const std::string given{text};
    if (given.ends_with('Z')) {
        if (const auto at = parse_wall_time(given)) return at;
        return parse_wall_time(given.substr(0, given.size() - 1) + ".000Z");
    }
    return parse_wall_time(given + "T00:00:00.000Z");
}

std::expected<std::vector<NamePattern>, std::string> given_tables(const CommandLine& line) {
    std::vector<NamePattern> tables;
    for (const std::string& text : line.arguments) {
        auto pattern = NamePattern::parse(text, 2);
        if (!pattern) {
            return std::unexpected(
                fmt::format("\"{}\" is not a table such as public.orders or shop.*", text));
        }
        tables.push_back(std::move(*pattern));
    }
    return tables;
}

std::expected<RetentionRule, std::string> given_rule(const CommandLine& line,
                                                     const FileRetentionConfig& configured,
                                                     WallTime now) {
    auto tables = given_tables(line);
    if (!tables) return std::unexpected(std::move(tables.error()));
    if (!any_given(line)) {
        const bool as_configured = configured.is_on() && !line.has("unregistered");
        RetentionRule rule = as_configured ? configured.rule(now) : RetentionRule{};
        rule.tables = std::move(*tables);
        return rule;
    }
    RetentionRule rule{.only_loaded = line.has("loaded"), .tables = std::move(*tables)};
    if (line.has("older-than")) {
        const auto age = parse_age(line.value("older-than"));
        if (!age)
            return std::unexpected(std::string{"flag --older-than takes a time such as 7d or 12h"});
        rule.closed_before = WallTime{
            now.unix_us - std::chrono::duration_cast<std::chrono::microseconds>(*age).count()};
    }
    if (line.has("keep")) {
        rule.keep = parse_count(line.value("keep"));
        if (!rule.keep)
            return std::unexpected(std::string{"flag --keep takes a number of batches"});
    }
    return rule;
}

std::string rule_text(const CommandLine& line, const FileRetentionConfig& configured) {
    if (!any_given(line)) return "files clean: " + configured.text();
    std::string text = "files clean:";
    if (line.has("older-than")) text += " older than " + line.value("older-than") + ";";
    if (line.has("keep")) text += " all but " + line.value("keep") + " batches of a table;";
    if (line.has("loaded")) text += " loaded;";
    text.pop_back();
    return text;
}

}  // namespace pgc
