#include "http/host_guard.h"

#include <algorithm>

#include "base/ascii.h"
#include "base/local_address.h"
#include "http/message.h"

namespace pgc {
namespace {

bool is_plain_name(std::string_view host) {
    return std::ranges::all_of(
        host, [](char c) { return is_letter_or_digit(c) || c == '-' || c == '_'; });
}

}  // namespace

bool HostGuard::allows(std::string_view header) const {
    if (header.empty()) return true;
    auto host = host_of_authority(header);
    if (host.ends_with('.')) host.remove_suffix(1);
    if (host.empty()) return false;
    if (is_address(host) || is_plain_name(host)) return true;
    const auto is_host = [host](const std::string& name) {
        return name == "*" || equal_ignoring_case(name, host);
    };
    return is_host(listen_host_) || std::ranges::any_of(names_, is_host);
}

}  // namespace pgc
