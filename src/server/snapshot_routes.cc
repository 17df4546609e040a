#include "server/snapshot_routes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "observe/wall_text.h"
#include "server/snapshot_json.h"
#include "server/snapshot_request.h"
#include "server/token_guard.h"

namespace pgc {
namespace {

using Verb = SnapshotCommand::Verb;

HttpResponse json_answer(int status, std::string body) {
    return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

std::string joined(const std::vector<std::string>& tables) {
    std::string text;
    for (const std::string& table : tables) text += (text.empty() ? "" : ", ") + table;
    return text;
}

// The requests, and those of them that the report doesn't show yet.
class Reception {
public:
    // `path` comes before those of the pipeline's routes.
    Reception(SnapshotRequests& requests, const SnapshotRoutes& deps, Logger log, std::string path)
        : snapshot_requests_(requests),
          clock_(deps.clock),
          guard_(deps.token, log),
          log_(std::move(log)),
          path_(std::move(path)) {}

    HttpResponse show_all() { return json_answer(200, snapshots_json(report())); }

    HttpResponse show(const HttpRequest& request) {
        const SnapshotReport all = report();
        const auto* found = newest(all, request.parameter);
        return found ? json_answer(200, snapshot_json(*found)) : unknown();
    }

    HttpResponse start(const HttpRequest& request) {
        if (auto refusal = guard_.refuse(request)) return std::move(*refusal);
        auto asked = read_snapshot_request(request.body);
        if (!asked) return json_refusal(400, asked.error().what, asked.error().hint);
        const SnapshotReport all = report();
        if (asked->id.empty()) asked->id = made_up_id(all);
        const auto* known = newest(all, asked->id);
        if (known != nullptr && !is_over(known->state)) {
            return json_refusal(409, "a snapshot of this id is under way",
                                "choose another id, or none, or cancel that one");
        }
        if (!snapshot_requests_.post({.verb = Verb::start, .request = *asked}))
            return too_many_requests();
        log_.info(asked->reload ? "reload requested" : "snapshot requested",
                  {{"id", asked->id}, {"tables", joined(asked->tables)}});
        await(asked->id, known != nullptr ? std::optional{known->began} : std::nullopt);
        return taken(asked->id);
    }

    HttpResponse change(const HttpRequest& request, Verb verb, std::string_view word) {
        if (auto refusal = guard_.refuse(request)) return std::move(*refusal);
        const SnapshotReport all = report();
        const auto* known = newest(all, request.parameter);
        if (known == nullptr) return unknown();
        if (is_over(known->state)) {
            return json_refusal(409, fmt::format("the snapshot is {}", name(known->state)),
                                "request another one");
        }
        if (!snapshot_requests_.post({.verb = verb, .request = {.id = known->id, .tables = {}}})) {
            return too_many_requests();
        }
        log_.info("snapshot changed", {{"id", known->id}, {"command", word}});
        return taken(known->id);
    }

private:
    struct Awaited {
        SnapshotReport::Request as_waiting;
        // When another one of the same id began, which is over.
        std::optional<WallTime> earlier_began;
    };

    HttpResponse taken(const std::string& id) const {
        auto answer = json_answer(202, fmt::format("{{\"id\":\"{}\"}}\n", id));
        answer.headers.emplace_back("Location", fmt::format("{}/snapshots/{}", path_, id));
        return answer;
    }

    HttpResponse unknown() const {
        return json_refusal(
            404, "there is no such snapshot",
            fmt::format("see GET {}/snapshots or pg-capture snapshot list for those there are",
                        path_));
    }

    HttpResponse too_many_requests() const {
        return json_refusal(
            503, "too many requests are waiting",
            fmt::format("ask again when the pipeline has handled them; GET {}/healthz says what it "
                        "waits for",
                        path_));
    }

    static const SnapshotReport::Request* newest(const SnapshotReport& report,
                                                 std::string_view id) {
        const auto found = std::find_if(report.requests.rbegin(), report.requests.rend(),
                                        [&](const auto& request) { return request.id == id; });
        return found == report.requests.rend() ? nullptr : &*found;
    }

    static bool shows(const SnapshotReport& report, const Awaited& awaited) {
        const auto* found = newest(report, awaited.as_waiting.id);
        return found != nullptr && found->began != awaited.earlier_began;
    }

    SnapshotReport report() {
        SnapshotReport all = snapshot_requests_.report();
        // Requests are handled in their order: those before one that shows were, too, and if
        // they don't show they are over and forgotten.
        const auto last = std::find_if(awaited_.rbegin(), awaited_.rend(),
                                       [&](const Awaited& one) { return shows(all, one); });
        awaited_.erase(awaited_.begin(), last.base());
        for (const Awaited& one : awaited_) all.requests.push_back(one.as_waiting);
        return all;
    }

    void await(const std::string& id, std::optional<WallTime> earlier_began) {
        if (awaited_.size() == SnapshotRequests::kRequests_max) awaited_.erase(awaited_.begin());
        awaited_.push_back({.as_waiting = {.id = id,
                                           .state = SnapshotReport::State::waiting,
                                           .reason = "the pipeline has not started it yet",
                                           .began = clock_.wall()},
                            .earlier_began = earlier_began});
    }

    // "s-20261128-071512-1"
    std::string made_up_id(const SnapshotReport& all) {
        std::string moment;
        append_wall_time(moment, clock_.wall());
        std::erase_if(moment, [](char c) { return c == '-' || c == ':'; });
        const auto day = moment.substr(0, 8);
        const auto time = moment.substr(9, 6);
        for (;;) {
            auto id = fmt::format("s-{}-{}-{}", day, time, ++made_up_);
            if (newest(all, id) == nullptr) return id;
        }
    }

    SnapshotRequests& snapshot_requests_;
    const Clock& clock_;
    const TokenGuard guard_;
    const Logger log_;
    const std::string path_;

    // The server's thread alone.
    std::vector<Awaited> awaited_;  // oldest first
    std::uint64_t made_up_ = 0;
};

void add_routes(Router& router, const std::string& path,
                const std::shared_ptr<Reception>& reception) {
    router.add("GET", path + "/snapshots",
               [reception](const HttpRequest&) { return reception->show_all(); });
    router.add("GET", path + "/snapshots/{}",
               [reception](const HttpRequest& request) { return reception->show(request); });
    router.add("POST", path + "/snapshots",
               [reception](const HttpRequest& request) { return reception->start(request); });
    for (const auto& [verb, word] :
         {std::pair{Verb::pause, "pause"}, std::pair{Verb::resume, "resume"},
          std::pair{Verb::cancel, "cancel"}}) {
        router.add("POST", fmt::format("{}/snapshots/{{}}/{}", path, word),
                   [reception, verb, word](const HttpRequest& request) {
                       return reception->change(request, verb, word);
                   });
    }
}

}  // namespace

void add_snapshot_routes(Router& router, const ServedPipelines& pipelines,
                         const SnapshotRoutes& deps) {
    const bool several = pipelines.size() > 1;
    for (const ServedPipeline& pipeline : pipelines) {
        const std::string path = several ? path_of(pipeline) : std::string{};
        Logger log = several ? deps.log.with({{"pipeline", pipeline.name}}) : deps.log;
        add_routes(
            router, path,
            std::make_shared<Reception>(pipeline.snapshot_requests, deps, std::move(log), path));
    }
}

}  // namespace pgc
