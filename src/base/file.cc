#include "base/file.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <system_error>

namespace pgc {
namespace {

class Descriptor {
public:
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(const Descriptor&) = delete;
    Descriptor& operator=(const Descriptor&) = delete;
    ~Descriptor() {
        if (fd_ >= 0) ::close(fd_);
    }
    int get() const noexcept { return fd_; }
    explicit operator bool() const noexcept { return fd_ >= 0; }

private:
    int fd_;
};

Error failure(std::string_view verb, const std::string& path) {
    const int code = errno;
    std::string what =
        "cannot " + std::string(verb) + " " + path + ": " + std::generic_category().message(code);
    Error error = stop(Error::Category::storage, std::move(what));
    if (code == ENOSPC || code == EDQUOT) error.mend = "free space on that file system";
    if (code == EACCES || code == EPERM || code == EROFS) {
        error.mend = "give the user that runs pg-capture write access there";
    }
    return error;
}

std::string directory_of(const std::string& path) {
    const auto slash = path.rfind('/');
    if (slash == std::string::npos) return ".";
    return slash == 0 ? "/" : path.substr(0, slash);
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

}  // namespace

Result<std::optional<std::string>> SystemFiles::read(const std::string& path) {
    const Descriptor file{::open(path.c_str(), O_RDONLY | O_CLOEXEC)};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return std::unexpected(failure("open", path));
    }
    std::string content;
    std::array<char, 4096> chunk;
    for (;;) {
        const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(failure("read", path));
        if (got == 0) return content;
        if (content.size() > kRead_max) {
            return std::unexpected(stop(Error::Category::storage, path + " is too large to read")
                                       .mended_by("name a file of less than 16 MiB"));
        }
        content.append(chunk.data(), static_cast<std::size_t>(got));
    }
}

Result<void> SystemFiles::replace(const std::string& path, std::string_view content) {
    const std::string temporary = path + ".new";
    {
        const Descriptor file{
            ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600)};
        if (!file) return std::unexpected(failure("create", temporary));
        if (!write_all(file.get(), content)) return std::unexpected(failure("write", temporary));
        if (::fsync(file.get()) != 0) return std::unexpected(failure("fsync", temporary));
    }
    if (::rename(temporary.c_str(), path.c_str()) != 0) {
        return std::unexpected(failure("rename into place", path));
    }
    const std::string directory = directory_of(path);
    const Descriptor folder{::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder || ::fsync(folder.get()) != 0) {
        return std::unexpected(failure("fsync", directory));
    }
    return {};
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
        return std::unexpected(failure("create directory", path));
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

Result<void> SimulatedFiles::make_directory(const std::string& path) {
    if (failing_directories_ > 0) {
        --failing_directories_;
        return std::unexpected(
            stop(Error::Category::storage, "simulated refusal to create " + path));
    }
    return {};
}

}  // namespace pgc
