#include "format/registry/make_registry.h"

#include <optional>
#include <string>
#include <utility>

#include "format/registry/http_client_port.h"
#include "format/registry/registry_client.h"

namespace pgc {
namespace {

class RegistryOverHttp final : public SchemaRegistry {
public:
    RegistryOverHttp(RegistryConfig config, const Clock& clock, Metrics& metrics, Logger logger,
                     std::uint64_t seed)
        : config_(std::move(config)),
          client_({config_, http_, clock, metrics, std::move(logger), seed}) {}

    Result<SchemaAnswer> look_up(const Subject& subject, const SchemaText& schema) override {
        return client_.look_up(subject, schema);
    }
    void drop(const Subject& subject, const SchemaText& schema) override {
        client_.drop(subject, schema);
    }
    Result<std::optional<Versions>> versions(const Subject& subject) override {
        return client_.versions(subject);
    }
    void wants(Wants& wants) const override { client_.wants(wants); }
    std::string waits_for() const override { return client_.waits_for(); }

private:
    const RegistryConfig config_;
    HttpClientPort http_{config_};
    RegistryClient client_;
};

}  // namespace

std::unique_ptr<SchemaRegistry> make_schema_registry(RegistryConfig config, const Clock& clock,
                                                     Metrics& metrics, Logger logger,
                                                     std::uint64_t seed) {
    return std::make_unique<RegistryOverHttp>(std::move(config), clock, metrics, std::move(logger),
                                              seed);
}

}  // namespace pgc
