// The registry's client over real HTTP: an HttpClient that is made when it is first needed, and
// again when certificates or their passphrase may have changed.
#pragma once

#include <cstddef>
#include <memory>
#include <vector>

#include "format/registry/config.h"
#include "format/registry/http_port.h"

namespace pgc {

class HttpClientPort final : public RegistryHttp {
public:
    // `config` outlives it.
    explicit HttpClientPort(const RegistryConfig& config) noexcept : config_(config) {}

    bool full() const override { return client_ && client_->full(); }
    Result<Id> begin(HttpCall call) override;
    std::vector<Finished> poll() override;
    void give_up(Id id) override;
    void wants(Wants& wants) const override;

private:
    Result<void> make_client();

    const RegistryConfig& config_;
    std::unique_ptr<HttpClient> client_;
    std::size_t in_flight_ = 0;
};

}  // namespace pgc
