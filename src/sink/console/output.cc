#include "sink/console/output.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <climits>
#include <string>
#include <system_error>

namespace pgc {
namespace {

constexpr std::string_view kReader_gone = "the reader of our output went away";

Error write_error(int number) {
    if (number == EPIPE || number == ECONNRESET) {
        return stop(Error::Category::sink, std::string{kReader_gone})
            .with_hint(
                "start again with a reader; nothing is lost, what it did not get is "
                "sent again");
    }
    return stop(Error::Category::sink, fmt::format("our output can't be written: {}",
                                                   std::generic_category().message(number)))
        .with_hint("make standard output writable and start again; nothing is lost");
}

}  // namespace

bool is_reader_gone(const Error& error) noexcept {
    return error.what == kReader_gone;
}

Output::Output(int fd, Reopening reopening) : fd_(fd) {
    struct stat about{};
    if (::fstat(fd, &about) != 0) {
        return;  // the first write shows it
    }
    if (S_ISSOCK(about.st_mode)) {
        way_ = Way::socket;
        return;
    }
    const int flags = ::fcntl(fd, F_GETFL);
    const bool waits = S_ISFIFO(about.st_mode) || S_ISCHR(about.st_mode);
    if (!waits || (flags >= 0 && (flags & O_NONBLOCK) != 0)) {
        return;
    }
    way_ = Way::polled;
    if (reopening == Reopening::forbidden) {
        return;
    }
    const std::string path = fmt::format("/proc/self/fd/{}", fd);
    const int own = ::open(path.c_str(), O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    if (own >= 0) {
        fd_ = own;
        owned_ = true;
        way_ = Way::plain;
    }
}

Output::~Output() {
    if (owned_) {
        ::close(fd_);
    }
}

bool Output::ready() const noexcept {
    pollfd ask{.fd = fd_, .events = POLLOUT, .revents = 0};
    return ::poll(&ask, 1, 0) > 0;  // an error counts: the write names it
}

Result<std::size_t> Output::write(std::string_view bytes) {
    if (way_ == Way::polled) {
        if (!ready()) {
            return 0;
        }
        bytes = bytes.substr(0, PIPE_BUF);
    }
    for (;;) {
        const ssize_t written = way_ == Way::socket ? ::send(fd_, bytes.data(), bytes.size(),
                                                             MSG_DONTWAIT | MSG_NOSIGNAL)
                                                    : ::write(fd_, bytes.data(), bytes.size());
        if (written >= 0) {
            return static_cast<std::size_t>(written);
        }
        if (errno == EAGAIN) {
            return 0;
        }
        if (errno != EINTR) {
            return std::unexpected(write_error(errno));
        }
    }
}

}  // namespace pgc
