#include "sink/file/disk_error.h"

#include <fmt/core.h>

#include <cerrno>
#include <system_error>
#include <utility>

namespace pgc {
namespace {

// Passes without anybody's doing, or when somebody makes room: going on by itself is right then.
bool may_pass(int code) {
    switch (code) {
        case ENOSPC:
        case EDQUOT:
        case EIO:
        case ENOMEM:
        case EMFILE:
        case ENFILE:
        case ESTALE:
        case ETIMEDOUT:
        case EBUSY: return true;
        default: return false;
    }
}

std::string hint_for(int code, const std::string& path) {
    switch (code) {
        case ENOSPC: return "free space on the file system of " + path;
        case EDQUOT: return "raise the disk quota of the user that runs pg-capture, or free space";
        case EROFS: return "mount the file system of " + path + " writable";
        case EACCES:
        case EPERM: return "give the user that runs pg-capture write access to " + path;
        case EIO: return "look into the system's log: the device of " + path + " fails";
        case EMFILE: return "raise the limit of open files (ulimit -n)";
        case EXDEV: return "keep the root folder and all below it on one file system";
        case ENOLCK:
        case EOPNOTSUPP: return "use a file system that has locks (flock)";
        default: return {};
    }
}

}  // namespace

Error disk_error(std::string_view verb, const std::string& path, int code) {
    std::string what =
        fmt::format("cannot {} {}: {}", verb, path, std::generic_category().message(code));
    Error error = may_pass(code) ? retry(Error::Category::storage, std::move(what))
                                 : stop(Error::Category::storage, std::move(what));
    return std::move(error).with_hint(hint_for(code, path));
}

Error shorter_than_registered(const std::string& path, std::uint64_t size,
                              std::uint64_t registered) {
    return stop(Error::Category::position,
                fmt::format("{} has {} bytes, and {} were registered: bytes that were durable are "
                            "missing",
                            path, size, registered))
        .with_hint("put the file back from a copy, or load the table again");
}

Error too_large_to_read(const std::string& path) {
    return stop(Error::Category::storage, path + " is too large to read")
        .with_hint("look at what lies there: pg-capture writes no such file beyond 16 MiB");
}

std::string parent_folder(const std::string& path) {
    const auto last = path.find_last_not_of('/');
    if (last == std::string::npos) return path.empty() ? "." : "/";
    const auto slash = path.rfind('/', last);
    if (slash == std::string::npos) return ".";
    const auto end = path.find_last_not_of('/', slash);
    return end == std::string::npos ? "/" : path.substr(0, end + 1);
}

}  // namespace pgc
