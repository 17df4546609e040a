// Questions to a server, one at a time, over a link that may break: beside the stream, and to the
// registry of files.
//
// ask() when free(); then step() until it answers. The link is made when it is first needed
// and again when it broke: a question that may be repeated is then asked again, until
// kPatience has passed since it was first asked; then, and when the server refuses, the
// answer is an Error. What that Error means is for the one who asked.
//
// A link may also be lent to somebody who holds longer conversations (PublicationKeeper):
// not free() until given back.
//
// Nothing blocks. Threads: one, the owner's.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "pgclient/link.h"

namespace pgc {

struct Query {
    std::string text;
    std::vector<std::optional<std::string>> parameters{};
    bool may_repeat = true;                          // asking twice does no harm
    Duration answer_max = std::chrono::seconds{10};  // then the link is dead
};

class QueryRunner {
public:
    static constexpr Duration kPatience = std::chrono::seconds{20};
    static constexpr Duration kConnect_max = std::chrono::seconds{10};
    static constexpr Duration kPause = std::chrono::milliseconds{200};  // between connects

    // `link` may be null: then one is made when needed. `links` must outlive this.
    QueryRunner(LinkFactory& links, std::unique_ptr<Link> link,
                LinkFactory::Use use = LinkFactory::Use::sql);

    bool free() const noexcept { return !query_ && !lent_; }
    // Requires free().
    void ask(Query query, Instant now);

    using Answer = Result<Rows>;
    // The answer, once. Nothing while there is none.
    std::optional<Answer> step(Instant now);
    // Of the last answer, if the server refused; empty otherwise.
    const std::string& sqlstate() const noexcept { return sqlstate_; }

    // A connection is on its way: its descriptor is waited for.
    bool connecting() const noexcept { return state_ == State::connecting; }

    // Makes a connection if there is none; requires free(). Nothing while it is not ready.
    Result<Link*> lend(Instant now);
    // Before that lend() does nothing: a connection was lost a moment ago.
    Instant lends_at() const noexcept { return state_ == State::away ? connect_at_ : Instant{}; }
    // `broken`: it can't be used any more.
    void give_back(bool broken) noexcept;

    // Nothing is asked, and yet there is something to be read from the connection: mostly its end.
    // It is made again before the next query is sent.
    bool is_disturbed() const noexcept;

    // What step() and lend() wait for.
    void wants(Wants& wants) const;

private:
    enum class State : std::uint8_t { away, connecting, ready, asked };

    [[nodiscard]] Result<void> connect(Instant now);
    [[nodiscard]] Result<void> send();
    std::optional<Answer> go_on(Instant now);
    std::optional<Answer> give_up_or_repeat(Error error, Instant now);
    void lose(Instant now) noexcept;

    LinkFactory& links_;
    const LinkFactory::Use use_;
    std::unique_ptr<Link> link_;
    State state_;
    bool lent_ = false;
    Link::Connecting connecting_ = Link::Connecting::wait_writable;
    Instant connect_at_{};       // not before
    Instant deadline_ = kNever;  // of the connect or the answer under way
    Instant give_up_ = kNever;
    std::optional<Query> query_;
    std::string sqlstate_;
};

}  // namespace pgc
