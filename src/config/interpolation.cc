#include "config/interpolation.h"

#include <fmt/core.h>

#include <algorithm>
#include <utility>

#include "config/loader.h"

namespace pgc {
namespace {

constexpr std::string_view kVariable = "${env:";
constexpr std::string_view kFile = "${file:";

class Splitter {
public:
    Splitter(std::string_view value, ReferenceStyle style) noexcept : rest_(value), style_(style) {}

    std::expected<std::vector<TextPart>, std::string> split() {
        while (!rest_.empty()) {
            const auto dollar = rest_.find('$');
            keep(std::min(dollar, rest_.size()));
            if (rest_.empty()) {
                break;
            }
            if (rest_.starts_with("$${") && (strict() || is_reference(rest_.substr(1)))) {
                rest_.remove_prefix(1);
                keep(2);
            } else if (is_reference(rest_)) {
                if (auto reason = take_reference(); !reason.empty()) {
                    return std::unexpected(std::move(reason));
                }
            } else if (strict() && rest_.starts_with("${")) {
                return std::unexpected(
                    "${ must begin ${env:NAME} or ${file:PATH}; write $${ for a plain ${");
            } else {
                keep(1);
            }
        }
        return std::move(parts_);
    }

private:
    bool strict() const noexcept { return style_ == ReferenceStyle::strict; }

    static bool is_reference(std::string_view text) noexcept {
        return text.starts_with(kVariable) || text.starts_with(kFile);
    }

    void keep(std::size_t n) {
        if (n == 0) {
            return;
        }
        if (parts_.empty() || parts_.back().kind != TextPart::Kind::text) {
            parts_.emplace_back();
        }
        parts_.back().text += rest_.substr(0, n);
        rest_.remove_prefix(n);
    }

    // Empty if it went well.
    std::string take_reference() {
        const bool variable = rest_.starts_with(kVariable);
        rest_.remove_prefix(variable ? kVariable.size() : kFile.size());
        const auto end = rest_.find('}');
        if (end == std::string_view::npos) {
            return variable ? "${env: without its }" : "${file: without its }";
        }
        if (end == 0) {
            return variable ? "${env:} names no variable" : "${file:} names no file";
        }
        const auto kind = variable ? TextPart::Kind::variable : TextPart::Kind::file;
        parts_.push_back({kind, std::string(rest_.substr(0, end))});
        rest_.remove_prefix(end + 1);
        return {};
    }

    std::string_view rest_;
    ReferenceStyle style_;
    std::vector<TextPart> parts_;
};

std::string_view without_line_end(std::string_view content) {
    if (content.ends_with('\n')) {
        content.remove_suffix(1);
        if (content.ends_with('\r')) {
            content.remove_suffix(1);
        }
    }
    return content;
}

}  // namespace

std::expected<std::vector<TextPart>, std::string> split_references(std::string_view value,
                                                                   ReferenceStyle style) {
    return Splitter(value, style).split();
}

bool has_reference(const std::vector<TextPart>& parts) {
    return std::ranges::any_of(
        parts, [](const TextPart& part) { return part.kind != TextPart::Kind::text; });
}

Result<std::string> read_value_file(const std::string& path, Files& files) {
    auto content = files.read(path);
    if (!content) {
        return std::unexpected(std::move(content.error()));
    }
    if (!*content) {
        return std::unexpected(
            stop(Error::Category::configuration, fmt::format("no such file: {}", path)));
    }
    const std::string_view text = without_line_end(**content);
    if (text.size() > ConfigLimits::value_bytes || text.find('\0') != std::string_view::npos) {
        return std::unexpected(stop(
            Error::Category::configuration,
            fmt::format("{} holds no text of at most {} bytes", path, ConfigLimits::value_bytes)));
    }
    return std::string(text);
}

}  // namespace pgc
