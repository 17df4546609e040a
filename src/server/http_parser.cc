#include "server/http_parser.h"

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <expected>

namespace pgc {
namespace {

template <typename T = void>
using OrStatus = std::expected<T, int>;

bool is_token_char(char c) noexcept {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view{"!#$%&'*+-.^_`|~"}.find(c) != std::string_view::npos;
}

bool is_token(std::string_view text) noexcept {
    return !text.empty() && std::ranges::all_of(text, is_token_char);
}

bool is_digit(char c) noexcept {
    return c >= '0' && c <= '9';
}

std::string_view trim(std::string_view text) noexcept {
    const auto first = text.find_first_not_of(" \t");
    if (first == std::string_view::npos) {
        return {};
    }
    return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

// "/path?query", or the same after "http://host" as sent to a proxy.
OrStatus<> read_target(std::string_view target, HttpRequest& request) {
    const bool clean = std::ranges::all_of(target, [](char c) { return c > 0x20 && c < 0x7F; });
    if (!clean) {
        return std::unexpected(400);
    }
    if (constexpr std::string_view scheme = "http://"; target.starts_with(scheme)) {
        target.remove_prefix(std::min(target.find('/', scheme.size()), target.size()));
        target = target.empty() ? "/" : target;
    }
    if (!target.starts_with('/')) {
        return std::unexpected(400);
    }
    const auto mark = std::min(target.find('?'), target.size());
    request.path = target.substr(0, mark);
    request.query = target.substr(std::min(mark + 1, target.size()));
    return {};
}

// Says whether it is HTTP/1.1 or later, rather than HTTP/1.0.
OrStatus<bool> read_version(std::string_view version) {
    constexpr std::string_view name = "HTTP/";
    const bool well_formed = version.size() == 8 && version.starts_with(name) &&
                             is_digit(version[5]) && version[6] == '.' && is_digit(version[7]);
    if (!well_formed) {
        return std::unexpected(400);
    }
    if (version[5] != '1') {
        return std::unexpected(505);
    }
    return version[7] != '0';
}

OrStatus<bool> read_request_line(std::string_view line, HttpRequest& request) {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) {
        return std::unexpected(400);
    }
    request.method = line.substr(0, first);
    if (!is_token(request.method)) {
        return std::unexpected(400);
    }
    const auto version = read_version(line.substr(last + 1));
    if (!version) {
        return version;
    }
    if (const auto target = read_target(line.substr(first + 1, last - first - 1), request);
        !target) {
        return std::unexpected(target.error());
    }
    return version;
}

OrStatus<> read_header(std::string_view line, HttpRequest& request) {
    const auto colon = line.find(':');
    if (colon == std::string_view::npos || !is_token(line.substr(0, colon))) {
        return std::unexpected(400);
    }
    const auto value = trim(line.substr(colon + 1));
    const bool clean = std::ranges::none_of(value, [](char c) {
        const auto byte = static_cast<unsigned char>(c);
        return (byte < 0x20 && c != '\t') || byte == 0x7F;
    });
    if (!clean) {
        return std::unexpected(400);
    }
    request.headers.emplace_back(line.substr(0, colon), value);
    return {};
}

bool lists_word(std::string_view list, std::string_view word) noexcept {
    while (!list.empty()) {
        const auto comma = std::min(list.find(','), list.size());
        if (equal_ignoring_case(trim(list.substr(0, comma)), word)) {
            return true;
        }
        list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
}

OrStatus<std::size_t> read_length(std::string_view digits, std::size_t limit) {
    if (digits.empty() || !std::ranges::all_of(digits, is_digit)) {
        return std::unexpected(400);
    }
    std::uint64_t length = 0;
    const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), length);
    if (error != std::errc{} || length > limit) {
        return std::unexpected(413);
    }
    return static_cast<std::size_t>(length);
}

// What the headers say about the request itself; gives the length of its body.
OrStatus<std::size_t> read_framing(HttpRequest& request, bool http_1_1, std::size_t body_limit) {
    std::size_t hosts = 0;
    std::size_t lengths = 0;
    std::string_view length;
    bool encoded = false;
    bool close = false;
    bool keep = false;
    for (const auto& [name, value] : request.headers) {
        if (equal_ignoring_case(name, "host")) {
            ++hosts;
        } else if (equal_ignoring_case(name, "content-length")) {
            ++lengths;
            length = value;
        } else if (equal_ignoring_case(name, "transfer-encoding")) {
            encoded = true;
        } else if (equal_ignoring_case(name, "expect")) {
            return std::unexpected(417);
        } else if (equal_ignoring_case(name, "connection")) {
            close = close || lists_word(value, "close");
            keep = keep || lists_word(value, "keep-alive");
        }
    }
    request.keep_alive = !close && (http_1_1 || keep);
    if (hosts > 1 || (hosts == 0 && http_1_1) || lengths > 1 || (encoded && lengths > 0)) {
        return std::unexpected(400);
    }
    if (encoded) {
        return std::unexpected(501);
    }
    return lengths == 0 ? OrStatus<std::size_t>{0} : read_length(length, body_limit);
}

// `head` without the empty line at its end. Gives the length of the body.
OrStatus<std::size_t> read_head(std::string_view head, HttpRequest& request,
                                const HttpLimits& limits) {
    auto line_end = std::min(head.find("\r\n"), head.size());
    const auto http_1_1 = read_request_line(head.substr(0, line_end), request);
    if (!http_1_1) {
        return std::unexpected(http_1_1.error());
    }
    while (line_end < head.size()) {
        head.remove_prefix(line_end + 2);
        line_end = std::min(head.find("\r\n"), head.size());
        if (request.headers.size() == limits.headers) {
            return std::unexpected(431);
        }
        if (const auto header = read_header(head.substr(0, line_end), request); !header) {
            return std::unexpected(header.error());
        }
    }
    return read_framing(request, *http_1_1, limits.body_bytes);
}

}  // namespace

HttpParsed parse_http_request(std::string_view buffer, const HttpLimits& limits) {
    // One empty line before a request is forgiven: some clients end a body with it.
    const std::size_t skipped = buffer.starts_with("\r\n") ? 2 : 0;
    const auto rest = buffer.substr(skipped);
    const auto line_end = rest.substr(0, limits.request_line_bytes + 2).find("\r\n");
    if (line_end == std::string_view::npos && rest.size() > limits.request_line_bytes + 1) {
        return HttpRefused{414};
    }
    const auto head_end = rest.substr(0, limits.head_bytes + 4).find("\r\n\r\n");
    if (head_end == std::string_view::npos) {
        return rest.size() > limits.head_bytes + 3 ? HttpParsed{HttpRefused{431}}
                                                   : HttpParsed{HttpIncomplete{}};
    }
    HttpComplete complete;
    const auto length = read_head(rest.substr(0, head_end), complete.request, limits);
    if (!length) {
        return HttpRefused{length.error()};
    }
    const auto body = rest.substr(head_end + 4);
    if (body.size() < *length) {
        return HttpIncomplete{};
    }
    complete.request.body = body.substr(0, *length);
    complete.consumed = skipped + head_end + 4 + *length;
    return complete;
}

}  // namespace pgc
