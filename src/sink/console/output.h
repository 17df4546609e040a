// A descriptor somebody else reads at his own pace, written without ever waiting for him.
//
// The descriptor is shared with our parent (a shell, a container's runtime), so its flags
// are not ours to change: O_NONBLOCK would follow it there. Instead:
//   pipe, terminal   opened once more through /proc/self/fd, for us alone, non-blocking;
//                    where that is forbidden, written when poll(2) says so, and no more
//                    at a time than a pipe with any room takes at once
//   socket           send(2) with MSG_DONTWAIT
//   file             written as it is: a file takes what it is given
//
// The descriptor stays the caller's and must outlive this. SIGPIPE is to be ignored by
// the process. Threads: one.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/error.h"

namespace pgc {

// Whether an error of write() says that the reader went away, which is all that is wrong.
bool is_reader_gone(const Error& error) noexcept;

class Output {
public:
    // Tests forbid what a container's pipe of another user forbids.
    enum class Reopening : std::uint8_t { allowed, forbidden };

    explicit Output(int fd, Reopening reopening = Reopening::allowed);
    Output(const Output&) = delete;
    Output& operator=(const Output&) = delete;
    ~Output();

    // How many bytes off the front of `bytes` were taken; 0 when the reader has to go on
    // first. Whatever error it gives is for good.
    [[nodiscard]] Result<std::size_t> write(std::string_view bytes);

    // What to wait on until it is writable.
    int fd() const noexcept { return fd_; }

private:
    enum class Way : std::uint8_t { plain, polled, socket };

    bool ready() const noexcept;

    int fd_;
    bool owned_ = false;
    Way way_ = Way::plain;
};

}  // namespace pgc
