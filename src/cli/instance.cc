#include "cli/instance.h"

#include <fmt/format.h>

#include <utility>

#include "base/wait.h"
#include "cli/table.h"
#include "observe/json_reader.h"
#include "server/health_json.h"
#include "server/http_client.h"
#include "server/snapshot_json.h"
#include "server/snapshot_request.h"

namespace pgc {
namespace {

Error with_instance_hint(Error error) {
    if (error.category == Error::Category::connection) {
        error.hint =
            "start pg-capture with this configuration, or name the address of the instance to ask "
            "(http.listen)";
    } else {
        error.hint =
            "give pg-capture an address of its own (http.listen), and the same one to this "
            "command";
    }
    return error;
}

// One instance, at the address of the settings.
class Instance {
public:
    static Result<Instance> of(const Settings& settings, const Clock& clock) {
        const std::string& listen = settings.text("http.listen");
        if (listen.empty()) {
            return std::unexpected(
                stop(Error::Category::configuration,
                     "http.listen is empty: there is no instance to ask")
                    .with_hint("set http.listen, as 127.0.0.1:9090, for the instance and for this "
                               "command"));
        }
        auto address = parse_listen_address(listen);
        if (!address) return std::unexpected(std::move(address.error()));
        return Instance(std::move(*address), clock);
    }

    Result<HttpAnswer> get(std::string_view path) const {
        PollWaiter waiter(clock_);
        return sorted(http_get(address_, path, clock_, waiter, kInstanceAnswer_max));
    }

    Result<HttpAnswer> post(std::string_view path, std::string_view body,
                            const Secret& token) const {
        // Whoever else listens there does not get the token.
        if (auto status = health(); !status) return std::unexpected(std::move(status.error()));
        PollWaiter waiter(clock_);
        const std::string bearer = "Bearer " + token.reveal();
        HttpPost post{
            .path = path, .body = body, .headers = {{"Content-Type", "application/json"}}};
        if (!token.empty()) post.headers.emplace_back("Authorization", bearer);
        return sorted(http_post(address_, post, clock_, waiter, kInstanceAnswer_max));
    }

    Result<StatusSnapshot> health() const {
        const auto answer = get("/healthz");
        if (!answer) return std::unexpected(answer.error());
        // 503 says the same, of one that is not live.
        const bool known = answer->status == 200 || answer->status == 503;
        return understood(known ? read_health(answer->body) : no_sense(*answer));
    }

    // What was read of an answer, or that it is not one of ours.
    template <typename T>
    Result<T> understood(Result<T> read) const {
        if (read) return read;
        return std::unexpected(with_instance_hint(
            stop(Error::Category::protocol, fmt::format("what answers on {} is not pg-capture: {}",
                                                        to_string(address_), read.error().what))));
    }

    static std::unexpected<Error> no_sense(const HttpAnswer& answer) {
        return std::unexpected(
            stop(Error::Category::protocol, fmt::format("status {}", answer.status)));
    }

    // {"error":…,"hint":…} as an Error.
    Error refusal(const HttpAnswer& answer) const {
        using enum Error::Category;
        if (answer.status == 413) {
            return stop(configuration, "the request is too long").with_hint("name fewer tables");
        }
        const auto body = read_json(answer.body);
        const auto what = body ? body->member("error").text() : std::nullopt;
        if (!what) return understood<int>(no_sense(answer)).error();
        const bool ours = answer.status == 400 || answer.status == 401 || answer.status == 403;
        Error error = stop(ours ? configuration : server, printable(*what)).at(to_string(address_));
        error.hint = printable(body->member("hint").text().value_or(""));
        if (answer.status == 401) {
            error.hint =
                "set http.token (PG_CAPTURE_HTTP_TOKEN, or PG_CAPTURE_HTTP_TOKEN_FILE for a file) "
                "to the one the instance runs with";
        }
        return error;
    }

private:
    Instance(ListenAddress address, const Clock& clock)
        : address_(std::move(address)), clock_(clock) {}

    static Result<HttpAnswer> sorted(Result<HttpAnswer> answer) {
        if (answer) return answer;
        return std::unexpected(with_instance_hint(std::move(answer.error())));
    }

    ListenAddress address_;
    const Clock& clock_;
};

Result<std::string> post(const Settings& settings, const Clock& clock, std::string_view path,
                         std::string_view body) {
    const auto instance = Instance::of(settings, clock);
    if (!instance) return std::unexpected(instance.error());
    const auto answer = instance->post(path, body, settings.secret("http.token"));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 202) return std::unexpected(instance->refusal(*answer));
    const auto read = read_json(answer->body);
    auto id = read ? read->member("id").text().value_or("") : "";
    if (is_snapshot_id(id)) return id;
    return instance->understood<std::string>(Instance::no_sense(*answer));
}

}  // namespace

Result<StatusSnapshot> ask_instance(const Settings& settings, const Clock& clock) {
    const auto instance = Instance::of(settings, clock);
    if (!instance) return std::unexpected(instance.error());
    return instance->health();
}

Result<SnapshotReport> ask_snapshots(const Settings& settings, const Clock& clock) {
    const auto instance = Instance::of(settings, clock);
    if (!instance) return std::unexpected(instance.error());
    const auto answer = instance->get("/snapshots");
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return std::unexpected(instance->refusal(*answer));
    return instance->understood(read_snapshots(answer->body));
}

Result<std::optional<SnapshotReport::Request>> ask_snapshot(const Settings& settings,
                                                            const Clock& clock,
                                                            std::string_view id) {
    const auto instance = Instance::of(settings, clock);
    if (!instance) return std::unexpected(instance.error());
    const auto answer = instance->get(fmt::format("/snapshots/{}", id));
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) {
        Error refusal = instance->refusal(*answer);
        if (answer->status == 404 && refusal.category == Error::Category::server) {
            return std::nullopt;
        }
        return std::unexpected(std::move(refusal));
    }
    auto read = instance->understood(read_snapshot(answer->body));
    if (!read) return std::unexpected(std::move(read.error()));
    return std::move(*read);
}

Result<std::string> request_snapshot(const Settings& settings, const Clock& clock,
                                     const SnapshotRequest& request) {
    return post(settings, clock, "/snapshots", snapshot_request_json(request));
}

Result<std::string> change_snapshot(const Settings& settings, const Clock& clock,
                                    std::string_view id, std::string_view verb) {
    return post(settings, clock, fmt::format("/snapshots/{}/{}", id, verb), {});
}

}  // namespace pgc
