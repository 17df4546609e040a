// A link for commands that may wait: check, slots. Never used where a stream runs.
#pragma once

#include <memory>
#include <string_view>
#include <utility>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "postgres/link/link.h"

namespace pgc {

class BlockingLink {
public:
    // Clock and waiter must outlive the link. `timeout` bounds the connecting and, each by
    // itself, every answer.
    static Result<BlockingLink> connect(LinkFactory& links, LinkFactory::Use use,
                                        const Clock& clock, Waiter& waiter, Duration timeout);

    // Runs one command. A server's error leaves the link usable: see link().sqlstate().
    [[nodiscard]] Result<Rows> ask(std::string_view command);

    Link& link() noexcept { return *link_; }
    const Link& link() const noexcept { return *link_; }

private:
    BlockingLink(std::unique_ptr<Link> link, const Clock& clock, Waiter& waiter, Duration timeout)
        : link_(std::move(link)), clock_(&clock), waiter_(&waiter), timeout_(timeout) {}

    std::unique_ptr<Link> link_;
    const Clock* clock_;
    Waiter* waiter_;
    Duration timeout_;
};

}  // namespace pgc
