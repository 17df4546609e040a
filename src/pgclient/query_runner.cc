#include "pgclient/query_runner.h"

#include <cassert>
#include <utility>

namespace pgc {

QueryRunner::QueryRunner(LinkFactory& links, std::unique_ptr<Link> link, LinkFactory::Use use)
    : links_(links),
      use_(use),
      link_(std::move(link)),
      state_(link_ ? State::ready : State::away) {}

void QueryRunner::ask(Query query, Instant now) {
    assert(free());
    // One that has ended would take the query with it, and nobody knew whether it arrived.
    if (is_disturbed()) {
        link_.reset();
        state_ = State::away;
        connect_at_ = now;
    }
    query_ = std::move(query);
    sqlstate_.clear();
    give_up_ = now + kPatience;
}

std::optional<QueryRunner::Answer> QueryRunner::step(Instant now) {
    if (!query_) return std::nullopt;
    return go_on(now);
}

std::optional<QueryRunner::Answer> QueryRunner::go_on(Instant now) {
    if (state_ == State::away || state_ == State::connecting) {
        if (auto connected = connect(now); !connected) {
            return give_up_or_repeat(connected.error(), now);
        }
    }
    if (state_ == State::ready) {
        if (auto sent = send(); !sent) return give_up_or_repeat(sent.error(), now);
        state_ = State::asked;
        deadline_ = now + query_->answer_max;
    }
    if (state_ != State::asked) return std::nullopt;
    auto rows = link_->result();
    if (!rows) {
        if (link_->sqlstate().empty()) return give_up_or_repeat(rows.error(), now);
        sqlstate_ = link_->sqlstate();
        state_ = State::ready;  // a refusal: the link lives on
        query_.reset();
        return std::unexpected(std::move(rows.error()));
    }
    if (*rows) {
        state_ = State::ready;
        query_.reset();
        return std::move(**rows);
    }
    if (now < deadline_) return std::nullopt;
    return give_up_or_repeat(
        retry(Error::Category::connection, "the server does not answer a query of ours"), now);
}

// Without parameters as a simple query, which may hold several statements.
Result<void> QueryRunner::send() {
    if (query_->parameters.empty()) return link_->send(query_->text);
    return link_->send(query_->text, query_->parameters, false);
}

// Goes on connecting; ready() or away, to be tried later, when it returns without an Error.
Result<void> QueryRunner::connect(Instant now) {
    if (state_ == State::away) {
        if (now < connect_at_) return {};
        auto made = links_.make(use_);
        if (!made) return std::unexpected(std::move(made.error()));
        link_ = std::move(*made);
        state_ = State::connecting;
        deadline_ = now + kConnect_max;
    }
    const auto connecting = link_->connect();
    if (!connecting) return std::unexpected(connecting.error());
    connecting_ = *connecting;
    if (connecting_ == Link::Connecting::done) {
        state_ = State::ready;
        return {};
    }
    if (now < deadline_) return {};
    return std::unexpected(
        retry(Error::Category::connection, "no further connection to the server could be made"));
}

std::optional<QueryRunner::Answer> QueryRunner::give_up_or_repeat(Error error, Instant now) {
    lose(now);
    if (query_->may_repeat && error.next == Error::Next::retry && now < give_up_) {
        return std::nullopt;
    }
    query_.reset();
    return std::unexpected(std::move(error));
}

bool QueryRunner::is_disturbed() const noexcept {
    return state_ == State::ready && free() && link_->has_something_to_say();
}

void QueryRunner::lose(Instant now) noexcept {
    link_.reset();
    state_ = State::away;
    connect_at_ = now + kPause;
}

Result<Link*> QueryRunner::lend(Instant now) {
    assert(free());
    if (state_ != State::ready) {
        if (auto connected = connect(now); !connected) {
            lose(now);
            return std::unexpected(std::move(connected.error()));
        }
    }
    if (state_ != State::ready) return nullptr;
    lent_ = true;
    return link_.get();
}

void QueryRunner::give_back(bool broken) noexcept {
    lent_ = false;
    if (broken) {
        link_.reset();
        state_ = State::away;
    }
}

void QueryRunner::wants(Wants& wants) const {
    switch (state_) {
        case State::away:
            if (query_) wants.until(connect_at_);
            return;
        case State::connecting:
            if (connecting_ == Link::Connecting::wait_writable) {
                wants.writable(link_->fd());
            } else {
                wants.readable(link_->fd());
            }
            wants.until(deadline_);
            return;
        case State::ready:
            if (query_) wants.until(Instant{});
            if (!lent_) return;
            break;
        case State::asked: wants.until(deadline_); break;
    }
    wants.readable(link_->fd());
    if (link_->wants_to_write()) wants.writable(link_->fd());
}

}  // namespace pgc
