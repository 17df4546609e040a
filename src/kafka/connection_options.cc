#include "kafka/connection_options.h"

#include <fmt/core.h>

#include <utility>

#include "kafka/connection_checks.h"

namespace pgc {
namespace {

constexpr Option kMainOptions[] = {
    {.path = "kafka.brokers",
     .kind = OptionKind::list,
     .required_with = "sink=kafka",
     .variable = "KAFKA_BROKERS",
     .help = "bootstrap brokers, as host:port; the others are discovered from them",
     .doc = "Without a port it is 9092. Name several, so that one of them may be down.",
     .example = "kafka:9092"},
    {.path = "kafka.properties",
     .kind = OptionKind::map,
     .help = "properties of librdkafka, by its own names",
     .doc = "For what has no option here. Refused is whatever pg-capture sets itself, loads code, "
            "runs a command, or names a file."},
};

constexpr Option kSecurityOptions[] = {
    {.path = "kafka.security.protocol",
     .kind = OptionKind::choice,
     .fallback = "PLAINTEXT",
     .help = "protocol of the brokers' listener",
     .doc = "Plain text to another machine is warned about.",
     .words = kKafkaProtocols.all()},
    {.path = "kafka.security.mechanism",
     .kind = OptionKind::choice,
     .fallback = "none",
     .help = "SASL mechanism",
     .words = kKafkaMechanisms.all()},
    {.path = "kafka.security.username", .help = "SASL username, for PLAIN and SCRAM"},
    {.path = "kafka.security.password",
     .kind = OptionKind::secret,
     .help = "SASL password",
     .doc = "Read again for each new connection to the cluster, as every secret is."},
    {.path = "kafka.security.ca",
     .fallback_note = "the machine's own",
     .help = "file of the authorities that may sign the brokers' certificates"},
    {.path = "kafka.security.certificate", .help = "file of our certificate, for mutual TLS"},
    {.path = "kafka.security.key", .help = "file of its private key"},
    {.path = "kafka.security.key_password",
     .kind = OptionKind::secret,
     .help = "passphrase of the private key"},
};

constexpr Option kOAuthOptions[] = {
    {.path = "kafka.security.oauth.token_url",
     .help = "address of the token endpoint, https:// or http://"},
    {.path = "kafka.security.oauth.client_id", .help = "OAuth client id"},
    {.path = "kafka.security.oauth.client_secret",
     .kind = OptionKind::secret,
     .help = "OAuth client secret"},
    {.path = "kafka.security.oauth.scope", .help = "scope to ask for, if any"},
    {.path = "kafka.security.oauth.extensions",
     .kind = OptionKind::map,
     .help = "what else is sent to the brokers, as logicalCluster=lkc-1"},
};

constexpr OptionTable kTables[] = {
    {.section = "kafka", .options = kMainOptions, .check = check_kafka_connection},
    {.section = "kafka.security",
     .about = "How we and the brokers authenticate each other.",
     .options = kSecurityOptions},
    {.section = "kafka.security.oauth",
     .about = "For `mechanism: OAUTHBEARER`: tokens by OpenID Connect, as a client.",
     .options = kOAuthOptions},
};

SecretSource given_secret(const Settings& settings, std::string_view path, Files& files) {
    return settings.given(path) ? settings.secret_source(path, files) : SecretSource{};
}

std::string joined(const Settings::Map& pairs) {
    std::string text;
    for (const auto& [key, value] : pairs) {
        text += fmt::format("{}{}={}", text.empty() ? "" : ",", key, value);
    }
    return text;
}

KafkaSecurity security(const Settings& settings, Files& files) {
    KafkaSecurity s;
    s.protocol = settings.word("kafka.security.protocol");
    s.mechanism = settings.word("kafka.security.mechanism");
    s.username = settings.text("kafka.security.username");
    s.password = given_secret(settings, "kafka.security.password", files);
    s.ca = settings.text("kafka.security.ca");
    s.certificate = settings.text("kafka.security.certificate");
    s.key = settings.text("kafka.security.key");
    s.key_password = given_secret(settings, "kafka.security.key_password", files);
    s.oauth.token_url = settings.text("kafka.security.oauth.token_url");
    s.oauth.client_id = settings.text("kafka.security.oauth.client_id");
    s.oauth.client_secret = given_secret(settings, "kafka.security.oauth.client_secret", files);
    s.oauth.scope = settings.text("kafka.security.oauth.scope");
    s.oauth.extensions = joined(settings.map("kafka.security.oauth.extensions"));
    return s;
}

}  // namespace

std::span<const OptionTable> kafka_connection_tables() noexcept {
    return kTables;
}

KafkaConnection kafka_connection(const Settings& settings, Files& files) {
    KafkaConnection c;
    for (const std::string& text : settings.list("kafka.brokers")) {
        if (auto address = broker_address(text)) c.brokers.push_back(std::move(*address));
    }
    c.security = security(settings, files);
    c.properties = settings.map("kafka.properties");
    return c;
}

}  // namespace pgc
