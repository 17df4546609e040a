#include "sink/file/system_disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/descriptor.h"
#include "sink/file/disk_error.h"

namespace pgc {
namespace {

std::unexpected<Error> failure(std::string_view verb, const std::string& path, int code) {
    return std::unexpected(disk_error(verb, path, code));
}

class SystemFile final : public DiskFile {
public:
    SystemFile(int fd, std::string path, const SystemCalls& calls)
        : fd_(fd), path_(std::move(path)), calls_(calls) {}

    Result<void> write(std::string_view bytes) override {
        while (!bytes.empty()) {
            const ssize_t written = calls_.write(fd_.get(), bytes.data(), bytes.size());
            if (written < 0 && errno == EINTR) continue;
            if (written < 0) return failure("write", path_, errno);
            bytes.remove_prefix(static_cast<std::size_t>(written));
        }
        return {};
    }

    // An interrupted one is an error like any other: whether it has dropped bytes nobody knows.
    Result<void> sync() override {
        if (calls_.fdatasync(fd_.get()) != 0) return failure("sync", path_, errno);
        return {};
    }

private:
    const Descriptor fd_;
    const std::string path_;
    const SystemCalls calls_;
};

class SystemLock final : public DiskLock {
public:
    explicit SystemLock(int fd) : fd_(fd) {}

private:
    const Descriptor fd_;  // closing it unlocks
};

int open_file(const std::string& path, int flags, unsigned mode = 0) {
    for (;;) {
        const int fd = ::open(path.c_str(), flags | O_NOFOLLOW | O_CLOEXEC, mode);
        if (fd >= 0 || errno != EINTR) return fd;
    }
}

// Nothing, or the error number. Before, only the owner may do anything with what is open.
std::optional<int> give_modes(int fd, unsigned mode, const DiskModes& modes) {
    const bool has_owner = modes.uid != DiskModes::kAs_it_is || modes.gid != DiskModes::kAs_it_is;
    if (has_owner &&
        ::fchown(fd, static_cast<uid_t>(modes.uid), static_cast<gid_t>(modes.gid)) != 0) {
        return errno;
    }
    if (::fchmod(fd, static_cast<mode_t>(mode)) != 0) return errno;
    return std::nullopt;
}

struct NewFile {
    int fd = -1;
    Error error;  // without a descriptor
};

NewFile new_file(const std::string& path, const DiskModes& modes) {
    const int fd = open_file(path, O_WRONLY | O_APPEND | O_CREAT | O_EXCL, modes.file & 0600U);
    if (fd < 0) return {-1, disk_error("create", path, errno)};
    if (const auto code = give_modes(fd, modes.file, modes)) {
        ::close(fd);
        ::unlink(path.c_str());
        return {-1, disk_error("set owner and mode of", path, *code)};
    }
    return {fd, {}};
}

// Nothing, or the error number. Some network file systems can't fsync a folder (EINVAL, EBADF) and
// have no later moment at which it would be safer: as PostgreSQL does, we go on there.
std::optional<int> fsync_folder(const std::string& path) {
    const Descriptor folder{::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    if (!folder) return errno;
    if (::fsync(folder.get()) != 0 && errno != EINVAL && errno != EBADF) return errno;
    return std::nullopt;
}

bool is_folder(const std::string& path) {
    struct stat status{};
    return ::stat(path.c_str(), &status) == 0 && S_ISDIR(status.st_mode);
}

// A folder that was there may be one that a killed process made and did not sync. Above what was
// never ours we may have no permission to read.
Result<void> sync_entry_of_existing(const std::string& path) {
    const std::string parent = parent_folder(path);
    const auto code = fsync_folder(parent);
    if (code && *code != EACCES && *code != EPERM) return failure("sync", parent, *code);
    return {};
}

// The kernel or the file system does not know RENAME_NOREPLACE. (EINVAL is also what moving a
// folder into itself gives, which rename() then says again.)
bool is_unknown_flag(int code) {
    return code == EINVAL || code == ENOSYS || code == EOPNOTSUPP;
}

bool is_same_file(int fd, const std::string& path) {
    struct stat opened{};
    struct stat named{};
    return ::fstat(fd, &opened) == 0 && ::lstat(path.c_str(), &named) == 0 &&
           opened.st_dev == named.st_dev && opened.st_ino == named.st_ino;
}

}  // namespace

SystemCalls::SystemCalls() : write(::write), fdatasync(::fdatasync), renameat2(::renameat2) {}

SystemDisk::SystemDisk(DiskModes modes, SystemCalls calls) : modes_(modes), calls_(calls) {}

Result<std::unique_ptr<DiskFile>> SystemDisk::create(const std::string& path) {
    NewFile made = new_file(path, modes_);
    if (made.fd < 0) return std::unexpected(std::move(made.error));
    return std::make_unique<SystemFile>(made.fd, path, calls_);
}

Result<std::unique_ptr<DiskFile>> SystemDisk::append(const std::string& path, std::uint64_t size) {
    // Without O_NONBLOCK a pipe somebody put there would hold us up.
    const int fd = open_file(path, O_WRONLY | O_APPEND | O_NONBLOCK);
    if (fd < 0) return failure("open", path, errno);
    auto file = std::make_unique<SystemFile>(fd, path, calls_);
    struct stat status{};
    if (::fstat(fd, &status) != 0) return failure("look at", path, errno);
    if (!S_ISREG(status.st_mode)) return failure("append to", path, EINVAL);
    const auto is = static_cast<std::uint64_t>(status.st_size);
    if (is < size) return std::unexpected(shorter_than_registered(path, is, size));
    if (is > size && ::ftruncate(fd, static_cast<off_t>(size)) != 0) {
        return failure("cut", path, errno);
    }
    return file;
}

Result<void> SystemDisk::make_folder(const std::string& path) {
    if (is_folder(path)) return sync_entry_of_existing(path);
    const std::string parent = parent_folder(path);
    if (parent != path && parent != ".") {
        if (auto made = make_folder(parent); !made) return made;
    }
    if (::mkdir(path.c_str(), static_cast<mode_t>(modes_.folder & 0700U)) != 0) {
        const int code = errno;
        if (code == EEXIST && is_folder(path)) return sync_entry_of_existing(path);
        return failure("create folder", path, code);
    }
    const Descriptor folder{open_file(path, O_RDONLY | O_DIRECTORY)};
    auto code = folder ? give_modes(folder.get(), modes_.folder, modes_) : errno;
    if (!code && ::fsync(folder.get()) != 0) code = errno;
    if (code) {
        ::rmdir(path.c_str());
        return failure("set owner and mode of", path, *code);
    }
    return sync_folder(parent);
}

Result<void> SystemDisk::rename(const std::string& from, const std::string& to) {
    if (calls_.renameat2(AT_FDCWD, from.c_str(), AT_FDCWD, to.c_str(), RENAME_NOREPLACE) == 0) {
        return {};
    }
    if (!is_unknown_flag(errno)) return failure("rename " + from + " to", to, errno);
    struct stat status{};
    if (::lstat(to.c_str(), &status) == 0) return failure("rename " + from + " to", to, EEXIST);
    if (errno != ENOENT || ::rename(from.c_str(), to.c_str()) != 0) {
        return failure("rename " + from + " to", to, errno);
    }
    return {};
}

Result<void> SystemDisk::sync_folder(const std::string& path) {
    if (const auto code = fsync_folder(path)) return failure("sync", path, *code);
    return {};
}

Result<std::optional<std::string>> SystemDisk::read(const std::string& path) {
    const Descriptor file{open_file(path, O_RDONLY | O_NONBLOCK)};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return failure("open", path, errno);
    }
    std::string content;
    std::array<char, 65536> chunk;
    for (;;) {
        const ssize_t got = ::read(file.get(), chunk.data(), chunk.size());
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("read", path, errno);
        if (got == 0) return content;
        content.append(chunk.data(), static_cast<std::size_t>(got));
        if (content.size() > kRead_max) return std::unexpected(too_large_to_read(path));
    }
}

Result<std::optional<std::string>> SystemDisk::read_part(const std::string& path,
                                                         std::uint64_t offset, std::size_t most) {
    const Descriptor file{open_file(path, O_RDONLY | O_NONBLOCK)};
    if (!file) {
        if (errno == ENOENT) return std::nullopt;
        return failure("open", path, errno);
    }
    std::string part(most, '\0');
    std::size_t filled = 0;
    while (filled < most) {
        const ssize_t got = ::pread(file.get(), part.data() + filled, most - filled,
                                    static_cast<off_t>(offset + filled));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return failure("read", path, errno);
        if (got == 0) break;
        filled += static_cast<std::size_t>(got);
    }
    part.resize(filled);
    return part;
}

Result<void> SystemDisk::replace(const std::string& path, std::string_view content) {
    const std::string temporary = path + std::string{kReplacement};
    if (::unlink(temporary.c_str()) != 0 && errno != ENOENT) {
        return failure("remove", temporary, errno);
    }
    NewFile made = new_file(temporary, modes_);
    if (made.fd < 0) return std::unexpected(std::move(made.error));
    SystemFile file{made.fd, temporary, calls_};
    auto done = file.write(content);
    if (done) done = file.sync();
    if (done && ::rename(temporary.c_str(), path.c_str()) != 0) {
        done = failure("rename into place", path, errno);
    }
    if (!done) {
        ::unlink(temporary.c_str());
        return done;
    }
    return sync_folder(parent_folder(path));
}

Result<void> SystemDisk::remove(const std::string& path) {
    std::error_code code;
    std::filesystem::remove_all(path, code);
    if (code) return failure("remove", path, code.value());
    // Even if nothing was there: a killed process may have removed it and not synced.
    const std::string parent = parent_folder(path);
    if (const auto failed = fsync_folder(parent); failed && *failed != ENOENT) {
        return failure("sync", parent, *failed);
    }
    return {};
}

Result<std::vector<std::string>> SystemDisk::list(const std::string& path) {
    std::vector<std::string> names;
    DIR* const folder = ::opendir(path.c_str());
    if (folder == nullptr) {
        if (errno == ENOENT) return names;
        return failure("list", path, errno);
    }
    const std::unique_ptr<DIR, int (*)(DIR*)> closes{folder, ::closedir};
    for (;;) {
        errno = 0;
        const dirent* const entry = ::readdir(folder);
        if (entry == nullptr) break;
        const std::string_view name{entry->d_name};
        if (name != "." && name != "..") names.emplace_back(name);
    }
    if (errno != 0) return failure("list", path, errno);
    std::ranges::sort(names);
    return names;
}

Result<std::optional<std::uint64_t>> SystemDisk::size(const std::string& path) {
    struct stat status{};
    if (::lstat(path.c_str(), &status) != 0) {
        if (errno == ENOENT) return std::nullopt;
        return failure("look at", path, errno);
    }
    if (S_ISDIR(status.st_mode)) return failure("measure", path, EISDIR);
    if (!S_ISREG(status.st_mode)) return failure("measure", path, EINVAL);
    return static_cast<std::uint64_t>(status.st_size);
}

Result<std::unique_ptr<DiskLock>> SystemDisk::lock(const std::string& path) {
    for (;;) {
        const int fd = open_file(path, O_RDWR | O_CREAT | O_NONBLOCK, modes_.file & 0600U);
        if (fd < 0) return failure("open", path, errno);
        auto lock = std::make_unique<SystemLock>(fd);
        while (::flock(fd, LOCK_EX | LOCK_NB) != 0) {
            if (errno == EWOULDBLOCK) return std::unique_ptr<DiskLock>{};
            if (errno != EINTR) return failure("lock", path, errno);
        }
        // Somebody may have removed it in between: then that lock excludes nobody.
        if (!is_same_file(fd, path)) continue;
        struct stat status{};
        if (::fstat(fd, &status) == 0 && (status.st_mode & 07777U) == modes_.file) return lock;
        if (const auto code = give_modes(fd, modes_.file, modes_)) {
            return failure("set owner and mode of", path, *code);
        }
        return lock;
    }
}

}  // namespace pgc
