// Wakes a Waiter from another thread or from a signal handler.
#pragma once

namespace pgc {

class Wake {
public:
    Wake();
    Wake(const Wake&) = delete;
    Wake& operator=(const Wake&) = delete;
    ~Wake();

    // Makes fd() readable until clear(). Safe in a signal handler.
    void notify() noexcept;
    // By the thread that waits, before it looks at what it was woken for.
    void clear() noexcept;
    // To be waited on by one thread; -1 when the system had no descriptor left.
    int fd() const noexcept { return fd_; }

private:
    int fd_;
};

}  // namespace pgc
