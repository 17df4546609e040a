// Which handler answers which request: a table of method and path. One part of a path may be
// {}: it stands for any, which the handler finds in request.parameter.
//
// HEAD is answered by the handler of GET. An unknown path is 404, a known one with
// another method 405, a handler that throws 500. Filled before the server starts, then
// only read; handlers run on the server's thread and must be quick.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "http/host_guard.h"
#include "http/message.h"

namespace pgc {

class Router {
public:
    using Handler = std::function<HttpResponse(const HttpRequest&)>;

    void add(std::string method, std::string path, Handler handler);
    // From then on requests for others (host_guard.h) are answered by 421.
    void only_for(HostGuard hosts) { hosts_ = std::move(hosts); }
    HttpResponse answer(const HttpRequest& request) const;

private:
    struct Route {
        std::string method;
        std::string path;
        Handler handler;
    };
    std::vector<Route> routes_;
    std::optional<HostGuard> hosts_;
};

}  // namespace pgc
