#include "format/registry/config.h"

#include <algorithm>
#include <string_view>

#include "base/local_address.h"

namespace pgc {

bool RegistryConfig::secret_in_plain_text() const noexcept {
    if (!password && !bearer_token) return false;
    return std::ranges::any_of(urls, [](std::string_view url) {
        const auto host = host_of_url(url);
        return !url.starts_with("https://") && !(host && is_this_machine(*host));
    });
}

}  // namespace pgc
