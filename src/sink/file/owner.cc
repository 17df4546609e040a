#include "sink/file/owner.h"

#include <fmt/core.h>
#include <grp.h>
#include <pwd.h>

#include <charconv>
#include <optional>
#include <vector>

namespace pgc {
namespace {

// What one entry needs at most, members of a large group included.
constexpr std::size_t kEntry_max = std::size_t{1} << 20;

std::optional<std::int64_t> id_number(std::string_view text) {
    std::uint32_t value = 0;
    const char* const end = text.data() + text.size();
    const auto [at, code] = std::from_chars(text.data(), end, value);
    if (code != std::errc{} || at != end || value == UINT32_MAX) return std::nullopt;
    return value;
}

std::optional<std::int64_t> user_id(const std::string& name) {
    std::vector<char> room(kEntry_max);
    passwd entry{};
    passwd* found = nullptr;
    ::getpwnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    return found != nullptr ? std::optional<std::int64_t>{entry.pw_uid} : id_number(name);
}

std::optional<std::int64_t> group_id(const std::string& name) {
    std::vector<char> room(kEntry_max);
    ::group entry{};
    ::group* found = nullptr;
    ::getgrnam_r(name.c_str(), &entry, room.data(), room.size(), &found);
    return found != nullptr ? std::optional<std::int64_t>{entry.gr_gid} : id_number(name);
}

}  // namespace

Result<FileOwner, std::string> find_owner(std::string_view text) {
    const auto colon = text.find(':');
    const std::string user_name{text.substr(0, colon)};
    FileOwner owner;
    if (!user_name.empty()) {
        const auto uid = user_id(user_name);
        if (!uid) return std::unexpected(fmt::format("there is no user '{}' here", user_name));
        owner.uid = *uid;
    }
    if (colon == std::string_view::npos) return owner;
    const std::string group_name{text.substr(colon + 1)};
    const auto gid = group_name.empty() ? std::nullopt : group_id(group_name);
    if (!gid) return std::unexpected(fmt::format("there is no group '{}' here", group_name));
    owner.gid = *gid;
    return owner;
}

}  // namespace pgc
