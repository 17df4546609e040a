#include "format/registry/http_client_port.h"

#include <algorithm>
#include <utility>

#include "format/registry/answer.h"

namespace pgc {

Result<void> HttpClientPort::make_client() {
    HttpClientOptions options{.ca_file = config_.root_certificate,
                              .certificate_file = config_.certificate,
                              .key_file = config_.key,
                              .limit = config_.timeout,
                              .connect_limit = config_.timeout,
                              .answer_bytes_max = kRegistryAnswerBytes_max};
    if (config_.key_password) {
        auto password = config_.key_password();
        if (!password) return std::unexpected(std::move(password.error()));
        options.key_password = std::move(*password);
    }
    auto client = HttpClient::create(std::move(options));
    if (!client) return std::unexpected(std::move(client.error()));
    client_ = std::move(*client);
    return {};
}

Result<RegistryHttp::Id> HttpClientPort::begin(HttpCall call) {
    if (!client_) {
        if (auto made = make_client(); !made) return std::unexpected(std::move(made.error()));
    }
    auto id = client_->begin(std::move(call));
    if (id) ++in_flight_;
    return id;
}

std::vector<RegistryHttp::Finished> HttpClientPort::poll() {
    if (in_flight_ == 0) return {};
    auto finished = client_->poll();
    in_flight_ -= finished.size();
    const bool lost =
        std::ranges::any_of(finished, [](const Finished& one) { return !one.answer; });
    if (lost && in_flight_ == 0) client_.reset();
    return finished;
}

void HttpClientPort::give_up(Id id) {
    if (in_flight_ == 0) return;
    client_->give_up(id);
    --in_flight_;
}

void HttpClientPort::wants(Wants& wants) const {
    if (in_flight_ > 0) wants.readable(client_->wake_fd());
}

}  // namespace pgc
