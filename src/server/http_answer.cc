#include "server/http_answer.h"

#include <algorithm>
#include <charconv>
#include <expected>
#include <optional>

#include "server/http_message.h"

namespace pgc {
namespace {

template <typename T>
using OrWhy = std::expected<T, std::string_view>;

constexpr std::string_view kForeign = "it is not an HTTP response";
constexpr std::string_view kTooLarge = "it is too large";

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

// "HTTP/1.1 200 OK"
OrWhy<int> read_status_line(std::string_view line) {
    const bool well_formed =
        line.size() >= 12 && line.starts_with("HTTP/1.") && is_digit(line[7]) && line[8] == ' ' &&
        std::ranges::all_of(line.substr(9, 3), is_digit) && (line.size() == 12 || line[12] == ' ');
    if (!well_formed) return std::unexpected(kForeign);
    const int status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (status < 200 || status > 599) return std::unexpected("its status is not one we expect");
    return status;
}

struct Head {
    int status = 0;
    std::optional<std::size_t> length;
};

OrWhy<std::size_t> read_length(std::string_view digits, std::size_t limit) {
    if (digits.empty() || !std::ranges::all_of(digits, is_digit)) return std::unexpected(kForeign);
    std::size_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || length > limit) return std::unexpected(kTooLarge);
    return length;
}

OrWhy<void> read_header(std::string_view line, Head& head, const HttpLimits& limits) {
    const auto colon = line.find(':');
    const auto name = line.substr(0, std::min(colon, line.size()));
    if (colon == std::string_view::npos || name.empty() ||
        name.find_first_of(" \t") != std::string_view::npos) {
        return std::unexpected(kForeign);
    }
    auto value = line.substr(colon + 1);
    value.remove_prefix(std::min(value.find_first_not_of(" \t"), value.size()));
    value = value.substr(0, value.find_last_not_of(" \t") + 1);
    if (equal_ignoring_case(name, "transfer-encoding") ||
        equal_ignoring_case(name, "content-encoding")) {
        return std::unexpected("its body has an encoding we did not ask for");
    }
    if (!equal_ignoring_case(name, "content-length")) return {};
    if (head.length) return std::unexpected(kForeign);
    const auto length = read_length(value, limits.body_bytes);
    if (!length) return std::unexpected(length.error());
    head.length = *length;
    return {};
}

OrWhy<Head> read_head(std::string_view text, const HttpLimits& limits) {
    auto line_end = std::min(text.find("\r\n"), text.size());
    const auto status = read_status_line(text.substr(0, line_end));
    if (!status) return std::unexpected(status.error());
    Head head{.status = *status, .length = {}};
    for (std::size_t n = 0; line_end < text.size(); ++n) {
        if (n == limits.headers) return std::unexpected(kTooLarge);
        text.remove_prefix(line_end + 2);
        line_end = std::min(text.find("\r\n"), text.size());
        if (const auto done = read_header(text.substr(0, line_end), head, limits); !done) {
            return std::unexpected(done.error());
        }
    }
    return head;
}

}  // namespace

HttpAnswerParsed parse_http_answer(std::string_view buffer, bool ended, const HttpLimits& limits) {
    constexpr std::string_view kBegin = "HTTP/1.";
    if (!kBegin.starts_with(buffer.substr(0, kBegin.size()))) return HttpNoAnswer{kForeign};
    const auto head_end = buffer.substr(0, limits.head_bytes + 4).find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
        if (buffer.size() > limits.head_bytes + 3) return HttpNoAnswer{kTooLarge};
        return ended ? HttpAnswerParsed{HttpNoAnswer{"it is cut short"}}
                     : HttpAnswerParsed{HttpIncomplete{}};
    }
    const auto head = read_head(buffer.substr(0, head_end), limits);
    if (!head) return HttpNoAnswer{head.error()};
    const auto body = buffer.substr(head_end + 4);
    const std::size_t present = std::min(body.size(), head->length.value_or(body.size()));
    if (present > limits.body_bytes) return HttpNoAnswer{kTooLarge};
    const bool whole = head->length ? present == *head->length : ended;
    if (whole)
        return HttpAnswer{.status = head->status, .body = std::string{body.substr(0, present)}};
    if (ended) return HttpNoAnswer{"it is cut short"};
    return HttpIncomplete{};
}

}  // namespace pgc
