// Where finished log lines go.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string_view>

namespace pgc {

// A destination of lines. Called from any thread, also several at once.
class LogLines {
public:
    LogLines() = default;
    LogLines(const LogLines&) = delete;
    LogLines& operator=(const LogLines&) = delete;
    virtual ~LogLines() = default;

    // `line` ends with its newline. Must return soon, whatever the destination does.
    virtual void write(std::string_view line) noexcept = 0;
};

// Writes each line with one system call to a descriptor that belongs to somebody else
// (2, as a rule) and may be a file, a terminal, a pipe or a socket.
//
// A reader that stopped reading, or went away, must neither hang nor kill us. The
// descriptor's own flags are shared with other processes and so left alone; pipes and
// terminals are opened a second time, non-blocking. Where the system doesn't allow that,
// at most as much is written at a time as poll(2) promises to take. A line
// that cannot be written within kPatience_ms is lost and counted; after one loss the
// next lines don't wait at all, until one gets through. That one is preceded by a line
// which says how many were lost. SIGPIPE is swallowed.
class DescriptorLines final : public LogLines {
public:
    explicit DescriptorLines(int fd) noexcept;
    ~DescriptorLines() override;

    void write(std::string_view line) noexcept override;

    std::uint64_t lost() const noexcept { return lost_.load(std::memory_order_relaxed); }

private:
    static constexpr int kPatience_ms = 20;

    enum class Kind : std::uint8_t {
        file,       // never blocks
        reopened,   // fd_ is our second opening: non-blocking, closed by us
        socket,     // each call says that it must not block
        unwilling,  // may block if given more than poll(2) promised
    };

    bool put(std::string_view line) noexcept;
    bool put_all(std::string_view bytes) noexcept;
    bool writable(int patience_ms) const noexcept;

    // Constant after construction.
    int fd_;
    Kind kind_ = Kind::unwilling;

    std::mutex mutex_;
    // Protected by mutex_.
    bool torn_ = false;                // the last line was written in part
    std::uint64_t lost_in_a_row_ = 0;  // not reported yet

    std::atomic<std::uint64_t> lost_{0};
};

}  // namespace pgc
