#include "http/message.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>

#include "observe/json_text.h"

namespace pgc {

bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept {
    const auto lower = [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
    };
    return std::ranges::equal(a, b, {}, lower, lower);
}

std::string_view HttpRequest::header(std::string_view name) const noexcept {
    for (const auto& [key, value] : headers) {
        if (equal_ignoring_case(key, name)) {
            return value;
        }
    }
    return {};
}

std::string_view reason_phrase(int status) noexcept {
    switch (status) {
        case 200: return "OK";
        case 202: return "Accepted";
        case 400: return "Bad Request";
        case 401: return "Unauthorized";
        case 403: return "Forbidden";
        case 404: return "Not Found";
        case 405: return "Method Not Allowed";
        case 408: return "Request Timeout";
        case 409: return "Conflict";
        case 421: return "Misdirected Request";
        case 413: return "Content Too Large";
        case 414: return "URI Too Long";
        case 417: return "Expectation Failed";
        case 431: return "Request Header Fields Too Large";
        case 500: return "Internal Server Error";
        case 501: return "Not Implemented";
        case 503: return "Service Unavailable";
        case 505: return "HTTP Version Not Supported";
        default: return "Unknown";
    }
}

HttpResponse plain_answer(int status) {
    return {.status = status, .body = fmt::format("{} {}\n", status, reason_phrase(status))};
}

HttpResponse json_refusal(int status, std::string_view error, std::string_view hint) {
    std::string body = "{";
    append_json_field(body, "error", error);
    body += ',';
    append_json_field(body, "hint", hint);
    return {.status = status, .content_type = "application/json", .body = std::move(body) + "}\n"};
}

void append_response(std::string& out, const HttpResponse& response, const HttpWire& wire) {
    fmt::format_to(std::back_inserter(out),
                   "HTTP/1.1 {} {}\r\nDate: {}\r\nContent-Type: {}\r\nContent-Length: {}\r\n"
                   "Cache-Control: no-store\r\nX-Content-Type-Options: nosniff\r\n",
                   response.status, reason_phrase(response.status), wire.date,
                   response.content_type, response.body.size());
    for (const auto& [key, value] : response.headers) {
        fmt::format_to(std::back_inserter(out), "{}: {}\r\n", key, value);
    }
    out += wire.close ? "Connection: close\r\n\r\n" : "Connection: keep-alive\r\n\r\n";
    if (!wire.head_only) {
        out += response.body;
    }
}

}  // namespace pgc
