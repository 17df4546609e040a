#include "base/spill_folder.h"

#include <dirent.h>
#include <fcntl.h>
#include <fmt/core.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <filesystem>
#include <system_error>
#include <utility>

#include "base/file.h"

namespace pgc {
namespace {

constexpr std::string_view kSuffix = ".spill";
constexpr std::size_t kDigits = 16;

// What name_of() makes, and nothing else: that is somebody's.
bool is_ours(std::string_view name) {
    if (!name.ends_with(kSuffix)) return false;
    name.remove_suffix(kSuffix.size());
    return name.size() > kDigits + 1 && name[kDigits] == '-' &&
           name.find_first_not_of("0123456789abcdef") == kDigits &&
           name.find_first_not_of("0123456789", kDigits + 1) == std::string_view::npos;
}

void remove_ours(int folder) noexcept {
    const int own = ::openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR* entries = own < 0 ? nullptr : ::fdopendir(own);
    if (entries == nullptr) {
        if (own >= 0) ::close(own);
        return;
    }
    while (const dirent* entry = ::readdir(entries)) {
        if (is_ours(entry->d_name)) ::unlinkat(folder, entry->d_name, 0);
    }
    ::closedir(entries);
}

constexpr int kFolder = O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
constexpr int kOpen = O_RDWR | O_NOFOLLOW | O_CLOEXEC;

}  // namespace

Result<void> may_become_spill_folder(const std::string& path) {
    namespace fs = std::filesystem;
    std::error_code code;
    fs::path place = fs::absolute(path, code);
    while (!fs::exists(place, code) && place.has_relative_path()) place = place.parent_path();
    errno = ENOTDIR;
    const bool is_folder = fs::is_directory(place, code);
    if (!is_folder || ::faccessat(AT_FDCWD, place.c_str(), W_OK | X_OK, AT_EACCESS) != 0) {
        return std::unexpected(file_failure("write in", place.string()));
    }
    return {};
}

std::string SystemSpillFolder::name_of(File file) const {
    return fmt::format("{:016x}-{}{}", run_, file, kSuffix);
}

Result<void> SystemSpillFolder::prepare() {
    open_.reset();
    folder_.reset();
    while (run_ == 0) {
        if (::getrandom(&run_, sizeof run_, 0) != sizeof run_) {
            return std::unexpected(file_failure("draw names for files in", path_));
        }
    }
    if (auto made = SystemFiles{}.make_directory(path_); !made) return made;
    auto folder = std::make_unique<const Descriptor>(::open(path_.c_str(), kFolder));
    if (!*folder) return std::unexpected(file_failure("open", path_));
    remove_ours(folder->get());
    folder_ = std::move(folder);
    const auto tried = create();
    if (!tried) return std::unexpected(tried.error());
    auto written = write(*tried, 0, "x");
    remove(*tried);
    return written;
}

void SystemSpillFolder::sweep() noexcept {
    open_.reset();
    folder_.reset();
    const Descriptor folder{::open(path_.c_str(), kFolder)};
    if (folder) remove_ours(folder.get());
}

Result<SpillFolder::File> SystemSpillFolder::create() {
    const File file = next_++;
    const std::string name = name_of(file);
    auto made = std::make_unique<const Descriptor>(
        ::openat(folder_ ? folder_->get() : -1, name.c_str(), kOpen | O_CREAT | O_EXCL, 0600));
    if (!*made) return std::unexpected(file_failure("create", path_ + "/" + name));
    open_ = std::move(made);
    open_file_ = file;
    return file;
}

Result<int> SystemSpillFolder::opened(File file) {
    if (open_ && open_file_ == file) return open_->get();
    const std::string name = name_of(file);
    auto opened = std::make_unique<const Descriptor>(
        ::openat(folder_ ? folder_->get() : -1, name.c_str(), kOpen));
    if (!*opened) return std::unexpected(file_failure("open", path_ + "/" + name));
    open_ = std::move(opened);
    open_file_ = file;
    return open_->get();
}

Result<void> SystemSpillFolder::write(File file, std::uint64_t at, std::string_view bytes) {
    const auto fd = opened(file);
    if (!fd) return std::unexpected(fd.error());
    while (!bytes.empty()) {
        const ssize_t written = ::pwrite(*fd, bytes.data(), bytes.size(), static_cast<off_t>(at));
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return std::unexpected(file_failure("write", path_ + "/" + name_of(file)));
        bytes.remove_prefix(static_cast<std::size_t>(written));
        at += static_cast<std::uint64_t>(written);
    }
    return {};
}

Result<std::size_t> SystemSpillFolder::read(File file, std::uint64_t at, std::span<char> to) {
    const auto fd = opened(file);
    if (!fd) return std::unexpected(fd.error());
    std::size_t done = 0;
    while (done < to.size()) {
        const ssize_t got =
            ::pread(*fd, to.data() + done, to.size() - done, static_cast<off_t>(at + done));
        if (got < 0 && errno == EINTR) continue;
        if (got < 0) return std::unexpected(file_failure("read", path_ + "/" + name_of(file)));
        if (got == 0) break;
        done += static_cast<std::size_t>(got);
    }
    return done;
}

Result<void> SystemSpillFolder::truncate(File file, std::uint64_t size) {
    const auto fd = opened(file);
    if (!fd) return std::unexpected(fd.error());
    if (::ftruncate(*fd, static_cast<off_t>(size)) != 0) {
        return std::unexpected(file_failure("truncate", path_ + "/" + name_of(file)));
    }
    return {};
}

void SystemSpillFolder::remove(File file) noexcept {
    if (open_file_ == file) {
        open_.reset();
        open_file_ = 0;
    }
    if (folder_) ::unlinkat(folder_->get(), name_of(file).c_str(), 0);
}

Result<void> SimulatedSpillFolder::prepare() {
    files_.clear();
    if (failing_prepares_ > 0) {
        --failing_prepares_;
        return std::unexpected(stop(Error::Category::storage, "simulated read-only file system"));
    }
    return {};
}

Result<SpillFolder::File> SimulatedSpillFolder::create() {
    files_[next_];
    return next_++;
}

std::size_t SimulatedSpillFolder::used() const noexcept {
    std::size_t bytes = 0;
    for (const auto& [file, content] : files_) bytes += content.size();
    return bytes;
}

Result<void> SimulatedSpillFolder::write(File file, std::uint64_t at, std::string_view bytes) {
    ++writes_;
    std::string& content = files_.at(file);
    const std::size_t end = std::max(content.size(), static_cast<std::size_t>(at) + bytes.size());
    if (used() + (end - content.size()) > room_) {
        return std::unexpected(stop(Error::Category::storage, "simulated full disk"));
    }
    content.resize(end);
    content.replace(static_cast<std::size_t>(at), bytes.size(), bytes);
    return {};
}

Result<std::size_t> SimulatedSpillFolder::read(File file, std::uint64_t at, std::span<char> to) {
    if (failing_reads_ > 0) {
        --failing_reads_;
        return std::unexpected(stop(Error::Category::storage, "simulated read error"));
    }
    const std::string& content = files_.at(file);
    if (at >= content.size()) return 0;
    return content.copy(to.data(), to.size(), static_cast<std::size_t>(at));
}

Result<void> SimulatedSpillFolder::truncate(File file, std::uint64_t size) {
    files_.at(file).resize(static_cast<std::size_t>(size));
    return {};
}

}  // namespace pgc
