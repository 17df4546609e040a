// A small HTTP/1.1 server on a thread of its own, for people, probes and scrapers; with TLS where
// a certificate is given. Boost.Asio drives the sockets, Boost.Beast reads the requests, and
// connection.h decides what a connection does: docs/internals/http.md.
//
// At most kConnections_max connections. When one more comes, the one that has been idle
// the longest makes room: so connections that are only held open can't keep a health probe
// out. One whose TLS has not begun is idle; one that has sent something we have yet to read
// is not. If none is idle, newcomers wait in the kernel's queue until one is or leaves: peers
// that have gone, which we learn by reading, can't keep a probe out either. After
// kRoom_wait_max whoever waits is closed.
//
// Threads: start() and the destructor on any one thread; the rest runs on the server's,
// which takes no signals. The destructor closes everything at once and joins.
#pragma once

#include <cstddef>
#include <memory>
#include <string_view>
#include <thread>

#include "base/clock.h"
#include "base/error.h"
#include "http/listen_address.h"
#include "http/router.h"
#include "http/tls.h"
#include "observe/log.h"

namespace pgc {

class HttpServer {
public:
    static constexpr std::size_t kConnections_max = 64;
    // From a connection's first byte to the end of its TLS handshake.
    static constexpr Duration kHandshake_max = std::chrono::seconds{10};
    // How long a newcomer waits while all are busy; probes have a second (Kubernetes).
    static constexpr Duration kRoom_wait_max = std::chrono::seconds{1};

    // Listens before it returns; a port in use is an Error. `listen` as in listen_address.h;
    // without `tls` it speaks plain HTTP. What the handlers refer to, and the clock, outlive
    // the server.
    static Result<std::unique_ptr<HttpServer>> start(std::string_view listen, Router router,
                                                     const Clock& clock, Logger logger,
                                                     std::unique_ptr<ServerTls> tls = nullptr);
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;
    ~HttpServer();

    // With the port that was really taken.
    const ListenAddress& address() const noexcept { return address_; }

private:
    class Loop;
    class Peer;

    HttpServer(ListenAddress address, std::unique_ptr<Loop> loop);

    const ListenAddress address_;
    const std::unique_ptr<Loop> loop_;
    std::thread thread_;  // last: it uses the loop
};

}  // namespace pgc
