#include "pgclient/blocking.h"

namespace pgc {
namespace {

Error too_late(std::string_view what) {
    return retry(Error::Category::connection,
                 "the server did not " + std::string{what} + " in time");
}

}  // namespace

Result<BlockingLink> BlockingLink::connect(LinkFactory& links, LinkFactory::Use use,
                                           const Clock& clock, Waiter& waiter, Duration limit) {
    auto made = links.make(use);
    if (!made) return std::unexpected(std::move(made.error()));
    BlockingLink self(std::move(*made), clock, waiter, limit);
    const Instant deadline = clock.now() + limit;
    for (;;) {
        const auto state = self.link_->connect();
        if (!state) return std::unexpected(state.error());
        if (*state == Link::Connecting::done) return self;
        if (!self.wait(deadline, *state == Link::Connecting::wait_writable)) {
            return std::unexpected(too_late("let us in"));
        }
    }
}

Result<Rows> BlockingLink::ask(std::string_view command) {
    if (auto sent = link_->send(command); !sent) return std::unexpected(std::move(sent.error()));
    return answer();
}

Result<Rows> BlockingLink::ask(std::string_view command,
                               std::span<const std::optional<std::string>> parameters) {
    if (auto sent = link_->send(command, parameters, false); !sent) {
        return std::unexpected(std::move(sent.error()));
    }
    return answer();
}

Result<Rows> BlockingLink::answer() {
    const Instant deadline = clock_->now() + limit_;
    for (;;) {
        auto rows = link_->result();
        if (!rows) return std::unexpected(std::move(rows.error()));
        if (*rows) return std::move(**rows);
        if (!wait(deadline, link_->wants_to_write())) return std::unexpected(too_late("answer"));
        if (link_->wants_to_write()) {
            if (auto flushed = link_->flush(); !flushed) {
                return std::unexpected(std::move(flushed.error()));
            }
        }
    }
}

// False when the deadline has passed.
bool BlockingLink::wait(Instant deadline, bool writable) {
    if (clock_->now() >= deadline) return false;
    Wants wants;
    if (writable) wants.writable(link_->fd());
    wants.readable(link_->fd());
    wants.until(deadline);
    waiter_->wait(wants);
    return true;
}

}  // namespace pgc
