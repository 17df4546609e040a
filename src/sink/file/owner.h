// Who files belong to, as chown takes it: "loader", "loader:warehouse", ":warehouse", "1001:1002".
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"
#include "sink/file/disk.h"

namespace pgc {

struct FileOwner {
    std::int64_t uid = DiskModes::kAs_it_is;
    std::int64_t gid = DiskModes::kAs_it_is;
    bool operator==(const FileOwner&) const = default;
};

// Of the users and groups that this machine knows. The error is one clause.
[[nodiscard]] Result<FileOwner, std::string> find_owner(std::string_view text);

}  // namespace pgc
