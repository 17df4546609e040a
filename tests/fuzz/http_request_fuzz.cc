// Any bytes as HTTP requests: never a crash, never a read too far; and a connection
// answers the same whether the bytes come at once or one after the other. Orders of
// snapshots among them: what is left for the pipeline is valid.
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "http/connection.h"
#include "http/request_parser.h"
#include "server/snapshot_request.h"
#include "server/snapshot_routes.h"
#include "support/manual_clock.h"

namespace {

using namespace pgc;

void require(bool holds) {
    if (!holds) {
        __builtin_trap();
    }
}

bool inside(std::string_view part, std::string_view whole) {
    return part.empty() || (part.data() >= whole.data() &&
                            part.data() + part.size() <= whole.data() + whole.size());
}

void check_views(std::string_view input) {
    const HttpLimits small{
        .request_line_bytes = 64, .head_bytes = 256, .headers = 4, .body_bytes = 32};
    for (const HttpLimits& limits : {HttpLimits{}, small}) {
        const auto parsed = parse_http_request(input, limits);
        if (const auto* incomplete = std::get_if<HttpIncomplete>(&parsed)) {
            require(incomplete->needs > input.size());
        }
        const auto* complete = std::get_if<HttpComplete>(&parsed);
        if (complete == nullptr) {
            continue;
        }
        require(complete->consumed > 0 && complete->consumed <= input.size());
        const auto taken = input.substr(0, complete->consumed);
        const auto& request = complete->request;
        require(inside(request.method, taken) && inside(request.query, taken) &&
                inside(request.body, taken) && request.path.starts_with('/'));
        require(request.headers.size() <= limits.headers);
        for (const auto& [name, value] : request.headers) {
            require(inside(name, taken) && inside(value, taken));
        }
        // What is complete needs nothing that follows.
        const auto again = parse_http_request(taken, limits);
        require(std::holds_alternative<HttpComplete>(again));
    }
}

// The commands left are valid, and read again as they would be written.
void check_commands(SnapshotRequests& snapshot_requests) {
    for (const SnapshotCommand& command : snapshot_requests.take()) {
        require(is_snapshot_id(command.request.id));
        if (command.verb != SnapshotCommand::Verb::start) continue;
        require(check_snapshot_request(command.request).has_value());
        require(read_snapshot_request(snapshot_request_json(command.request)) == command.request);
    }
}

void add_routes(Router& router, SnapshotRequests& snapshot_requests, const Clock& clock) {
    router.add("GET", "/a", [](const HttpRequest&) { return HttpResponse{.body = "a"}; });
    router.add("POST", "/b", [](const HttpRequest& request) {
        return HttpResponse{.body = std::string{request.body}};
    });
    static const Status status{"fuzzed", clock};
    static Metrics metrics{"0", "fuzzed"};
    add_snapshot_routes(
        router, {{"fuzzed", status, metrics, snapshot_requests}},
        {.clock = clock, .token = [] { return Result<Secret>{Secret{"t"}}; }, .log = {}});
}

std::string answers(std::string_view input, std::size_t piece) {
    static const ManualClock clock;
    SnapshotRequests snapshot_requests;
    snapshot_requests.publish({.requests = {{.id = "r", .state = SnapshotReport::State::reading}}});
    Router router;
    add_routes(router, snapshot_requests, clock);
    HttpConnection connection(router, clock);
    std::string all;
    for (std::size_t at = 0; at < input.size(); at += piece) {
        connection.received(input.substr(at, piece));
        while (!connection.output().empty()) {
            all += connection.output();
            connection.sent(connection.output().size());
        }
    }
    connection.peer_ended();
    require(connection.state() == HttpConnection::State::done);
    check_commands(snapshot_requests);
    return all;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string_view input{reinterpret_cast<const char*>(data), size};
    check_views(input);
    require(answers(input, 1) == answers(input, size + 1));
    return 0;
}
