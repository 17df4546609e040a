// A request as a handler sees it, and its answer.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace pgc {

// Views into the received bytes: valid while the handler runs.
struct HttpRequest {
    std::string_view method;
    std::string_view path;         // as sent, not decoded; begins with a slash
    std::string_view query;        // what follows the question mark
    std::string_view parameter{};  // what stands where the route's path has {}
    std::vector<std::pair<std::string_view, std::string_view>> headers;
    std::string_view body;
    bool keep_alive = true;

    // The first header of this name, in any case; empty if there is none.
    std::string_view header(std::string_view name) const noexcept;
};

struct HttpResponse {
    int status = 200;
    std::string_view content_type = "text/plain; charset=utf-8";  // of static storage
    std::string body;
    std::vector<std::pair<std::string_view, std::string>> headers{};
};

// "404 Not Found\n" as an answer.
HttpResponse plain_answer(int status);
// {"error":…,"hint":…} as an answer.
HttpResponse json_refusal(int status, std::string_view error, std::string_view hint = {});
std::string_view reason_phrase(int status) noexcept;

// ASCII letters only.
bool equal_ignoring_case(std::string_view a, std::string_view b) noexcept;

// The bytes on the wire. To HEAD the head alone is sent, with the length of the body.
struct HttpWire {
    std::string_view date;  // as http_date() gives it
    bool head_only = false;
    bool close = false;
};
void append_response(std::string& out, const HttpResponse& response, const HttpWire& wire);

}  // namespace pgc
