#include "base/file.h"

#include <fcntl.h>
#include <fmt/core.h>
#include <sys/file.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <system_error>
#include <thread>
#include <utility>

#include "base/descriptor.h"

namespace pgc {

Error file_failure(std::string_view verb, const std::string& path) {
    const int code = errno;
    std::string what =
        "cannot " + std::string(verb) + " " + path + ": " + std::generic_category().message(code);
    Error error = stop(Error::Category::storage, std::move(what));
    if (code == ENOSPC || code == EDQUOT) error.hint = "free space on that file system";
    if (code == EACCES || code == EPERM || code == EROFS) {
        error.hint = "give the user that runs pg-capture write access there";
    }
    return error;
}

namespace {

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
}

constexpr std::string_view kTemporary = ".new-";

constexpr std::size_t kRandom_digits = 16;

Result<std::string> temporary_name(const std::string& path) {
    std::uint64_t number = 0;
    if (::getrandom(&number, sizeof number, 0) != sizeof number) {
        return std::unexpected(file_failure("draw a name for a file beside", path));
    }
    return fmt::format("{}{}{:016x}", path, kTemporary, number);
}

// What temporary_name() makes, and nothing else that begins alike: that is somebody's.
bool is_temporary_of(std::string_view prefix, std::string_view name) {
    return name.starts_with(prefix) && name.size() == prefix.size() + kRandom_digits &&
           name.find_first_not_of("0123456789abcdef", prefix.size()) == std::string_view::npos;
}

// Removes what crashes have left beside `path`. Others may be writing there now: what is
// younger than an hour stays.
void sweep(const std::string& path) {
    namespace fs = std::filesystem;
    const std::string prefix = fs::path{path}.filename().string() + std::string{kTemporary};
    const auto old = fs::file_time_type::clock::now() - std::chrono::hours{1};
    std::error_code code;
    for (fs::directory_iterator at{directory_of(path), code}, end; !code && at != end;
         at.increment(code)) {
        std::error_code gone;
        if (!is_temporary_of(prefix, at->path().filename().string()) || !at->is_regular_file(gone))
            continue;
        const auto written = at->last_write_time(gone);
        if (!gone && written < old) fs::remove(at->path(), gone);
    }
}

bool write_all(int fd, std::string_view content) {
    while (!content.empty()) {
        const ssize_t written = ::write(fd, content.data(), content.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return false;
        content.remove_prefix(static_cast<std::size_t>(written));
    }
    return true;
}

Descriptor directory_of_file(const std::string& path) {
    return Descriptor{::open(directory_of(path).c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
}

// What was done in the directory of `path` stays done.
Result<void> fsync_directory(const Descriptor& directory, const std::string& path) {
    if (!directory || ::fsync(directory.get()) != 0) {
        return std::unexpected(file_failure("fsync", directory_of(path)));
    }
    return {};
}

Result<void> put_into_place(const std::string& temporary, const std::string& path,
                            const Descriptor& directory) {
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        Error error = file_failure("rename into place", path);
        ::unlink(temporary.c_str());
        return std::unexpected(std::move(error));
    }
    return fsync_directory(directory, path);
}

// False: somebody else has had it for a second. Held until it is closed.
bool take_lock(int fd) {
    constexpr int kTries = 100;
    for (int tries = 0; ::flock(fd, LOCK_EX | LOCK_NB) != 0; ++tries) {
        if (errno == EINTR) continue;
        if (errno != EWOULDBLOCK) return true;  // there are no locks here
        if (tries == kTries) return false;
        std::this_thread::sleep_for(std::chrono::milliseconds{10});
    }
    return true;
}

}  // namespace

Result<std::optional<std::string>> SystemFiles::read(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return std::unexpected(file_failure("open", path));
    }
    std::string content;
    std::array<char, 4096> chunk;
    for (;;) {
        const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(file_failure("read", path));
        if (got == 0) return content;
        if (content.size() > kRead_max) {
            return std::unexpected(stop(Error::Category::storage, path + " is too large to read")
                                       .with_hint("name a file of less than 16 MiB"));
        }
        content.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

bool SystemFiles::sweeps_first(const std::string& path) {
    const std::lock_guard lock(mutex_);
    return swept_.insert(path).second;
}

// Its name.
Result<std::string> SystemFiles::write_beside(const std::string& path, std::string_view content) {
    if (sweeps_first(path)) sweep(path);
    auto temporary = temporary_name(path);
    if (!temporary) return temporary;
    const Descriptor file{
        ::open(temporary->c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
    if (!file) return std::unexpected(file_failure("create", *temporary));
    const bool written = write_all(file.get(), content);
    if (!written || ::fsync(file.get()) != 0) {
        Error error = file_failure(written ? "fsync" : "write", *temporary);
        ::unlink(temporary->c_str());
        return std::unexpected(std::move(error));
    }
    return temporary;
}

Result<void> SystemFiles::replace(const std::string& path, std::string_view content) {
    const auto temporary = write_beside(path, content);
    if (!temporary) return std::unexpected(temporary.error());
    return put_into_place(*temporary, path, directory_of_file(path));
}

Result<bool> SystemFiles::exchange(const std::string& path,
                                   const std::optional<std::string>& expected,
                                   std::string_view content) {
    const auto temporary = write_beside(path, content);
    if (!temporary) return std::unexpected(temporary.error());
    const Descriptor directory = directory_of_file(path);
    const auto give_up = [&](auto answer) -> Result<bool> {
        ::unlink(temporary->c_str());
        return answer;
    };
    if (!take_lock(directory.get())) {
        return give_up(std::unexpected(retry(
            Error::Category::storage,
            "another process holds its lock on " + directory_of(path) + ": it may stand still")));
    }
    const auto is = read(path);
    if (!is) return give_up(std::unexpected(is.error()));
    if (*is != expected) return give_up(false);
    if (auto placed = put_into_place(*temporary, path, directory); !placed) {
        return std::unexpected(std::move(placed.error()));
    }
    return true;
}

Result<void> SystemFiles::remove(const std::string& path) {
    if (::unlink(path.c_str()) != 0) {
        if (errno == ENOENT) return {};
        return std::unexpected(file_failure("remove", path));
    }
    return fsync_directory(directory_of_file(path), path);
}

Result<void> SystemFiles::make_directory(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code code;
    if (fs::is_directory(path, code)) return {};
    const fs::path parent = fs::path{path}.parent_path();
    if (!parent.empty() && parent != path) {
        if (auto made = make_directory(parent.string()); !made) return made;
    }
    if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) {
        return std::unexpected(file_failure("create directory", path));
    }
    return {};
}

Result<std::optional<std::string>> SimulatedFiles::read(const std::string& path) {
    if (failing_reads_ > 0) {
        --failing_reads_;
        return std::unexpected(stop(Error::Category::storage, "simulated read error on " + path));
    }
    const auto found = files_.find(path);
    if (found == files_.end()) return std::nullopt;
    return found->second;
}

Result<void> SimulatedFiles::replace(const std::string& path, std::string_view content) {
    if (failing_replaces_ > 0) {
        --failing_replaces_;
        return std::unexpected(stop(Error::Category::storage, "simulated full disk at " + path));
    }
    files_[path] = content;
    return {};
}

Result<bool> SimulatedFiles::exchange(const std::string& path,
                                      const std::optional<std::string>& expected,
                                      std::string_view content) {
    const auto found = files_.find(path);
    const bool same = found == files_.end() ? !expected.has_value()
                                            : expected.has_value() && found->second == *expected;
    if (!same) return false;
    if (auto replaced = replace(path, content); !replaced) {
        return std::unexpected(std::move(replaced.error()));
    }
    return true;
}

Result<void> SimulatedFiles::remove(const std::string& path) {
    files_.erase(path);
    return {};
}

Result<void> SimulatedFiles::make_directory(const std::string& path) {
    if (failing_directories_ > 0) {
        --failing_directories_;
        return std::unexpected(
            stop(Error::Category::storage, "simulated refusal to create " + path));
    }
    return {};
}

}  // namespace pgc
