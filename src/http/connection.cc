#include "http/connection.h"

#include <variant>

#include "http/request_parser.h"
#include "observe/wall_text.h"

namespace pgc {

HttpConnection::HttpConnection(const Router& router, const Clock& clock)
    : router_(router), clock_(clock), deadline_(clock.now() + kIdle_max) {}

void HttpConnection::received(std::string_view bytes) {
    if (state_ != State::open) {
        return;
    }
    in_ += bytes;
    answer_requests();
}

void HttpConnection::peer_ended() {
    peer_ended_ = true;
    if (state_ == State::lingering || (state_ == State::open && out_.empty())) {
        state_ = State::done;
    } else if (state_ == State::open) {
        answer_requests();
    }
}

void HttpConnection::sent(std::size_t bytes) {
    sent_ += bytes;
    if (sent_ < out_.size()) {
        return;
    }
    out_.clear();
    sent_ = 0;
    if (state_ == State::open) {
        answer_requests();
    } else if (state_ == State::closing) {
        state_ = peer_ended_ ? State::done : State::lingering;
        deadline_ = clock_.now() + kLinger_max;
    }
}

void HttpConnection::timed_out() {
    if (state_ == State::open && awaiting_ == Awaiting::rest) {
        append(plain_answer(408), false, true);
        deadline_ = clock_.now() + kSend_max;
        return;
    }
    state_ = State::done;
}

void HttpConnection::append(const HttpResponse& response, bool head_only, bool close) {
    append_response(out_, response,
                    {.date = http_date(clock_.wall()), .head_only = head_only, .close = close});
    if (close) {
        state_ = State::closing;
    }
}

void HttpConnection::answer_requests() {
    std::size_t taken = 0;
    while (state_ == State::open && out_.size() < kOutput_max && taken < in_.size()) {
        const auto rest = std::string_view{in_}.substr(taken);
        if (rest.size() < needs_) break;
        const auto parsed = parse_http_request(rest, HttpLimits{});
        needs_ = 0;
        if (const auto* refused = std::get_if<HttpRefused>(&parsed)) {
            append(plain_answer(refused->status), false, true);
        } else if (const auto* whole = std::get_if<HttpComplete>(&parsed)) {
            const HttpRequest& request = whole->request;
            taken += whole->consumed;
            append(router_.answer(request), request.method == "HEAD", !request.keep_alive);
        } else {
            needs_ = std::get<HttpIncomplete>(parsed).needs;
        }
    }
    const bool complete = needs_ == 0;
    // After the last answer of all, nothing that was sent with the request counts.
    in_.erase(0, state_ == State::open ? taken : in_.size());
    if (peer_ended_ && state_ == State::open && (in_.empty() || !complete)) {
        state_ = out_.empty() ? State::done : State::closing;
    }
    settle(taken > 0);
}

// Sets the deadline by what is awaited now, unless it has been running for that already.
void HttpConnection::settle(bool answered) {
    const Awaiting before = awaiting_;
    awaiting_ = !out_.empty() ? Awaiting::sending : !in_.empty() ? Awaiting::rest : Awaiting::next;
    if (awaiting_ == before && !answered) {
        return;
    }
    switch (awaiting_) {
        case Awaiting::next: deadline_ = clock_.now() + kIdle_max; break;
        case Awaiting::rest: deadline_ = clock_.now() + kRequest_max; break;
        case Awaiting::sending: deadline_ = clock_.now() + kSend_max; break;
    }
}

}  // namespace pgc
