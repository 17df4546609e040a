#include "server/health_routes.h"

#include <fmt/format.h>

#include <iterator>

#include "observe/json_text.h"
#include "observe/wall_text.h"

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
    if (!status.last_error.empty()) {
        why += "; last error: " + status.last_error;
    }
    return {.status = 503, .body = "not ready: " + why + "\n"};
}

void append_error(std::string& out, const StatusSnapshot& status) {
    if (status.last_error.empty()) {
        out += "null";
        return;
    }
    out += R"({"at":")";
    append_wall_time(out, status.last_error_at);
    out += R"(","text":)";
    append_json_string(out, status.last_error);
    out += '}';
}

}  // namespace

std::string health_json(const StatusSnapshot& status) {
    const auto seconds = [](Duration time) { return std::chrono::duration<double>(time).count(); };
    const PipelineProgress& progress = status.progress;
    std::string out = R"({"pipeline":)";
    append_json_string(out, status.pipeline);
    fmt::format_to(std::back_inserter(out),
                   R"(,"state":"{}","in_state_seconds":{},"live":{},"ready":{},"lag_seconds":{},)"
                   R"("behind_bytes":{},"received":"{}","confirmed":"{}","server_end":"{}",)"
                   R"("changes":{},"buffer_bytes":{},"last_error":)",
                   name(status.state), seconds(status.in_state), status.live, status.ready,
                   seconds(progress.lag), progress.behind_bytes(), to_string(progress.received),
                   to_string(progress.confirmed), to_string(progress.server_end), progress.changes,
                   progress.buffer_bytes);
    append_error(out, status);
    out += "}\n";
    return out;
}

void add_health_routes(Router& router, const Status& status, Metrics& metrics) {
    router.add("GET", "/metrics", [&metrics](const HttpRequest&) {
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
