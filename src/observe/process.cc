#include "observe/process.h"

#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <system_error>

namespace pgc {
namespace {

std::string read_file(const char* path) {
    std::ifstream file(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
}

// The n-th word from 0, as a number; 0 if there is none.
std::uint64_t word(std::string_view text, std::size_t n) {
    for (;; --n) {
        text.remove_prefix(std::min(text.find_first_not_of(" \n"), text.size()));
        if (n == 0 || text.empty()) {
            break;
        }
        text.remove_prefix(std::min(text.find_first_of(" \n"), text.size()));
    }
    std::uint64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

// When the machine started, in seconds since 1970.
std::uint64_t boot_time() {
    const std::string stat = read_file("/proc/stat");
    const auto at = stat.find("\nbtime ");
    return at == std::string::npos ? 0 : word(std::string_view{stat}.substr(at), 1);
}

std::uint64_t count_open_fds() {
    std::error_code error;
    std::uint64_t count = 0;
    for (std::filesystem::directory_iterator at("/proc/self/fd", error), end; !error && at != end;
         at.increment(error)) {
        ++count;
    }
    return count == 0 ? 0 : count - 1;  // the one that listed them
}

}  // namespace

std::uint64_t read_resident_bytes() {
    const auto page = static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
    return word(read_file("/proc/self/statm"), 1) * page;
}

ProcessUse read_process_use() {
    ProcessUse use;
    use.resident_bytes = read_resident_bytes();
    use.open_fds = count_open_fds();
    // "pid (name) state …": the name may hold anything, so count from its end, where the
    // state is word 0, user and system time are 11 and 12, the start is 19 (proc(5)).
    const std::string stat = read_file("/proc/self/stat");
    const auto name_end = stat.rfind(')');
    const auto ticks_per_second = static_cast<std::uint64_t>(::sysconf(_SC_CLK_TCK));
    if (name_end == std::string::npos || ticks_per_second == 0) {
        return use;
    }
    const auto rest = std::string_view{stat}.substr(name_end + 1);
    const std::uint64_t ticks = word(rest, 11) + word(rest, 12);
    use.cpu_time = std::chrono::nanoseconds{ticks * (1'000'000'000 / ticks_per_second)};
    use.start_time_unix_s =
        static_cast<double>(boot_time()) +
        static_cast<double>(word(rest, 19)) / static_cast<double>(ticks_per_second);
    return use;
}

}  // namespace pgc
