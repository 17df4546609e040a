// Asks a running instance, from another process: one request, one answer, in a bounded time.
//
// Whoever answers is not trusted: what comes is bounded (http_answer.h) and has to be
// complete before the limit has passed, however slowly it drips.
#pragma once

#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wait.h"
#include "server/http_answer.h"
#include "server/listen_address.h"

namespace pgc {

// `at` as the instance is configured to listen; an address that means every address is asked on
// this machine's own. `path` begins with a slash. A host's name is looked up, which takes as
// long as the resolver does.
//
// Category connection: nobody is there, or nobody answers in time. Category protocol:
// somebody answers, but not as we do.
Result<HttpAnswer> http_get(const ListenAddress& at, std::string_view path, const Clock& clock,
                            Waiter& waiter, Duration limit);

struct HttpPost {
    std::string_view path;
    std::string_view body{};
    // Without what frames the request; values without line ends.
    std::vector<std::pair<std::string_view, std::string_view>> headers{};
};
// The same for what changes something. It is sent once: after an Error of category
// connection it may have been heard nevertheless.
Result<HttpAnswer> http_post(const ListenAddress& at, const HttpPost& post, const Clock& clock,
                             Waiter& waiter, Duration limit);

}  // namespace pgc
