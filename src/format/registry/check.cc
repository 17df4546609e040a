#include "format/registry/check.h"

#include <cstddef>
#include <string>
#include <string_view>
#include <utility>

#include "format/registry/answer.h"
#include "format/registry/request.h"

namespace pgc {
namespace {

using Is = RegistryAnswer::Is;
using Level = Finding::Level;

constexpr std::string_view kId = "registry";

Result<HttpAnswer> ask(const RegistryRequest& request, const RegistryConfig& config,
                       std::string_view url, RegistryHttp& http, Waiter& waiter) {
    HttpCall call = http_call(request, url);
    if (auto added = add_credentials(call, config); !added) {
        return std::unexpected(std::move(added.error()));
    }
    const auto id = http.begin(std::move(call));
    if (!id) return std::unexpected(id.error());
    while (true) {
        for (auto& one : http.poll()) {
            if (one.id == *id) return std::move(one.answer);
        }
        Wants wants;
        http.wants(wants);
        waiter.wait(wants);
    }
}

Finding blocked(std::string subject, const Error& error) {
    Finding finding{.id = kId,
                    .level = Level::blocking,
                    .subject = std::move(subject),
                    .message = error.what,
                    .hint = error.hint};
    if (finding.hint.empty()) {
        finding.hint = "check that the registry runs, and format.registry.url";
    }
    return finding;
}

Finding look_at(const RegistryConfig& config, const std::string& url, RegistryHttp& http,
                Waiter& waiter) {
    std::string subject = "schema registry " + url;
    const RegistryRequest request{.what = RegistryRequest::What::list_subjects};
    const auto answered = ask(request, config, url, http, waiter);
    if (!answered) return blocked(std::move(subject), answered.error());
    const RegistryAnswer answer = read_answer(request, *answered, url);
    if (answer.is == Is::ok) {
        return {.id = kId,
                .level = Level::ok,
                .subject = std::move(subject),
                .message = "answers, and accepts who we are"};
    }
    Finding finding = blocked(std::move(subject), answer.error);
    // Who may not see every subject may have all that he needs.
    if (answer.is == Is::denied && answer.error.category == Error::Category::permission) {
        finding.level = Level::warning;
    }
    return finding;
}

}  // namespace

Findings check_registry(const RegistryConfig& config, RegistryHttp& http, Waiter& waiter) {
    Findings findings;
    if (config.secret_in_plain_text()) {
        findings.push_back({.id = "registry_plain_text",
                            .level = Level::warning,
                            .subject = "format.registry.url",
                            .message = "the password or token goes over the network in plain text",
                            .hint = "give the https:// address of the registry"});
    }
    bool usable = false;
    const std::size_t first = findings.size();
    for (const std::string& url : config.urls) {
        findings.push_back(look_at(config, url, http, waiter));
        usable = usable || findings.back().level != Level::blocking;
    }
    if (!usable) return findings;
    for (std::size_t i = first; i < findings.size(); ++i) {
        if (findings[i].level == Level::blocking) findings[i].level = Level::warning;
    }
    return findings;
}

}  // namespace pgc
