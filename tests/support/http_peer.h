// A server that answers as a test says, in plain HTTP or TLS: takes one connection, sends what it
// is given, whole or piece by piece, and closes or holds.
#pragma once

#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <csignal>
#include <cstdint>
#include <memory>
#include <string>
#include <thread>
#include <utility>

#include "base/file.h"
#include "http/listen_address.h"
#include "http/tls.h"
#include "support/certificates.h"

namespace pgc {

struct HttpPeerPlan {
    enum class Then : std::uint8_t { close, hold };
    std::string answer{};
    Then then = Then::close;
    Duration between{};                         // bytes, one by one; zero: all at once
    const TestCertificate* tls = nullptr;       // shown by it
    const TestCertificate* asks_for = nullptr;  // who signs the client's certificate it asks for
};

class HttpPeer {
public:
    using Then = HttpPeerPlan::Then;

    explicit HttpPeer(HttpPeerPlan plan)
        : listener_(*listen_on(*parse_listen_address("127.0.0.1:0"))), plan_(std::move(plan)) {
        thread_ = std::jthread([this](const std::stop_token& stop) {
            // OpenSSL writes to whoever has gone.
            sigset_t pipe;
            sigemptyset(&pipe);
            sigaddset(&pipe, SIGPIPE);
            pthread_sigmask(SIG_BLOCK, &pipe, nullptr);
            const int socket = accept_one(stop);
            if (socket < 0) return;
            plan_.tls == nullptr ? serve_plain(socket, stop) : serve_tls(socket, stop);
            ::close(socket);
        });
    }
    HttpPeer(const HttpPeer&) = delete;
    HttpPeer& operator=(const HttpPeer&) = delete;
    ~HttpPeer() {
        thread_.request_stop();
        thread_.join();
        ::close(listener_);
    }

    ListenAddress address() const { return bound_address(listener_); }

private:
    static void rest() { std::this_thread::sleep_for(std::chrono::milliseconds{1}); }

    int accept_one(const std::stop_token& stop) const {
        while (!stop.stop_requested()) {
            const int socket = ::accept(listener_, nullptr, nullptr);
            if (socket >= 0) return socket;
            rest();
        }
        return -1;
    }

    template <typename Send>
    void answer(const Send& send, const std::stop_token& stop) const {
        const std::string& text = plan_.answer;
        const bool drips = plan_.between > Duration{0};
        const std::size_t piece = drips ? 1 : text.size();
        for (std::size_t at = 0; at < text.size() && !stop.stop_requested(); at += piece) {
            if (!send(&text[at], std::min(piece, text.size() - at))) break;
            if (drips) std::this_thread::sleep_for(plan_.between);
        }
        while (plan_.then == Then::hold && !stop.stop_requested()) rest();
    }

    void serve_plain(int socket, const std::stop_token& stop) const {
        std::array<char, 4096> request;
        (void)::recv(socket, request.data(), request.size(), 0);
        answer([socket](const char* bytes,
                        std::size_t n) { return ::send(socket, bytes, n, MSG_NOSIGNAL) >= 0; },
               stop);
    }

    void serve_tls(int socket, const std::stop_token& stop) const {
        SimulatedFiles files;
        const TlsFiles paths{"crt", "key"};
        if (!files.replace("crt", plan_.tls->certificate) || !files.replace("key", plan_.tls->key))
            return;
        const auto context = load_tls_context(paths, files);
        if (!context) return;
        if (plan_.asks_for != nullptr) {
            X509* authority =
                detail::from_pem<X509>(plan_.asks_for->certificate, &::PEM_read_bio_X509);
            ::X509_STORE_add_cert(::SSL_CTX_get_cert_store(context->get()), authority);
            ::X509_free(authority);
            ::SSL_CTX_set_verify(context->get(), SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT,
                                 nullptr);
        }
        const std::unique_ptr<SSL, decltype(&::SSL_free)> tls(::SSL_new(context->get()),
                                                              &::SSL_free);
        ::SSL_set_fd(tls.get(), socket);
        std::array<char, 4096> request;
        if (::SSL_accept(tls.get()) != 1 ||
            ::SSL_read(tls.get(), request.data(), int{request.size()}) <= 0) {
            return;
        }
        answer(
            [&](const char* bytes, std::size_t n) {
                return ::SSL_write(tls.get(), bytes, static_cast<int>(n)) > 0;
            },
            stop);
        ::SSL_shutdown(tls.get());
    }

    const int listener_;
    const HttpPeerPlan plan_;
    std::jthread thread_;
};

}  // namespace pgc
