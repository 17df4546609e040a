#include "cli/instance.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "base/wait.h"
#include "cli/table.h"
#include "http/client.h"
#include "http/listen_address.h"
#include "http/tls.h"
#include "observe/json_reader.h"
#include "server/health_json.h"
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

// By which URLs an instance that listens at `address` is asked: one that listens at every
// address, at this machine's own.
std::vector<std::string> urls(const ListenAddress& address, std::string_view scheme) {
    const bool everywhere =
        address.host.empty() || address.host == "0.0.0.0" || address.host == "::";
    const auto hosts = everywhere ? std::vector<std::string>{"127.0.0.1", "::1"}
                                  : std::vector<std::string>{address.host};
    std::vector<std::string> all;
    for (const std::string& host : hosts) {
        all.push_back(fmt::format("{}://{}", scheme, to_string(ListenAddress{host, address.port})));
    }
    return all;
}

// One instance, at the address of the settings.
class Instance {
public:
    static Result<Instance> of(const Settings& settings, Files& files, const Clock& clock) {
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
        HttpClientOptions options{.proxy = "", .limit = kInstanceAnswer_max};
        const std::string& certificate = settings.text("http.tls_cert");
        if (!certificate.empty()) {
            auto facts = read_certificate(certificate, files);
            if (!facts) return std::unexpected(std::move(facts.error()));
            options.pinned_key = std::move(facts->key_pin);
        }
        auto client = HttpClient::create(std::move(options));
        if (!client) return std::unexpected(std::move(client.error()));
        return Instance(std::move(*address), certificate.empty() ? "http" : "https",
                        std::move(*client), clock);
    }

    Result<HttpAnswer> get(std::string_view path) const { return ask("GET", path, {}, {}); }

    Result<HttpAnswer> post(std::string_view path, std::string_view body,
                            const Secret& token) const {
        // Whoever else listens there does not get the token.
        if (auto status = health(); !status) return std::unexpected(std::move(status.error()));
        HttpHeaders headers{{"Content-Type", "application/json"}};
        if (!token.empty()) headers.emplace_back("Authorization", "Bearer " + token.reveal());
        return ask("POST", path, body, std::move(headers));
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
    Instance(ListenAddress address, std::string_view scheme, std::unique_ptr<HttpClient> client,
             const Clock& clock)
        : address_(std::move(address)),
          urls_(urls(address_, scheme)),
          client_(std::move(client)),
          clock_(clock) {}

    Result<HttpAnswer> ask(std::string_view method, std::string_view path, std::string_view body,
                           HttpHeaders headers) const {
        PollWaiter waiter(clock_);
        Result<HttpAnswer> answer;
        for (const std::string& url : urls_) {
            answer = client_->call({.method = std::string{method},
                                    .url = url + std::string{path},
                                    .headers = headers,
                                    .body = std::string{body}},
                                   waiter);
            if (answer || answer.error().category != Error::Category::connection) break;
        }
        if (answer) return answer;
        return std::unexpected(with_instance_hint(sorted(answer.error())));
    }

    // An error of the client, in words about an instance.
    Error sorted(const Error& error) const {
        if (error.category == Error::Category::connection) {
            return stop(Error::Category::connection,
                        fmt::format("nobody answers on {}: {}", to_string(address_), error.what));
        }
        if (error.category == Error::Category::internal) return error;
        return stop(Error::Category::protocol,
                    fmt::format("what answers on {} is not pg-capture: {}", to_string(address_),
                                error.what));
    }

    ListenAddress address_;
    std::vector<std::string> urls_;
    std::unique_ptr<HttpClient> client_;
    const Clock& clock_;
};

Result<std::string> post(const Settings& settings, Files& files, const Clock& clock,
                         std::string_view path, std::string_view body) {
    const auto instance = Instance::of(settings, files, clock);
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

Result<StatusSnapshot> ask_instance(const Settings& settings, Files& files, const Clock& clock) {
    const auto instance = Instance::of(settings, files, clock);
    if (!instance) return std::unexpected(instance.error());
    return instance->health();
}

Result<SnapshotReport> ask_snapshots(const Settings& settings, Files& files, const Clock& clock) {
    const auto instance = Instance::of(settings, files, clock);
    if (!instance) return std::unexpected(instance.error());
    const auto answer = instance->get("/snapshots");
    if (!answer) return std::unexpected(answer.error());
    if (answer->status != 200) return std::unexpected(instance->refusal(*answer));
    return instance->understood(read_snapshots(answer->body));
}

Result<std::optional<SnapshotReport::Request>> ask_snapshot(const Settings& settings, Files& files,
                                                            const Clock& clock,
                                                            std::string_view id) {
    const auto instance = Instance::of(settings, files, clock);
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

Result<std::string> request_snapshot(const Settings& settings, Files& files, const Clock& clock,
                                     const SnapshotRequest& request) {
    return post(settings, files, clock, "/snapshots", snapshot_request_json(request));
}

Result<std::string> change_snapshot(const Settings& settings, Files& files, const Clock& clock,
                                    std::string_view id, std::string_view verb) {
    return post(settings, files, clock, fmt::format("/snapshots/{}/{}", id, verb), {});
}

}  // namespace pgc
