#include "server/health_routes.h"

#include "observe/status_metrics.h"
#include "server/health_json.h"

namespace pgc {
namespace {

HttpResponse livez(const StatusSnapshot& status) {
    if (status.live) {
        return {.body = "ok\n"};
    }
    return {.status = 503, .body = "not live: " + status.not_live_because + "\n"};
}

HttpResponse readyz(const StatusSnapshot& status) {
    if (status.ready) {
        return {.body = "ok\n"};
    }
    std::string why = status.live ? std::string{name(status.state)} : status.not_live_because;
    if (!status.waits_for.empty()) {
        why += ", for " + status.waits_for;
    }
    if (status.attempts > 0) {
        why += "; failed attempts: " + std::to_string(status.attempts);
    }
    if (status.last_error) {
        why += "; last error: " + describe(*status.last_error);
    }
    return {.status = 503, .body = "not ready: " + why + "\n"};
}

}  // namespace

void add_health_routes(Router& router, const Status& status, Metrics& metrics) {
    router.add("GET", "/metrics", [&status, &metrics](const HttpRequest&) {
        publish(status.snapshot(), metrics);
        return HttpResponse{.content_type = Metrics::kContentType, .body = metrics.expose()};
    });
    router.add("GET", "/livez", [&status](const HttpRequest&) { return livez(status.snapshot()); });
    router.add("GET", "/readyz",
               [&status](const HttpRequest&) { return readyz(status.snapshot()); });
    router.add("GET", "/healthz", [&status](const HttpRequest&) {
        const StatusSnapshot shot = status.snapshot();
        return HttpResponse{.status = shot.live ? 200 : 503,
                            .content_type = "application/json",
                            .body = health_json(shot)};
    });
}

}  // namespace pgc
