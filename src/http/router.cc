#include "http/router.h"

#include <exception>
#include <utility>

namespace pgc {
namespace {

// What stands in `path` where `pattern` has {}; empty for a pattern without. Nothing if the
// path is another.
std::optional<std::string_view> match(std::string_view pattern, std::string_view path) {
    const auto mark = pattern.find("{}");
    if (mark == std::string_view::npos) {
        return pattern == path ? std::optional{std::string_view{}} : std::nullopt;
    }
    const auto before = pattern.substr(0, mark);
    const auto after = pattern.substr(mark + 2);
    if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
        !path.ends_with(after)) {
        return std::nullopt;
    }
    const auto part = path.substr(mark, path.size() - before.size() - after.size());
    return part.contains('/') ? std::nullopt : std::optional{part};
}

}  // namespace

void Router::add(std::string method, std::string path, Handler handler) {
    routes_.push_back({std::move(method), std::move(path), std::move(handler)});
}

HttpResponse Router::answer(const HttpRequest& request) const {
    if (hosts_ && !hosts_->allows(request.header("Host"))) {
        return json_refusal(421, "the name in the Host header is not one of this instance",
                            "ask by address, or add the name to http.allowed_hosts");
    }
    const auto method = request.method == "HEAD" ? std::string_view{"GET"} : request.method;
    std::string allowed;
    for (const Route& route : routes_) {
        const auto parameter = match(route.path, request.path);
        if (!parameter) {
            continue;
        }
        if (route.method == method) {
            try {
                HttpRequest matched = request;
                matched.parameter = *parameter;
                return route.handler(matched);
            } catch (const std::exception&) {  // out of memory: this answer fails, not we
                return plain_answer(500);
            }
        }
        allowed += (allowed.empty() ? "" : ", ") + route.method;
        allowed += route.method == "GET" ? ", HEAD" : "";
    }
    if (allowed.empty()) {
        return plain_answer(404);
    }
    HttpResponse refusal = plain_answer(405);
    refusal.headers.emplace_back("Allow", std::move(allowed));
    return refusal;
}

}  // namespace pgc
