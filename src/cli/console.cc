#include "cli/console.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <unistd.h>

namespace pgc {
namespace {

// What is said of the end must not keep it waiting.
constexpr int kErrPatience_ms = 1000;

}  // namespace

// False when it is not to be waited for.
bool SystemConsole::wait_for_reader(const Output& output) const {
    for (;;) {
        pollfd fds[] = {
            {.fd = output.fd(), .events = POLLOUT, .revents = 0},
            {.fd = stop_ == nullptr ? -1 : stop_->wake_fd(), .events = POLLIN, .revents = 0}};
        const int found = ::poll(fds, 2, -1);
        if (stop_ != nullptr && stop_->drain()) return false;
        if (found > 0 && fds[0].revents != 0) return true;
    }
}

void SystemConsole::write_out(Output& output, std::string_view text) {
    while (!text.empty()) {
        const auto written = output.write(text);
        if (!written) {
            over_ = true;
            if (is_reader_gone(written.error())) return;
            error_ = written.error();
            error_->category = Error::Category::storage;
            return;
        }
        text.remove_prefix(*written);
        if (*written == 0 && !wait_for_reader(output)) {
            over_ = true;
            return;
        }
    }
}

void SystemConsole::out(std::string_view text) {
    if (over_) return;
    if (!output_) output_.emplace(STDOUT_FILENO);
    write_out(*output_, text);
}

void SystemConsole::err(std::string_view text) {
    Output output(STDERR_FILENO);
    while (!text.empty()) {
        const auto written = output.write(text);
        if (!written) return;  // nobody listens: there is no one to report to
        text.remove_prefix(*written);
        pollfd ask{.fd = output.fd(), .events = POLLOUT, .revents = 0};
        if (*written == 0 && ::poll(&ask, 1, kErrPatience_ms) == 0) return;
    }
}

bool SystemConsole::out_is_terminal() const {
    return ::isatty(STDOUT_FILENO) == 1;
}
std::size_t SystemConsole::out_width() const {
    constexpr std::size_t kUsual = 80;
    winsize size{};
    const bool known = ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    return known ? size.ws_col : kUsual;
}

}  // namespace pgc
