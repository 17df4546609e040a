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
#include "server/snapshot_order.h"
#include "server/token_guard.h"

namespace pgc {
namespace {

using Command = SnapshotOrder::Command;

HttpResponse json_answer(int status, std::string body) {
    return {.status = status, .content_type = "application/json", .body = std::move(body)};
}

HttpResponse taken(const std::string& id) {
    auto answer = json_answer(202, fmt::format("{{\"id\":\"{}\"}}\n", id));
    answer.headers.emplace_back("Location", "/snapshots/" + id);
    return answer;
}

HttpResponse unknown() {
    return json_refusal(404, "there is no such snapshot",
                        "see GET /snapshots or pg-capture snapshot list for those there are");
}

HttpResponse desk_is_full() {
    return json_refusal(503, "too many orders wait",
                        "ask again when the pipeline has taken them up; GET /healthz says what "
                        "it waits for");
}

std::string joined(const std::vector<std::string>& tables) {
    std::string text;
    for (const std::string& table : tables) text += (text.empty() ? "" : ", ") + table;
    return text;
}

// The desk, and what was left on it that its report doesn't show yet.
class Reception {
public:
    explicit Reception(SnapshotRoutes with)
        : desk_(with.desk),
          clock_(with.clock),
          guard_(std::move(with.token), with.log),
          log_(std::move(with.log)) {}

    HttpResponse show_all() { return json_answer(200, snapshots_json(report())); }

    HttpResponse show(const HttpRequest& request) {
        const SnapshotReport all = report();
        const auto* found = newest(all, request.parameter);
        return found ? json_answer(200, snapshot_json(*found)) : unknown();
    }

    HttpResponse order(const HttpRequest& request) {
        if (auto refusal = guard_.refuse(request)) return std::move(*refusal);
        auto order = read_order(request.body);
        if (!order) return json_refusal(400, order.error().what, order.error().mend);
        const SnapshotReport all = report();
        if (order->id.empty()) order->id = made_up_id(all);
        const auto* known = newest(all, order->id);
        if (known != nullptr && !is_over(known->state)) {
            return json_refusal(409, "a snapshot of this id is under way",
                                "choose another id, or none, or cancel that one");
        }
        if (!desk_.post({.command = Command::start, .request = *order})) return desk_is_full();
        log_.info("snapshot ordered", {{"id", order->id}, {"tables", joined(order->tables)}});
        await(order->id, known != nullptr ? std::optional{known->began} : std::nullopt);
        return taken(order->id);
    }

    HttpResponse change(const HttpRequest& request, Command command, std::string_view verb) {
        if (auto refusal = guard_.refuse(request)) return std::move(*refusal);
        const SnapshotReport all = report();
        const auto* known = newest(all, request.parameter);
        if (known == nullptr) return unknown();
        if (is_over(known->state)) {
            return json_refusal(409, fmt::format("the snapshot is {}", name(known->state)),
                                "order another one");
        }
        if (!desk_.post({.command = command, .request = {.id = known->id, .tables = {}}})) {
            return desk_is_full();
        }
        log_.info("snapshot changed", {{"id", known->id}, {"order", verb}});
        return taken(known->id);
    }

private:
    struct Awaited {
        SnapshotReport::Request as_waiting;
        // When another one of the same id began, which is over.
        std::optional<WallTime> earlier_began;
    };

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
        SnapshotReport all = desk_.report();
        // Orders are taken up in their order: those before one that shows were, too, and if
        // they don't show they are over and forgotten.
        const auto last = std::find_if(awaited_.rbegin(), awaited_.rend(),
                                       [&](const Awaited& one) { return shows(all, one); });
        awaited_.erase(awaited_.begin(), last.base());
        for (const Awaited& one : awaited_) all.requests.push_back(one.as_waiting);
        return all;
    }

    void await(const std::string& id, std::optional<WallTime> earlier_began) {
        if (awaited_.size() == SnapshotDesk::kOrders_max) awaited_.erase(awaited_.begin());
        awaited_.push_back({.as_waiting = {.id = id,
                                           .state = SnapshotReport::State::waiting,
                                           .reason = "the pipeline has not taken it up yet",
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

    SnapshotDesk& desk_;
    const Clock& clock_;
    const TokenGuard guard_;
    const Logger log_;

    // The server's thread alone.
    std::vector<Awaited> awaited_;  // oldest first
    std::uint64_t made_up_ = 0;
};

}  // namespace

void add_snapshot_routes(Router& router, SnapshotRoutes with) {
    const auto reception = std::make_shared<Reception>(std::move(with));
    router.add("GET", "/snapshots",
               [reception](const HttpRequest&) { return reception->show_all(); });
    router.add("GET", "/snapshots/{}",
               [reception](const HttpRequest& request) { return reception->show(request); });
    router.add("POST", "/snapshots",
               [reception](const HttpRequest& request) { return reception->order(request); });
    for (const auto& [command, verb] :
         {std::pair{Command::pause, "pause"}, std::pair{Command::resume, "resume"},
          std::pair{Command::cancel, "cancel"}}) {
        router.add("POST", fmt::format("/snapshots/{{}}/{}", verb),
                   [reception, command, verb](const HttpRequest& request) {
                       return reception->change(request, command, verb);
                   });
    }
}

}  // namespace pgc
