#include "base/wake.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>

namespace pgc {

Wake::Wake() : fd_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Wake::~Wake() {
    if (fd_ >= 0) ::close(fd_);
}

void Wake::notify() noexcept {
    const int code = errno;  // a handler must not disturb what it interrupted
    const std::uint64_t one = 1;
    (void)!::write(fd_, &one, sizeof one);
    errno = code;
}

void Wake::clear() noexcept {
    std::uint64_t times = 0;
    (void)!::read(fd_, &times, sizeof times);
}

}  // namespace pgc
