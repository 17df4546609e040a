// How the schema registry is reached and what is asked of it: format.registry.*. Plain data, made
// by registry_config() of options.h; read from any thread.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/words.h"
#include "config/settings.h"
#include "format/registry/subject.h"
#include "format/schema_change.h"

namespace pgc {

// What a new schema of a subject has to be compatible with; the words are the registry's own.
enum class Compatibility : std::uint8_t {
    unchanged,  // the registry's level is left as it is
    none,
    backward,
    backward_transitive,
    forward,
    forward_transitive,
    full,
    full_transitive,
};
inline constexpr auto kCompatibilities =
    words_for<Compatibility>({{"unchanged", Compatibility::unchanged},
                              {"NONE", Compatibility::none},
                              {"BACKWARD", Compatibility::backward},
                              {"BACKWARD_TRANSITIVE", Compatibility::backward_transitive},
                              {"FORWARD", Compatibility::forward},
                              {"FORWARD_TRANSITIVE", Compatibility::forward_transitive},
                              {"FULL", Compatibility::full},
                              {"FULL_TRANSITIVE", Compatibility::full_transitive}});

struct RegistryConfig {
    std::vector<std::string> urls;  // without a slash at the end; one at least
    SubjectStrategy strategy = SubjectStrategy::topic_name;
    bool auto_register = true;
    bool normalize = false;
    bool docs = false;
    Compatibility compatibility = Compatibility::unchanged;      // of values
    Compatibility key_compatibility = Compatibility::unchanged;  // of keys
    SchemaChange schema_change = SchemaChange::evolve;

    std::string username;  // empty: none is asked for
    SecretSource password;
    SecretSource bearer_token;  // secrets are asked for again by each request; may be unset

    std::string root_certificate;  // file of authorities; empty: the machine's own
    std::string certificate;       // file of ours; empty: none
    std::string key;               // file of its private key
    SecretSource key_password;

    Duration timeout = std::chrono::seconds{10};
    Duration backoff = std::chrono::milliseconds{100};
    Duration backoff_max = std::chrono::seconds{5};

    Compatibility level(SchemaOf of) const noexcept {
        return of == SchemaOf::key ? key_compatibility : compatibility;
    }
    // A password or a token goes to another machine and is not encrypted.
    bool secret_in_plain_text() const noexcept;
};

}  // namespace pgc
