#include "postgres/link/blocking.h"

#include <fmt/core.h>

namespace pgc {

namespace {

Error too_slow(std::string_view what, Duration timeout) {
    return retry(Error::Category::connection,
                 fmt::format("{} within {} s", what,
                             std::chrono::duration_cast<std::chrono::seconds>(timeout).count()));
}

}  // namespace

Result<BlockingLink> BlockingLink::connect(LinkFactory& links, LinkFactory::Use use,
                                           const Clock& clock, Waiter& waiter, Duration timeout) {
    auto made = links.make(use);
    if (!made) return std::unexpected(std::move(made.error()));
    const Instant deadline = clock.now() + timeout;
    while (true) {
        auto connecting = (*made)->connect();
        if (!connecting) return std::unexpected(std::move(connecting.error()));
        if (*connecting == Link::Connecting::done) break;
        if (clock.now() >= deadline) return std::unexpected(too_slow("no connection", timeout));
        const bool writable = *connecting == Link::Connecting::wait_writable;
        Wants wants;
        wants.interests.push_back({(*made)->fd(), !writable, writable});
        wants.until(deadline);
        waiter.wait(wants);
    }
    return BlockingLink{std::move(*made), clock, waiter, timeout};
}

Result<Rows> BlockingLink::ask(std::string_view command) {
    if (auto sent = link_->send(command); !sent) return std::unexpected(std::move(sent.error()));
    const Instant deadline = clock_->now() + timeout_;
    while (true) {
        auto rows = link_->result();
        if (!rows) return std::unexpected(std::move(rows.error()));
        if (*rows) return std::move(**rows);
        if (clock_->now() >= deadline) return std::unexpected(too_slow("no answer", timeout_));
        Wants wants;
        wants.interests.push_back({link_->fd(), true, link_->wants_to_write()});
        wants.until(deadline);
        waiter_->wait(wants);
    }
}

}  // namespace pgc
