// One connection without its socket: bytes in, bytes out, and when to give up.
//
//   open ──Connection: close, a refusal, a time-out, or the peer's end──▶ closing
//   closing ──all sent──▶ lingering ──the peer's end, or time──▶ done
//
// Lingering: a socket closed with unread bytes resets the connection, which can destroy
// the answer on its way. So our side is shut first and what still comes is thrown away.
//
// Requests that were sent ahead (pipelining) are answered in order, as long as less than
// kOutput_max waits to be sent; then nothing more is read. Memory is bounded by the
// limits, kOutput_max and one answer.
//
// Deadlines: kRequest_max from a request's first byte to its last, kSend_max for the
// peer to take what waits, kIdle_max between requests. A peer that drips bytes gains
// nothing by it.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "http/router.h"

namespace pgc {

class HttpConnection {
public:
    static constexpr std::size_t kOutput_max = std::size_t{256} << 10;
    static constexpr Duration kRequest_max = std::chrono::seconds{10};
    static constexpr Duration kSend_max = std::chrono::seconds{30};
    static constexpr Duration kIdle_max = std::chrono::seconds{75};
    static constexpr Duration kLinger_max = std::chrono::seconds{1};

    // All of them outlive this.
    HttpConnection(const Router& router, const Clock& clock);

    enum class State : std::uint8_t { open, closing, lingering, done };
    State state() const noexcept { return state_; }
    // Between requests: may be closed in favour of another.
    bool idle() const noexcept { return state_ == State::open && in_.empty() && out_.empty(); }

    bool wants_input() const noexcept {
        return state_ == State::lingering ||
               (state_ == State::open && !peer_ended_ && out_.size() < kOutput_max);
    }
    void received(std::string_view bytes);
    void peer_ended();

    std::string_view output() const noexcept { return std::string_view{out_}.substr(sent_); }
    void sent(std::size_t bytes);

    Instant deadline() const noexcept { return deadline_; }
    // To be called when the deadline has passed.
    void timed_out();

private:
    void answer_requests();
    void append(const HttpResponse& response, bool head_only, bool close);
    void settle(bool answered);

    const Router& router_;
    const Clock& clock_;
    State state_ = State::open;
    bool peer_ended_ = false;
    std::string in_;
    std::size_t needs_ = 0;  // of in_, before it is worth parsing
    std::string out_;
    std::size_t sent_ = 0;
    Instant deadline_;
    enum class Awaiting : std::uint8_t { next, rest, sending };
    Awaiting awaiting_ = Awaiting::next;
};

}  // namespace pgc
