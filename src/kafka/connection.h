// How the brokers are reached, and how each side convinces the other: kafka.brokers,
// kafka.security.*, kafka.properties. Made by kafka_connection() of connection_options.h; plain
// data, read from any thread.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/words.h"
#include "config/settings.h"

namespace pgc {

// What kafka.security.protocol and .mechanism stand for; the words are librdkafka's own.
struct KafkaProtocol {
    bool encrypted = false;
    bool sasl = false;

    bool operator==(const KafkaProtocol&) const = default;
};
inline constexpr auto kKafkaProtocols =
    words_for<KafkaProtocol>({{"PLAINTEXT", {.encrypted = false, .sasl = false}},
                              {"SSL", {.encrypted = true, .sasl = false}},
                              {"SASL_PLAINTEXT", {.encrypted = false, .sasl = true}},
                              {"SASL_SSL", {.encrypted = true, .sasl = true}}});
enum class KafkaCredentials : std::uint8_t { none, password, token };
inline constexpr auto kKafkaMechanisms =
    words_for<KafkaCredentials>({{"none", KafkaCredentials::none},
                                 {"PLAIN", KafkaCredentials::password},
                                 {"SCRAM-SHA-256", KafkaCredentials::password},
                                 {"SCRAM-SHA-512", KafkaCredentials::password},
                                 {"OAUTHBEARER", KafkaCredentials::token}});

// How the brokers are convinced of us, and we of them.
struct KafkaSecurity {
    std::string protocol = "PLAINTEXT";  // SSL, SASL_PLAINTEXT, SASL_SSL
    std::string mechanism = "none";      // PLAIN, SCRAM-SHA-256 …
    std::string username;
    SecretSource password;    // secrets are asked for again by each client; may be unset
    std::string ca;           // file of authorities; empty: the machine's own
    std::string certificate;  // file of ours; empty: none
    std::string key;          // file of its private key
    SecretSource key_password;
    struct OAuth {
        std::string token_url;
        std::string client_id;
        SecretSource client_secret;
        std::string scope;
        std::string extensions;  // "key=value,key=value"
    };
    OAuth oauth;

    bool encrypted() const noexcept { return speaks().encrypted; }
    bool sasl() const noexcept { return speaks().sasl; }
    KafkaCredentials credentials() const noexcept {
        return kKafkaMechanisms.find(mechanism).value_or(KafkaCredentials::none);
    }

private:
    KafkaProtocol speaks() const noexcept {
        return kKafkaProtocols.find(protocol).value_or(KafkaProtocol{});
    }
};

struct KafkaConnection {
    std::vector<std::string> brokers;  // "host:port"
    KafkaSecurity security;
    std::map<std::string, std::string> properties;  // librdkafka's, all on the allow-list

    // Some broker may be another machine and the traffic to it is not encrypted.
    bool plain_text_to_others() const noexcept;
    // The OAuth client's secret goes to another machine and is not encrypted.
    bool secret_in_plain_text() const noexcept;
};

}  // namespace pgc
