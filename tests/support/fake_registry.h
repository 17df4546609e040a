// A schema registry in memory under the client's port for HTTP: it keeps what is registered, as
// Confluent's does, answers by a clock, and fails as a test says.
#pragma once

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/percent.h"
#include "format/registry/http_port.h"
#include "observe/json_reader.h"
#include "observe/json_text.h"

namespace pgc::test {

class FakeRegistry final : public RegistryHttp {
public:
    struct Registered {
        int version = 0;
        int id = 0;
        std::string body;  // as it was sent
        bool deleted = false;
    };
    // What is registered.
    struct Kept {
        std::map<std::string, std::vector<Registered>> subjects;
        std::map<std::string, std::string> levels;
        std::map<std::string, int> ids;  // by body
    };

private:
    Kept own_;
    Kept& kept_;

public:
    explicit FakeRegistry(const Clock& clock) : FakeRegistry(clock, nullptr) {}
    // The way of one client to what several share, which outlives it.
    FakeRegistry(const Clock& clock, Kept& kept) : FakeRegistry(clock, &kept) {}

    // How it is.
    Duration delay = std::chrono::milliseconds{1};  // of every answer
    bool silent = false;  // until `limit`, after which the client gives up
    Duration limit = std::chrono::seconds{10};
    std::optional<Error> unreachable{};    // what the client says then
    std::set<std::string> unreachable_at;  // or only of these addresses, "http://b"
    bool level_needs_subject = false;      // as Apicurio's
    std::set<std::string> incompatible;    // schemas that are refused with 409
    std::deque<HttpAnswer> instead;        // given before all else

    std::map<std::string, std::vector<Registered>>& subjects = kept_.subjects;
    std::map<std::string, std::string>& levels = kept_.levels;
    std::vector<HttpCall> heard;

    static HttpAnswer answer(int status, std::string body) {
        return {.status = status, .headers = {}, .body = std::move(body)};
    }
    static HttpAnswer error(int status, int code, std::string_view message) {
        std::string body = fmt::format(R"({{"error_code":{},)", code);
        append_json_field(body, "message", message);
        return answer(status, body + "}");
    }
    // "POST /subjects/s/versions", of each request.
    std::vector<std::string> asked() const {
        std::vector<std::string> all;
        for (const HttpCall& call : heard) all.push_back(call.method + " " + path_of(call.url));
        return all;
    }

    bool full() const override { return in_flight_.size() >= HttpClient::kInFlight_max; }
    Result<Id> begin(HttpCall call) override {
        heard.push_back(call);
        const Instant now = clock_.now();
        in_flight_.push_back({++last_id_, silent ? now + limit : now + delay, silent, call, {}});
        return last_id_;
    }
    // To this one request.
    void answers_with(Id id, HttpAnswer answer) {
        const auto found = std::ranges::find(in_flight_, id, &InFlight::id);
        if (found != in_flight_.end()) found->instead = std::move(answer);
    }
    std::vector<Finished> poll() override {
        std::vector<Finished> finished;
        for (auto one = in_flight_.begin(); one != in_flight_.end();) {
            if (one->at > clock_.now()) {
                ++one;
                continue;
            }
            finished.push_back(
                {one->id, one->silent ? lost("no answer in time", one->call) : outcome(*one)});
            one = in_flight_.erase(one);
        }
        return finished;
    }
    // Nobody waits for the answer, and yet it does what it was asked to.
    void carry_out(Id id) {
        const auto found = std::ranges::find(in_flight_, id, &InFlight::id);
        if (found != in_flight_.end() && !found->silent) (void)outcome(*found);
    }
    void give_up(Id id) override {
        std::erase_if(in_flight_, [&](const InFlight& one) { return one.id == id; });
    }
    void wants(Wants& wants) const override {
        for (const InFlight& one : in_flight_) wants.until(one.at);
    }
    std::size_t in_flight() const noexcept { return in_flight_.size(); }

    // Registers what nobody has asked it to here.
    void keep(const std::string& subject, const std::string& body) {
        auto& versions = subjects[subject];
        const auto [id, is_new] = kept_.ids.emplace(body, static_cast<int>(kept_.ids.size()) + 1);
        const int version = versions.empty() ? 1 : versions.back().version + 1;
        versions.push_back({version, id->second, body});
    }

private:
    FakeRegistry(const Clock& clock, Kept* shared)
        : kept_(shared != nullptr ? *shared : own_), clock_(clock) {}

    struct InFlight {
        Id id = 0;
        Instant at;
        bool silent = false;
        HttpCall call;
        std::optional<HttpAnswer> instead;
    };

    static std::string path_of(const std::string& url) {
        const auto slash = url.find('/', url.find("//") + 2);
        return slash == std::string::npos ? "/" : url.substr(slash);
    }
    static Result<HttpAnswer> lost(std::string what, const HttpCall& call) {
        return std::unexpected(
            retry(Error::Category::connection, std::move(what)).at(call.method + " " + call.url));
    }

    Result<HttpAnswer> outcome(const InFlight& one) {
        const HttpCall& call = one.call;
        const std::string host = call.url.substr(0, call.url.find('/', call.url.find("//") + 2));
        if (unreachable) return std::unexpected(*unreachable);
        if (unreachable_at.contains(host)) return lost("Connection refused", call);
        if (one.instead) return *one.instead;
        if (!instead.empty()) {
            HttpAnswer first = std::move(instead.front());
            instead.pop_front();
            return first;
        }
        std::string path = path_of(call.url);
        path = path.substr(0, path.find('?'));
        std::vector<std::string> parts;
        for (std::size_t at = 1; at <= path.size();) {
            const auto end = std::min(path.find('/', at), path.size());
            parts.push_back(percent_decode(path.substr(at, end - at)).value_or(""));
            at = end + 1;
        }
        return answered(call, parts);
    }

    HttpAnswer answered(const HttpCall& call, const std::vector<std::string>& parts) {
        if (parts.size() < 2) return answer(404, "<html>nothing here</html>");
        const std::string& subject = parts[1];
        if (parts[0] == "config") return config(call, subject);
        if (call.method == "POST" && parts.size() == 3) return add(subject, call.body);
        if (call.method == "POST") return find(subject, call.body);
        const auto found = subjects.find(subject);
        if (found == subjects.end()) return no_subject(subject);
        if (parts.size() == 3) return list(found->second);
        for (const Registered& one : found->second) {
            if (std::to_string(one.version) == parts[3]) return shown(subject, one);
        }
        return error(404, 40402, "Version not found.");
    }

    static HttpAnswer no_subject(const std::string& subject) {
        return error(404, 40401, fmt::format("Subject '{}' not found.", subject));
    }
    HttpAnswer config(const HttpCall& call, const std::string& subject) {
        if (call.method == "PUT") return set_level(subject, call.body);
        const auto found = levels.find(subject);
        if (found == levels.end()) {
            return error(404, 40408, "Subject has no level of its own");
        }
        const std::string level = found->second;
        if (call.method == "DELETE") levels.erase(found);
        return answer(200, call.method == "GET"
                               ? fmt::format(R"({{"compatibilityLevel":"{}"}})", level)
                               : fmt::format(R"("{}")", level));
    }
    HttpAnswer set_level(const std::string& subject, const std::string& body) {
        if (level_needs_subject && !subjects.contains(subject)) return no_subject(subject);
        levels[subject] = read_json(body)->member("compatibility").text().value_or("");
        return answer(200, body);
    }
    std::string level_of(const std::string& subject) const {
        const auto found = levels.find(subject);
        return found == levels.end() ? "BACKWARD" : found->second;
    }
    HttpAnswer add(const std::string& subject, const std::string& body) {
        const auto text = read_json(body)->member("schema").text().value_or("");
        if (incompatible.contains(text) && level_of(subject) != "NONE") {
            return error(409, 40901, "Schema being registered is incompatible");
        }
        auto& versions = subjects[subject];
        const auto same = std::ranges::find(versions, body, &Registered::body);
        if (same != versions.end()) return answer(200, fmt::format(R"({{"id":{}}})", same->id));
        keep(subject, body);
        return answer(200, fmt::format(R"({{"id":{}}})", versions.back().id));
    }
    HttpAnswer find(const std::string& subject, const std::string& body) {
        const auto found = subjects.find(subject);
        if (found == subjects.end()) return no_subject(subject);
        const auto same = std::ranges::find(found->second, body, &Registered::body);
        return same == found->second.end() ? error(404, 40403, "Schema not found")
                                           : shown(subject, *same);
    }
    static HttpAnswer list(const std::vector<Registered>& versions) {
        std::string body = "[";
        for (const Registered& one : versions) {
            body += fmt::format("{}{}", body.size() == 1 ? "" : ",", one.version);
        }
        return answer(200, body + "]");
    }
    static HttpAnswer shown(const std::string& subject, const Registered& one) {
        std::string body = fmt::format(R"({{"version":{},"id":{},)", one.version, one.id);
        append_json_field(body, "subject", subject);
        return answer(200, body + "," + one.body.substr(1));
    }

    const Clock& clock_;
    std::vector<InFlight> in_flight_;
    Id last_id_ = 0;
};

}  // namespace pgc::test
