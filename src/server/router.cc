#include "server/router.h"

#include <exception>
#include <utility>

namespace pgc {

void Router::add(std::string method, std::string path, Handler handler) {
    routes_.push_back({std::move(method), std::move(path), std::move(handler)});
}

HttpResponse Router::answer(const HttpRequest& request) const {
    const auto method = request.method == "HEAD" ? std::string_view{"GET"} : request.method;
    std::string allowed;
    for (const Route& route : routes_) {
        if (route.path != request.path) {
            continue;
        }
        if (route.method == method) {
            try {
                return route.handler(request);
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
