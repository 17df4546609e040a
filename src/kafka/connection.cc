#include "kafka/connection.h"

#include <algorithm>
#include <string_view>

#include "base/local_address.h"

namespace pgc {

bool KafkaConnection::plain_text_to_others() const noexcept {
    return !security.encrypted() && !std::ranges::all_of(brokers, [](std::string_view broker) {
        return is_this_machine(host_of_authority(broker));
    });
}

bool KafkaConnection::secret_in_plain_text() const noexcept {
    if (security.credentials() != KafkaCredentials::token) return false;
    const std::string_view url = security.oauth.token_url;
    const auto host = host_of_url(url);
    return !url.starts_with("https://") && !(host && is_this_machine(*host));
}

}  // namespace pgc
