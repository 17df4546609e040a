// Asks other HTTP servers: requests in flight beside an event loop, or one at a time. On libcurl,
// whose headers stay in client.cc.
//
//   client.begin(request)          client.call(request, waiter)
//   loop: client.poll()              returns when the answer is there
//         wait on client.wake_fd()
//
// Whoever answers is not trusted: the time, the head and the body of an answer are bounded, and
// redirects are not followed but given to the caller as they are. With https the server has to
// prove who it is, by an authority or by a pinned key. Errors name method, scheme, host, port and
// path; never the query, headers or bodies, in which secrets may stand.
//
// Error categories: connection (nobody is there, or it went away, or the time is over),
// authentication (it can't prove who it is, or doesn't believe us), protocol (it doesn't answer in
// HTTP or TLS, or too much), configuration (URL, header or file of ours).
//
// Threads: owned and called by one thread. Names are looked up on short-lived threads of
// libcurl's, so that nothing here blocks but call().
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/error.h"
#include "base/secret.h"
#include "base/wait.h"

namespace pgc {

struct HttpClientOptions {
    // Of https: who signs the servers' certificates. A PEM file; empty: this system's authorities.
    std::string ca_file{};
    // Not empty: whoever has this key ("sha256//…", http/tls.h) and nobody else, whatever name
    // or authority the certificate shows.
    std::string pinned_key{};
    // What we prove ourselves by, where a server asks. PEM files.
    std::string certificate_file{};
    std::string key_file{};
    Secret key_password{};
    // "http://proxy:3128". Nothing: as https_proxy, http_proxy and no_proxy of the environment
    // say. Empty: none.
    std::optional<std::string> proxy{};
    // Of a whole request; of them the name, the connection and its TLS have connect_limit.
    Duration limit = std::chrono::seconds{30};
    Duration connect_limit = std::chrono::seconds{10};
    std::size_t answer_bytes_max = std::size_t{1} << 20;
};

using HttpHeaders = std::vector<std::pair<std::string, std::string>>;

struct HttpCall {
    std::string method = "GET";
    std::string url{};  // http or https; without user and password, which belong into a header
    HttpHeaders headers{};
    std::string body{};
};

struct HttpAnswer {
    int status = 0;
    HttpHeaders headers{};  // in their order; names in lower case
    std::string body{};

    // The first header of this name, given in lower case; empty if there is none.
    std::string_view header(std::string_view name) const noexcept;
};

class HttpClient {
public:
    static constexpr std::size_t kInFlight_max = 16;

    static Result<std::unique_ptr<HttpClient>> create(HttpClientOptions options);
    HttpClient(const HttpClient&) = delete;
    HttpClient& operator=(const HttpClient&) = delete;
    // Gives up what is in flight.
    ~HttpClient();

    using Id = std::uint64_t;
    struct Finished {
        Id id = 0;
        Result<HttpAnswer> answer;
    };

    bool full() const noexcept;
    // Sends it once: after an Error of category connection it may have been heard nevertheless.
    // An Error at once is one of the request itself. Requires: not full().
    Result<Id> begin(HttpCall call);
    // What has ended since, each once. Never blocks.
    std::vector<Finished> poll();
    // poll() does not report it any more.
    void give_up(Id id);
    // Readable when poll() has something to do; time-outs too.
    int wake_fd() const noexcept;

    // One request from its beginning to its end. Requires: nothing is in flight.
    Result<HttpAnswer> call(HttpCall call, Waiter& waiter);

private:
    class Transfers;
    explicit HttpClient(std::unique_ptr<Transfers> transfers);

    const std::unique_ptr<Transfers> transfers_;
};

}  // namespace pgc
