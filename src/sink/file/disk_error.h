// What an error number of the system means to whoever uses a Disk (sink/file/disk.h).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/error.h"

namespace pgc {

// "cannot VERB PATH: the system's text for `code`", with a hint where there is something to do.
Error disk_error(std::string_view verb, const std::string& path, int code);

// Of Disk::append().
Error shorter_than_registered(const std::string& path, std::uint64_t size,
                              std::uint64_t registered);

// Of Disk::read().
Error too_large_to_read(const std::string& path);

// The folder that the entry of `path` is in.
std::string parent_folder(const std::string& path);

}  // namespace pgc
