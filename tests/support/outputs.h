// Places a sink may write to, and how to read them slowly, never or no longer.
#pragma once

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <string>
#include <utility>

namespace pgc::test {

class Descriptor {
public:
    Descriptor() = default;
    explicit Descriptor(int fd) noexcept : fd_(fd) {}
    Descriptor(Descriptor&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
    Descriptor& operator=(Descriptor&& other) noexcept {
        std::swap(fd_, other.fd_);
        return *this;
    }
    ~Descriptor() { close(); }

    int fd() const noexcept { return fd_; }
    void close() noexcept {
        if (fd_ >= 0) {
            ::close(std::exchange(fd_, -1));
        }
    }

private:
    int fd_ = -1;
};

// Two ends: what is written to `sink` is read from `reader`.
struct Channel {
    Descriptor reader;
    Descriptor sink;

    // Reads what is there now, without waiting.
    std::string read_now() {
        std::string text;
        ::fcntl(reader.fd(), F_SETFL, O_NONBLOCK);
        char bytes[65536];
        for (;;) {
            const ssize_t n = ::read(reader.fd(), bytes, sizeof bytes);
            if (n <= 0) {
                return text;
            }
            text.append(bytes, static_cast<std::size_t>(n));
        }
    }
};

inline Channel make_pipe() {
    int ends[2] = {-1, -1};
    (void)!::pipe2(ends, O_CLOEXEC);
    return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

inline Channel make_socket() {
    int ends[2] = {-1, -1};
    (void)!::socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
    return {Descriptor{ends[0]}, Descriptor{ends[1]}};
}

// A file without a name; the two ends are two openings with their own offsets.
inline Channel make_file() {
    char path[] = "/tmp/pg-capture-test-XXXXXX";
    const int written = ::mkostemp(path, O_CLOEXEC);
    const int read = ::open(path, O_RDONLY | O_CLOEXEC);
    ::unlink(path);
    return {Descriptor{read}, Descriptor{written}};
}

// As the program does; without it a vanished reader ends the test.
inline void ignore_sigpipe() {
    (void)std::signal(SIGPIPE, SIG_IGN);
}

}  // namespace pgc::test
