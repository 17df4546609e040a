#include "core/position_text.h"

#include <fmt/core.h>

#include <charconv>
#include <cstdint>
#include <optional>
#include <utility>

#include "base/fnv.h"
#include "base/percent.h"

namespace pgc {
namespace {

constexpr std::string_view kHead = "pg-capture position 1";

std::string escaped(std::string_view value) {
    std::string text;
    percent_encode(text, value, is_plain_in_line);
    return text;
}

// Takes line after line off the front of the content.
class Lines {
public:
    explicit Lines(std::string_view content) : rest_(content) {}

    std::optional<std::string_view> next() {
        const auto end = rest_.find('\n');
        if (end == std::string_view::npos) return std::nullopt;
        const auto line = rest_.substr(0, end);
        rest_.remove_prefix(end + 1);
        return line;
    }
    // The value of the next line, which must be that key's.
    std::optional<std::string> value(std::string_view key) {
        const auto line = next();
        if (!line || !line->starts_with(key) || line->size() <= key.size() ||
            (*line)[key.size()] != '=') {
            return std::nullopt;
        }
        return percent_decode(line->substr(key.size() + 1));
    }
    // Empty where there is no such line.
    std::optional<std::string> optional_value(std::string_view key) {
        const bool there = rest_.starts_with(std::string{key} + '=');
        return there ? value(key) : std::optional<std::string>{""};
    }
    std::string_view rest() const { return rest_; }

private:
    std::string_view rest_;
};

template <typename Number = std::uint32_t>
std::optional<Number> parse_number(std::string_view text) {
    Number number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc{} || end != text.data() + text.size()) return std::nullopt;
    return number;
}

// "0/16B3748#12"; empty: none.
std::optional<Position> parse_within(std::string_view text) {
    if (text.empty()) return Position{};
    const auto mark = text.find('#');
    if (mark == std::string_view::npos) return std::nullopt;
    const auto commit = parse_lsn(text.substr(0, mark));
    const auto ordinal = parse_number<std::uint64_t>(text.substr(mark + 1));
    if (!commit || !*commit || !ordinal || *ordinal == 0) return std::nullopt;
    return Position{*commit, *ordinal};
}

// The content without its last line, if that is its checksum.
Result<std::string_view, std::string> checked(std::string_view content) {
    constexpr std::string_view key = "checksum=";
    const auto at = content.rfind("\nchecksum=");
    if (at == std::string_view::npos || !content.ends_with('\n')) {
        return std::unexpected("it is cut short: the checksum is missing");
    }
    const auto body = content.substr(0, at + 1);
    if (content.substr(at + 1) != fmt::format("{}{:016x}\n", key, fnv1a(body))) {
        return std::unexpected("its checksum does not fit: it was changed or damaged");
    }
    return body;
}

}  // namespace

std::string write_position(const StoredPosition& position) {
    std::string text = fmt::format(
        "{}\npipeline={}\nsystem={}\ntimeline={}\ndatabase={}\nslot={}\nresume_at={}\n", kHead,
        escaped(position.pipeline), escaped(position.system), position.timeline,
        escaped(position.database), escaped(position.slot), to_string(position.resume_at));
    if (position.within != Position{}) {
        text += fmt::format("within={}\npublication={}\n", to_string(position.within),
                            escaped(position.publication));
    }
    if (!position.snapshot.empty()) {
        text += fmt::format("snapshot={}\n", escaped(position.snapshot));
    }
    if (!position.memory.empty()) text += fmt::format("memory={}\n", escaped(position.memory));
    text += fmt::format("checksum={:016x}\n", fnv1a(text));
    return text;
}

Result<StoredPosition, std::string> read_position(std::string_view text) {
    constexpr std::string_view head = "pg-capture position ";
    if (!text.starts_with(head)) return std::unexpected("it is not a position of pg-capture");
    if (!text.starts_with(std::string{kHead} + '\n')) {
        return std::unexpected("it was written by another version of pg-capture");
    }
    const auto body = checked(text);
    if (!body) return std::unexpected(body.error());

    Lines lines{*body};
    (void)lines.next();
    auto pipeline = lines.value("pipeline");
    auto system = lines.value("system");
    const auto timeline = lines.value("timeline").and_then([](const std::string& number) {
        return parse_number(number);
    });
    auto database = lines.value("database");
    auto slot = lines.value("slot");
    const auto resume_at = lines.value("resume_at").and_then(parse_lsn);
    const auto within = lines.optional_value("within").and_then(parse_within);
    auto publication = lines.optional_value("publication");
    auto snapshot = lines.optional_value("snapshot");
    auto memory = lines.optional_value("memory");
    if (!pipeline || !system || !timeline || !database || !slot || !resume_at || !within ||
        !publication || !snapshot || !memory || !lines.rest().empty()) {
        return std::unexpected("its lines are not those of a position");
    }
    return StoredPosition{.pipeline = std::move(*pipeline),
                          .system = std::move(*system),
                          .timeline = *timeline,
                          .database = std::move(*database),
                          .slot = std::move(*slot),
                          .resume_at = *resume_at,
                          .within = *within,
                          .publication = std::move(*publication),
                          .snapshot = std::move(*snapshot),
                          .memory = std::move(*memory)};
}

}  // namespace pgc
