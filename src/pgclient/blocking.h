// Links for commands that have nothing else to do meanwhile (check, slots): wait for the
// answer, give up at a deadline. The running stream never comes here.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/wait.h"
#include "pgclient/link.h"

namespace pgc {

class BlockingLink {
public:
    // Connects. `clock` and `waiter` outlive it.
    static Result<BlockingLink> connect(LinkFactory& links, LinkFactory::Use use,
                                        const Clock& clock, Waiter& waiter, Duration limit);

    Result<Rows> ask(std::string_view command);
    Result<Rows> ask(std::string_view command,
                     std::span<const std::optional<std::string>> parameters);

    Link& link() noexcept { return *link_; }
    const Link& link() const noexcept { return *link_; }

private:
    BlockingLink(std::unique_ptr<Link> link, const Clock& clock, Waiter& waiter, Duration limit)
        : link_(std::move(link)), clock_(&clock), waiter_(&waiter), limit_(limit) {}

    Result<Rows> answer();
    bool wait(Instant deadline, bool writable);

    std::unique_ptr<Link> link_;
    const Clock* clock_;
    Waiter* waiter_;
    Duration limit_;
};

}  // namespace pgc
