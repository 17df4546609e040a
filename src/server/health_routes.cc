#include "server/health_routes.h"

#include <algorithm>
#include <vector>

#include "observe/status_metrics.h"
#include "server/health_json.h"

namespace pgc {
namespace {

using Statuses = std::vector<const Status*>;
using Snapshots = std::vector<StatusSnapshot>;

Snapshots look(const Statuses& statuses) {
    Snapshots all;
    for (const Status* status : statuses) all.push_back(status->snapshot());
    return all;
}

std::string not_ready_because(const StatusSnapshot& status) {
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
    return why;
}

// A line of each that is not well, with its name where there are several.
void append_complaint(HttpResponse& answer, std::string_view what, const StatusSnapshot& status,
                      bool several, const std::string& why) {
    answer.status = 503;
    answer.body += what;
    if (several) answer.body += status.about.pipeline + ": ";
    answer.body += why + "\n";
}

HttpResponse livez(const Snapshots& all) {
    HttpResponse answer;
    for (const StatusSnapshot& status : all) {
        if (status.live) continue;
        append_complaint(answer, "not live: ", status, all.size() > 1, status.not_live_because);
    }
    if (answer.status == 200) answer.body = "ok\n";
    return answer;
}

HttpResponse readyz(const Snapshots& all) {
    HttpResponse answer;
    for (const StatusSnapshot& status : all) {
        if (status.ready) continue;
        append_complaint(answer, "not ready: ", status, all.size() > 1, not_ready_because(status));
    }
    if (answer.status == 200) answer.body = "ok\n";
    return answer;
}

HttpResponse healthz(const Snapshots& all) {
    const bool live = std::ranges::all_of(all, &StatusSnapshot::live);
    return {.status = live ? 200 : 503,
            .content_type = "application/json",
            .body = all.size() == 1 ? health_json(all.front()) : health_json(all)};
}

void add_probes(Router& router, const std::string& path, const Statuses& of) {
    router.add("GET", path + "/livez", [of](const HttpRequest&) { return livez(look(of)); });
    router.add("GET", path + "/readyz", [of](const HttpRequest&) { return readyz(look(of)); });
    router.add("GET", path + "/healthz", [of](const HttpRequest&) { return healthz(look(of)); });
}

}  // namespace

void add_health_routes(Router& router, const ServedPipelines& pipelines) {
    router.add("GET", "/metrics", [pipelines](const HttpRequest&) {
        std::vector<Metrics*> all;
        for (const ServedPipeline& pipeline : pipelines) {
            publish(pipeline.status.snapshot(), pipeline.metrics);
            all.push_back(&pipeline.metrics);
        }
        return HttpResponse{.content_type = Metrics::kContentType, .body = Metrics::expose(all)};
    });
    Statuses statuses;
    for (const ServedPipeline& pipeline : pipelines) statuses.push_back(&pipeline.status);
    add_probes(router, {}, statuses);
    if (pipelines.size() == 1) return;
    for (const ServedPipeline& pipeline : pipelines) {
        add_probes(router, path_of(pipeline), {&pipeline.status});
    }
}

}  // namespace pgc
