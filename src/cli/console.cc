#include "cli/console.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>

namespace pgc {
namespace {

void write_to(int fd, std::string_view text) {
    while (!text.empty()) {
        const ssize_t written = ::write(fd, text.data(), text.size());
        if (written < 0 && errno == EINTR) continue;
        if (written < 0) return;  // nobody listens: there is no one to tell
        text.remove_prefix(static_cast<std::size_t>(written));
    }
}

}  // namespace

void SystemConsole::out(std::string_view text) {
    write_to(STDOUT_FILENO, text);
}
void SystemConsole::err(std::string_view text) {
    write_to(STDERR_FILENO, text);
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
