#include "observe/log_lines.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <climits>
#include <csignal>
#include <ctime>

namespace pgc {
namespace {

// Opens a pipe or terminal a second time, so that O_NONBLOCK is ours alone; or -1.
int reopen_non_blocking(int fd) noexcept {
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
    struct stat about{};
    if (::fstat(fd, &about) != 0) {
        return;
    }
    if (S_ISREG(about.st_mode)) {
        kind_ = Kind::file;
    } else if (S_ISSOCK(about.st_mode)) {
        kind_ = Kind::socket;
    } else if (const int second = reopen_non_blocking(fd); second >= 0) {
        fd_ = second;
        kind_ = Kind::reopened;
    }
}

DescriptorLines::~DescriptorLines() {
    if (kind_ == Kind::reopened) {
        ::close(fd_);
    }
}

bool DescriptorLines::writable(int patience_ms) const noexcept {
    pollfd one{.fd = fd_, .events = POLLOUT, .revents = 0};
    return ::poll(&one, 1, patience_ms) > 0 && (one.revents & POLLOUT) != 0;
}

bool DescriptorLines::put_all(std::string_view bytes) noexcept {
    int patience_ms = lost_in_a_row_ > 0 ? 0 : kPatience_ms;
    while (!bytes.empty()) {
        if (!writable(patience_ms)) {
            return false;
        }
        const std::size_t size =
            kind_ == Kind::unwilling ? std::min<std::size_t>(bytes.size(), PIPE_BUF) : bytes.size();
        const ssize_t n = kind_ == Kind::socket
                              ? ::send(fd_, bytes.data(), size, MSG_DONTWAIT | MSG_NOSIGNAL)
                              : write_without_sigpipe(fd_, bytes.data(), size);
        if (n < 0 && errno != EINTR) {
            return false;
        }
        torn_ = torn_ || n > 0;
        bytes.remove_prefix(static_cast<std::size_t>(std::max<ssize_t>(n, 0)));
        patience_ms = kPatience_ms;
    }
    torn_ = false;
    return true;
}

bool DescriptorLines::put(std::string_view line) noexcept {
    return (!torn_ || put_all("\n")) && put_all(line);
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
