#include "kafka/properties.h"

#include <fmt/format.h>
#include <librdkafka/rdkafka.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <memory>
#include <utility>

#include "config/nearest.h"

namespace pgc {
namespace {

constexpr std::string_view kAllowed[] = {
    "api.version.fallback.ms",
    "api.version.request.timeout.ms",
    "broker.address.family",
    "broker.address.ttl",
    "broker.version.fallback",
    "check.crcs",
    "client.dns.lookup",
    "client.id",
    "client.rack",
    "compression.level",
    "connections.max.idle.ms",
    "enable.metrics.push",
    "enable.ssl.certificate.verification",
    "log.connection.close",
    "metadata.max.age.ms",
    "receive.message.max.bytes",
    "reconnect.backoff.max.ms",
    "reconnect.backoff.ms",
    "request.timeout.ms",
    "retry.backoff.max.ms",
    "retry.backoff.ms",
    "socket.connection.setup.timeout.ms",
    "socket.keepalive.enable",
    "socket.max.fails",
    "socket.nagle.disable",
    "socket.receive.buffer.bytes",
    "socket.send.buffer.bytes",
    "socket.timeout.ms",
    "ssl.cipher.suites",
    "ssl.curves.list",
    "ssl.endpoint.identification.algorithm",
    "ssl.sigalgs.list",
    "topic.metadata.propagation.max.ms",
    "topic.metadata.refresh.fast.interval.ms",
    "topic.metadata.refresh.interval.ms",
};

// Those that an option of ours stands for.
struct Ours {
    std::string_view name;
    std::string_view option;
};
constexpr Ours kOptions[] = {
    {"acks", "kafka.acks"},
    {"batch.size", "kafka.batch_size"},
    {"bootstrap.servers", "kafka.brokers"},
    {"compression.codec", "kafka.compression"},
    {"compression.type", "kafka.compression"},
    {"linger.ms", "kafka.linger_ms"},
    {"metadata.broker.list", "kafka.brokers"},
    {"partitioner", "kafka.partitioner"},
    {"queue.buffering.max.kbytes", "memory.budget_bytes"},
    {"queue.buffering.max.messages", "memory.budget_bytes"},
    {"queue.buffering.max.ms", "kafka.linger_ms"},
    {"request.required.acks", "kafka.acks"},
    {"sasl.mechanism", "kafka.security.mechanism"},
    {"sasl.mechanisms", "kafka.security.mechanism"},
    {"sasl.oauthbearer.client.id", "kafka.security.oauth.client_id"},
    {"sasl.oauthbearer.client.secret", "kafka.security.oauth.client_secret"},
    {"sasl.oauthbearer.extensions", "kafka.security.oauth.extensions"},
    {"sasl.oauthbearer.method", "kafka.security.mechanism"},
    {"sasl.oauthbearer.scope", "kafka.security.oauth.scope"},
    {"sasl.oauthbearer.token.endpoint.url", "kafka.security.oauth.token_url"},
    {"sasl.password", "kafka.security.password"},
    {"sasl.username", "kafka.security.username"},
    {"security.protocol", "kafka.security.protocol"},
    {"ssl.ca.location", "kafka.security.ca"},
    {"ssl.ca.pem", "kafka.security.ca"},
    {"ssl.certificate.location", "kafka.security.certificate"},
    {"ssl.certificate.pem", "kafka.security.certificate"},
    {"ssl.key.location", "kafka.security.key"},
    {"ssl.key.password", "kafka.security.key_password"},
    {"ssl.key.pem", "kafka.security.key"},
};

// Those that pg-capture sets itself because delivery, or what it reports, depends on them.
constexpr std::string_view kKept[] = {
    "allow.auto.create.topics",
    "api.version.request",
    "batch.num.messages",
    "delivery.report.only.error",
    "delivery.timeout.ms",
    "enable.gapless.guarantee",
    "enable.idempotence",
    "enabled_events",
    "log.queue",
    "log.thread.name",
    "log_level",
    "max.in.flight",
    "max.in.flight.requests.per.connection",
    "message.copy.max.bytes",
    "message.max.bytes",
    "message.send.max.retries",
    "message.timeout.ms",
    "queue.buffering.backpressure.threshold",
    "queuing.strategy",
    "retries",
    "statistics.interval.ms",
    "sticky.partitioning.linger.ms",
    "transaction.timeout.ms",
    "transactional.id",
};

struct Dangerous {
    std::string_view beginning;  // of the names
    std::string_view why;
};
constexpr Dangerous kDangerous[] = {
    {"plugin.library.paths", "it loads code"},
    {"ssl.engine", "it loads code"},
    {"ssl.providers", "it loads code"},
    {"sasl.kerberos.", "it runs a command, and this build has no Kerberos"},
    {"ssl.keystore.", "it reads a file; use kafka.security.certificate and kafka.security.key"},
    {"ssl.crl.location", "it reads a file"},
    {"ssl.ca.certificate.stores", "it reads data of others"},
    {"offset.store.", "it writes a file"},
    {"debug", "it writes to the log what may be secret"},
    {"sasl.oauthbearer.config", "it makes tokens that nobody has signed"},
    {"enable.sasl.oauthbearer.unsecure.jwt", "it makes tokens that nobody has signed"},
};

using Conf = std::unique_ptr<rd_kafka_conf_t, decltype(&rd_kafka_conf_destroy)>;

bool is_among(std::string_view name, std::span<const std::string_view> names) {
    return std::ranges::find(names, name) != names.end();
}

// Says why not in words that quote the value, which may come from a reference: not for eyes.
rd_kafka_conf_res_t try_to_set(std::string_view name, std::string_view value) {
    const Conf conf(rd_kafka_conf_new(), &rd_kafka_conf_destroy);
    std::array<char, 512> reason{};
    return rd_kafka_conf_set(conf.get(), std::string{name}.c_str(), std::string{value}.c_str(),
                             reason.data(), reason.size());
}

// Dots don't make parts of these names.
std::string nearest_allowed(std::string_view name) {
    const auto undotted = [](std::string_view text) {
        std::string whole{text};
        std::ranges::replace(whole, '.', '_');
        return whole;
    };
    std::vector<std::string> names;
    for (const std::string_view allowed : kAllowed) names.push_back(undotted(allowed));
    const auto found = std::ranges::find(names, nearest(undotted(name), names));
    if (found == names.end()) return {};
    return std::string{kAllowed[static_cast<std::size_t>(found - names.begin())]};
}

class Collector {
public:
    void set(std::string name, std::string value) {
        if (!value.empty()) made_.all.push_back({std::move(name), std::move(value)});
    }
    Result<void> set_secret(std::string name, const SecretSource& source) {
        if (!source) return {};
        auto secret = source();
        if (!secret) return std::unexpected(std::move(secret.error()));
        set(std::move(name), secret->reveal());
        made_.secrets.push_back(std::move(*secret));
        return {};
    }
    KafkaProperties take() && { return std::move(made_); }

private:
    KafkaProperties made_;
};

std::string joined(const std::vector<std::string>& items) {
    return fmt::format("{}", fmt::join(items, ","));
}

// What the user may change.
void set_connection(Collector& made) {
    made.set("client.id", "pg-capture");
    made.set("socket.keepalive.enable", "true");
    made.set("socket.nagle.disable", "true");
    // Streaming again less than two seconds after a broker is back.
    made.set("reconnect.backoff.ms", "50");
    made.set("reconnect.backoff.max.ms", "1000");
    made.set("retry.backoff.ms", "50");
    made.set("retry.backoff.max.ms", "500");
    made.set("topic.metadata.refresh.fast.interval.ms", "50");
    made.set("socket.connection.setup.timeout.ms", "10000");
    made.set("log.connection.close", "false");
    made.set("enable.metrics.push", "false");
}

Result<void> set_tls(Collector& made, const KafkaSecurity& security) {
    if (!security.encrypted()) return {};
    made.set("ssl.ca.location", security.ca.empty() ? "probe" : security.ca);
    made.set("ssl.certificate.location", security.certificate);
    made.set("ssl.key.location", security.key);
    return made.set_secret("ssl.key.password", security.key_password);
}

Result<void> set_oauth(Collector& made, const KafkaSecurity::OAuth& oauth) {
    made.set("sasl.oauthbearer.method", "oidc");
    made.set("sasl.oauthbearer.token.endpoint.url", oauth.token_url);
    made.set("sasl.oauthbearer.client.id", oauth.client_id);
    made.set("sasl.oauthbearer.scope", oauth.scope);
    made.set("sasl.oauthbearer.extensions", oauth.extensions);
    return made.set_secret("sasl.oauthbearer.client.secret", oauth.client_secret);
}

Result<void> set_sasl(Collector& made, const KafkaSecurity& security) {
    if (!security.sasl()) return {};
    made.set("sasl.mechanisms", security.mechanism);
    switch (security.credentials()) {
        case KafkaCredentials::none: return {};
        case KafkaCredentials::password:
            made.set("sasl.username", security.username);
            return made.set_secret("sasl.password", security.password);
        case KafkaCredentials::token: return set_oauth(made, security.oauth);
    }
    return {};
}

}  // namespace

std::optional<KafkaPropertyRefusal> refuse_property(std::string_view name, std::string_view value) {
    if (is_among(name, kAllowed)) {
        if (try_to_set(name, value) == RD_KAFKA_CONF_OK) return std::nullopt;
        return KafkaPropertyRefusal{"librdkafka doesn't take this value for it", {}, {}};
    }
    if (const auto* ours = std::ranges::find(kOptions, name, &Ours::name);
        ours != std::end(kOptions)) {
        return KafkaPropertyRefusal{
            "has an option of its own", {}, fmt::format("use {}", ours->option)};
    }
    if (is_among(name, kKept)) {
        return KafkaPropertyRefusal{
            "is set by pg-capture, whose delivery depends on it", {}, "leave it out"};
    }
    const auto* dangerous = std::ranges::find_if(
        kDangerous, [&](const Dangerous& d) { return name.starts_with(d.beginning); });
    if (dangerous != std::end(kDangerous)) {
        return KafkaPropertyRefusal{
            fmt::format("can't be set: {}", dangerous->why), {}, "leave it out"};
    }
    if (try_to_set(name, {}) != RD_KAFKA_CONF_UNKNOWN) {
        return KafkaPropertyRefusal{"has no use here", {}, "leave it out"};
    }
    return KafkaPropertyRefusal{"librdkafka knows no such property", nearest_allowed(name), {}};
}

Result<KafkaProperties> connection_properties(const KafkaConnection& config) {
    Collector made;
    made.set("bootstrap.servers", joined(config.brokers));
    made.set("security.protocol", config.security.protocol);
    set_connection(made);
    if (auto set = set_tls(made, config.security); !set) {
        return std::unexpected(std::move(set.error()));
    }
    if (auto set = set_sasl(made, config.security); !set) {
        return std::unexpected(std::move(set.error()));
    }
    for (const auto& [name, value] : config.properties) made.set(name, value);
    return std::move(made).take();
}

}  // namespace pgc
