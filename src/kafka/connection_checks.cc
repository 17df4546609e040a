#include "kafka/connection_checks.h"

#include <fmt/format.h>

#include <charconv>
#include <cstdint>
#include <utility>

#include "config/option_checker.h"
#include "kafka/connection.h"
#include "kafka/properties.h"

namespace pgc {
namespace {

constexpr std::string_view kProtocol = "kafka.security.protocol";
constexpr std::string_view kMechanism = "kafka.security.mechanism";

class Checker final : OptionChecker {
public:
    Checker(const Settings& settings, Errors& errors) : OptionChecker(settings, errors) {}

    void run() {
        brokers();
        tls();
        sasl();
        oauth();
        properties();
    }

private:
    void brokers() {
        if (!good("kafka.brokers")) return;
        for (const std::string& text : settings().list("kafka.brokers")) {
            if (!broker_address(text)) {
                add("kafka.brokers", "each must be a name or an address, with :port if you like");
                return;
            }
        }
    }

    void tls() {
        const bool encrypted = settings().choice(kProtocol, kKafkaProtocols).encrypted;
        for (const std::string_view path : {"kafka.security.ca", "kafka.security.certificate",
                                            "kafka.security.key", "kafka.security.key_password"}) {
            only_with(path, kProtocol, encrypted, "this protocol has no TLS",
                      "set kafka.security.protocol to SSL or SASL_SSL");
        }
        const bool certificate = !settings().text("kafka.security.certificate").empty();
        const bool key = !settings().text("kafka.security.key").empty();
        if (certificate != key) {
            contradiction({"kafka.security.certificate", "kafka.security.key"},
                          "a certificate and its key go together", "give both or neither");
        }
        only_with("kafka.security.key_password", "kafka.security.key", key,
                  "there is no key that it could open", "name the key's file");
    }

    void sasl() {
        const bool sasl = settings().choice(kProtocol, kKafkaProtocols).sasl;
        const auto by = settings().choice(kMechanism, kKafkaMechanisms);
        if (sasl != (by != KafkaCredentials::none)) {
            contradiction(
                {kProtocol, kMechanism},
                sasl ? "a SASL protocol needs a mechanism" : "a mechanism needs a SASL protocol",
                sasl ? "set kafka.security.mechanism"
                     : "set kafka.security.protocol to SASL_SSL or SASL_PLAINTEXT");
        }
        const bool by_password = by == KafkaCredentials::password;
        for (const std::string_view path : {"kafka.security.username", "kafka.security.password"}) {
            only_with(path, kMechanism, by_password, "this mechanism has no use for it",
                      "set kafka.security.mechanism to PLAIN, SCRAM-SHA-256 or SCRAM-SHA-512");
            needed(path, by_password, kMechanism);
        }
    }

    void needed(std::string_view path, bool is_needed, std::string_view because_of) {
        if (is_needed && !settings().given(path)) {
            contradiction({because_of, path}, "this mechanism needs it",
                          fmt::format("give {}", path));
        }
    }

    void oauth() {
        const bool used =
            settings().choice(kMechanism, kKafkaMechanisms) == KafkaCredentials::token;
        for (const std::string_view path :
             {"kafka.security.oauth.token_url", "kafka.security.oauth.client_id",
              "kafka.security.oauth.client_secret"}) {
            needed(path, used, kMechanism);
        }
        for (const std::string_view path :
             {"kafka.security.oauth.token_url", "kafka.security.oauth.client_id",
              "kafka.security.oauth.client_secret", "kafka.security.oauth.scope",
              "kafka.security.oauth.extensions"}) {
            only_with(path, kMechanism, used, "this mechanism has no use for it",
                      "set kafka.security.mechanism to OAUTHBEARER");
        }
        if (settings().given("kafka.security.oauth.token_url")) token_url();
    }

    void token_url() {
        constexpr std::string_view path = "kafka.security.oauth.token_url";
        const std::string& url = settings().text(path);
        const bool http = url.starts_with("http://") || url.starts_with("https://");
        if (!good(path)) return;
        if (!http || url.ends_with("://") || url.find_first_of(" \t\r\n") != std::string::npos) {
            add(path, "must be an https:// or http:// address");
        } else if (url.find('@') != std::string::npos) {
            add(path, "must hold no user and password",
                "give them as kafka.security.oauth.client_id and client_secret");
        }
    }

    void properties() {
        if (!good("kafka.properties")) return;
        for (const auto& [name, value] : settings().map("kafka.properties")) {
            if (auto refusal = refuse_property(name, value)) {
                add("kafka.properties", fmt::format("{}: {}", name, refusal->reason),
                    std::move(refusal->hint), std::move(refusal->nearest));
            }
        }
    }
};

bool is_port(std::string_view digits) noexcept {
    std::uint16_t port = 0;
    const auto* end = digits.data() + digits.size();
    const auto [last, error] = std::from_chars(digits.data(), end, port);
    return error == std::errc{} && last == end && port != 0;
}

}  // namespace

void check_kafka_connection(const Settings& settings, Errors& errors) {
    Checker(settings, errors).run();
}

std::optional<std::string> broker_address(std::string_view text) {
    constexpr std::string_view kPort = "9092";
    std::string_view host = text;
    std::string_view port = kPort;
    if (const auto colon = text.rfind(':'); colon != std::string_view::npos && text.back() != ']') {
        host = text.substr(0, colon);
        port = text.substr(colon + 1);
    }
    const bool v6 = host.starts_with('[') && host.ends_with(']') && host.size() > 2;
    const auto name = v6 ? host.substr(1, host.size() - 2) : host;
    if (name.empty() ||
        name.find_first_of(v6 ? " \t,/[]@" : " \t,/[]@:") != std::string_view::npos ||
        !is_port(port)) {
        return std::nullopt;
    }
    return fmt::format("{}:{}", host, port);
}

}  // namespace pgc
