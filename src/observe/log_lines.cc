#include "observe/log_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <ctime>

namespace pgc {
namespace {

// Opens a pipe or terminal a second time, so that O_NONBLOCK is ours alone. -1 if it
// is neither, or may not be opened.
int reopen_non_blocking(int fd) noexcept {
    struct stat about{};
    if (::fstat(fd, &about) != 0 || !(S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode))) {
        return -1;
    }
    std::array<char, 32> path{};
    fmt::format_to_n(path.data(), path.size() - 1, "/proc/self/fd/{}", fd);
    return ::open(path.data(), O_WRONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
}

// write(2) whose SIGPIPE, if it raises one, is never delivered. One that was pending
// before is somebody else's and stays.
ssize_t write_without_sigpipe(int fd, const char* bytes, std::size_t size) noexcept {
    sigset_t pipe_only;
    sigset_t before;
    sigset_t pending;
    sigemptyset(&pipe_only);
    sigaddset(&pipe_only, SIGPIPE);
    sigpending(&pending);
    pthread_sigmask(SIG_BLOCK, &pipe_only, &before);
    const ssize_t written = ::write(fd, bytes, size);
    const int error = errno;
    if (written < 0 && error == EPIPE && sigismember(&pending, SIGPIPE) == 0) {
        const timespec at_once{};
        while (sigtimedwait(&pipe_only, nullptr, &at_once) < 0 && errno == EINTR) {
        }
    }
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    errno = error;
    return written;
}

}  // namespace

DescriptorLines::DescriptorLines(int fd) noexcept : fd_(fd) {
    const int second = reopen_non_blocking(fd);
    if (second >= 0) {
        fd_ = second;
        ours_ = true;
    }
}

DescriptorLines::~DescriptorLines() {
    if (ours_) {
        ::close(fd_);
    }
}

bool DescriptorLines::writable(int patience_ms) const noexcept {
    pollfd one{.fd = fd_, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, patience_ms) > 0 && (one.revents & POLLOUT) != 0;
}

bool DescriptorLines::put(std::string_view line) noexcept {
    if (!writable(lost_in_a_row_ > 0 ? 0 : kPatience_ms)) {
        return false;
    }
    if (torn_ && write_without_sigpipe(fd_, "\n", 1) != 1) {
        return false;
    }
    torn_ = false;
    const ssize_t written = write_without_sigpipe(fd_, line.data(), line.size());
    torn_ = written > 0 && static_cast<std::size_t>(written) < line.size();
    return written == static_cast<ssize_t>(line.size());
}

void DescriptorLines::write(std::string_view line) noexcept {
    const std::lock_guard lock(mutex_);
    if (lost_in_a_row_ > 0) {
        std::array<char, 64> note{};
        const auto end = fmt::format_to_n(note.data(), note.size(), "{{\"log_lines_lost\":{}}}\n",
                                          lost_in_a_row_);
        if (put({note.data(), end.size})) {
            lost_in_a_row_ = 0;
        }
    }
    if (lost_in_a_row_ > 0 || !put(line)) {
        ++lost_in_a_row_;
        lost_.fetch_add(1, std::memory_order_relaxed);
    }
}

}  // namespace pgc
