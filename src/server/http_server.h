// A small HTTP/1.1 server on a thread of its own, for people, probes and scrapers.
// Why it is our own: docs/internals/http.md.
//
// At most kConnections_max connections. When one more comes, the one that has been idle
// the longest makes room; if none is idle, the newcomer is closed: so connections that
// are only held open can't keep a health probe out.
//
// Threads: start() and the destructor on any one thread; the rest runs on the server's,
// which takes no signals. The destructor closes everything at once and joins.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/wake.h"
#include "observe/log.h"
#include "server/http_connection.h"
#include "server/listen_address.h"
#include "server/router.h"

namespace pgc {

class HttpServer {
public:
    static constexpr std::size_t kConnections_max = 64;

    // Listens before it returns; a port in use is an Error. `listen` as in
    // listen_address.h. What the handlers refer to, and the clock, outlive the server.
    static Result<std::unique_ptr<HttpServer>> start(std::string_view listen, Router router,
                                                     const Clock& clock, Logger logger);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    // With the port that was really taken.
    const ListenAddress& address() const noexcept { return address_; }

private:
    class Peer;

    HttpServer(int listener, Router router, const Clock& clock, Logger logger);
    void run();
    void accept_peers();
    void admit(int socket);

    // Constant after start().
    const int listener_;
    const ListenAddress address_;
    const Router router_;
    const Clock& clock_;
    const Logger logger_;
    Wake stop_;

    // The server's thread alone.
    std::vector<std::unique_ptr<Peer>> peers_;
    Instant accept_again_{};  // after the process ran out of descriptors

    std::thread thread_;  // last: it uses all of the above
};

}  // namespace pgc
