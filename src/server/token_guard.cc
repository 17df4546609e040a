#include "server/token_guard.h"

#include <algorithm>
#include <string_view>
#include <utility>

namespace pgc {
namespace {

// What follows "Bearer "; empty if it is another scheme or none.
std::string_view borne_token(const HttpRequest& request) {
    constexpr std::string_view scheme = "Bearer ";
    const auto value = request.header("authorization");
    if (!equal_ignoring_case(value.substr(0, scheme.size()), scheme)) return {};
    const auto token = value.substr(scheme.size());
    return token.substr(std::min(token.find_first_not_of(' '), token.size()));
}

// Looks at every byte of the token, whatever is offered.
bool same(std::string_view offered, std::string_view token) noexcept {
    volatile unsigned differing = offered.size() == token.size() ? 0 : 1;
    for (std::size_t i = 0; i < token.size(); ++i) {
        const auto byte = static_cast<unsigned char>(i < offered.size() ? offered[i] : 0);
        differing = differing | (byte ^ static_cast<unsigned char>(token[i]));
    }
    return differing == 0;
}

HttpResponse unauthorized(std::string_view error, std::string_view challenge) {
    auto answer = json_refusal(401, error,
                               "send Authorization: Bearer with the token of http.token "
                               "(PG_CAPTURE_HTTP_TOKEN) that the instance runs with");
    answer.headers.emplace_back("WWW-Authenticate", challenge);
    return answer;
}

}  // namespace

std::optional<HttpResponse> TokenGuard::refuse(const HttpRequest& request) const {
    const auto token = token_();
    if (!token) {
        log_.failure(LogLevel::warning, "http.token can't be read", token.error());
        return json_refusal(500, "the token can't be read, so no request can be authorized",
                            "see the log of the instance");
    }
    if (token->empty()) {
        return json_refusal(403, "nothing can be changed here: no token is configured",
                            "set http.token (PG_CAPTURE_HTTP_TOKEN, or PG_CAPTURE_HTTP_TOKEN_FILE "
                            "for a file) for the instance and start it again");
    }
    const auto borne = borne_token(request);
    if (borne.empty()) return unauthorized("a token is needed", R"(Bearer realm="pg-capture")");
    if (!same(borne, token->reveal())) {
        return unauthorized("the token is not the right one",
                            R"(Bearer realm="pg-capture", error="invalid_token")");
    }
    return std::nullopt;
}

}  // namespace pgc
